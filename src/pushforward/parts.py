"""Models inside a model: several said as one hyperparameter, and what was learned by each under one roof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from torch import Tensor

from pushforward.errors import ArgumentError
from pushforward.joint import JointModel
from pushforward.parameters import plain, shown
from pushforward.spec import model_of


class Joints(Sequence[JointModel]):
    """Models of the joint distribution, in words ``family:option=value,option=value+family``.

    >>> [type(model).__name__ for model in Joints.said("of", "tree-chain+naive-bayes")]
    ['TreeChain', 'NaiveBayes']
    """

    SIGN: ClassVar[str] = "+"

    def __init__(self, models: Sequence[JointModel]):
        self._models = tuple(models)

    def __getitem__(self, i: Any) -> Any:
        return self._models[i]

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[JointModel]:
        return iter(self._models)

    def __repr__(self) -> str:
        return repr(list(self._models))

    def to_json(self) -> list[Any]:
        """Family and hyperparameters of each."""
        return [plain(model) for model in self]

    def unfitted(self) -> Self:
        """The same, not fitted, that nobody else holds."""
        return type(self)([type(model)(**model.get_params()) for model in self])

    @classmethod
    def said(cls, name: str, value: Any) -> Self:
        """A hyperparameter that is several models, out of their words, or of models, words or JSON in a list.

        Raises:
            ArgumentError: there is none, or one is no model of the joint distribution.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = value.split(cls.SIGN)
        if not isinstance(value, Sequence) or not len(value):
            raise ArgumentError(f"{name}={shown(value)} names no models; say some, such as 'tree-mixture+tree-chain'")
        return cls([model_of(name, entry, JointModel) for entry in value])  # type: ignore[misc]


def joined(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of parts, each under its name."""
    return {f"{part}.{name}": tensor for part, state in states.items() for name, tensor in state.items()}


def of_part(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Those of one part."""
    start = f"{part}."
    return {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
