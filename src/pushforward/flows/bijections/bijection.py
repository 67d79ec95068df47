"""What every invertible map promises: the map, its inverse, and how each stretches volume."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from pushforward.flows.bijections.chain import Chain
    from pushforward.flows.bijections.inverted import Inverted


class Bijection(nn.Module, ABC):
    """An invertible map of records, on condition c or none; in a flow, `forward` goes from data to noise.

    Both ways give log |det ∂out/∂in| of the way that was taken, so that those of a map and its inverse add up to 0.
    `a >> b` is a, then b; `~a` is the inverse of a.

    Attributes:
        shape: of a record that goes in.
        condition: numbers of c; 0 where it is not looked at.
    """

    shape: tuple[int, ...]
    condition: int = 0

    @abstractmethod
    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, …), (n,) log |det|."""

    @abstractmethod
    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, …), (n, condition) → (n, *shape), (n,) log |det|."""

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of a record that comes out."""
        return self.shape

    def prepare(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Take scales from some records, and give what comes out of them; most maps have nothing to take."""
        return self(x, c)[0]

    def __rshift__(self, other: Bijection) -> Chain:
        """This map, then the other."""
        from pushforward.flows.bijections.chain import Chain  # which is one itself

        return Chain([self, other])

    def __invert__(self) -> Inverted:
        """The inverse of this map."""
        from pushforward.flows.bijections.inverted import Inverted  # which is one itself

        return Inverted(self)

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Bijection]:
        """Small instances that the contract tests go through."""
