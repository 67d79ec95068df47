"""Verbs that a model has or has not, by what it is and by how it was fitted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol


class _Holder(Protocol):
    def lacks(self, verb: str) -> str | None: ...


class verb:  # noqa: N801 - it is used as a decorator, like property
    """A method that is absent (`hasattr` is the test) from a model whose `lacks(name)` gives a reason.

    On the class it is always there, so that documentation finds it.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        functools.update_wrapper(self, function)  # type: ignore[arg-type]

    def __get__(self, instance: _Holder | None, owner: type) -> Any:
        if instance is None:
            return self.function
        reason = instance.lacks(self.function.__name__)
        if reason is not None:
            raise AttributeError(f"{owner.__name__} has no {self.function.__name__}: {reason}")
        return MethodType(self.function, instance)
