"""A map the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor

from pushforward.flows.bijections.affine import Affine
from pushforward.flows.bijections.bijection import Bijection


@final
class Inverted(Bijection):
    """x → f⁻¹(x).

    Args:
        other: f.

    >>> import torch
    >>> from pushforward.flows.bijections.interval import Interval
    >>> (~Interval(1))(torch.zeros(1, 1))[0].item()
    0.5
    """

    def __init__(self, other: Bijection):
        super().__init__()
        self.other = other
        self.shape, self.condition = other.out, other.condition

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of a record that comes out."""
        return self.other.shape

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, *out), (n,)."""
        return self.other.inverse(x, c)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *out), (n, condition) → (n, *shape), (n,)."""
        return self.other(y, c)

    @classmethod
    def examples(cls) -> Sequence[Inverted]:
        return [~Affine(2)]
