"""What a folder holds: a final class a file, found without a list to keep."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def found(package: ModuleType, base: type[T]) -> dict[str, type[T]]:
    """The final classes of a package that derive from `base`, by the names of their files, with hyphens.

    >>> from pushforward.adversarial import losses
    >>> from pushforward.adversarial.losses.loss import AdversarialLoss
    >>> sorted(found(losses, AdversarialLoss))[:2]
    ['hinge', 'least-squares']
    """
    out: dict[str, type[T]] = {}
    for entry in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{entry.name}")
        for cls in vars(module).values():
            own = isinstance(cls, type) and cls.__module__ == module.__name__
            if own and issubclass(cls, base) and not inspect.isabstract(cls):
                out[entry.name.replace("_", "-")] = cls
    return out
