"""Hyperparameters of a family, in the manner of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from pushforward.families import name_of
from pushforward.parameters import Parameter, check_all, of_class, plain
from pushforward.spec import model_of
from pushforward.training.run import Run


@dataclass(kw_only=True, eq=False)
class Tunable:
    """A keyword-only dataclass whose fields are checked against their annotations, and which can say them."""

    wanted: ClassVar[tuple[str, str]] = ("a model", "gaussian-mixture:components=8")  # what messages ask for
    _needless: ClassVar[tuple[str, ...]] = ()  # keywords of `Run` that mean nothing to the family

    def __post_init__(self) -> None:
        for name, value in check_all(self.parameters(), self.get_params(), type(self).__name__).items():
            setattr(self, name, value)

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The hyperparameters: types, bounds, defaults and a line each."""
        return of_class(cls)

    @classmethod
    def budget(cls) -> dict[str, Parameter]:
        """The keywords of `Run` that its `fit` takes."""
        return {name: parameter for name, parameter in of_class(Run).items() if name not in cls._needless}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyperparameters by name."""
        return {name: getattr(self, name) for name in self.parameters()}

    def configuration(self) -> dict[str, Any]:
        """The hyperparameters as plain JSON values, so that they can be compared and saved."""
        return {name: plain(value) for name, value in self.get_params().items()}

    def to_json(self) -> dict[str, Any]:
        """Family and hyperparameters, as plain JSON values."""
        return {"family": name_of(type(self)), "hyperparameters": self.configuration()}

    @classmethod
    def said(cls, name: str, value: Any) -> Self:
        """A hyperparameter that is a model, out of a model or its words; see `spec.model_of`."""
        return cast(Self, model_of(name, value, cls))

    def set_params(self, **values: Any) -> Self:
        """Change hyperparameters; the model has to be fitted again to follow them."""
        for name, value in check_all(self.parameters(), values, type(self).__name__).items():
            setattr(self, name, value)
        return self
