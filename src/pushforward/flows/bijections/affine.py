"""A shift and a scale of every coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from pushforward.flows.bijections.bijection import Bijection


@final
class Affine(Bijection):
    """y = x eˢ + t, the same for all records.

    Args:
        size: coordinates.
    """

    def __init__(self, size: int):
        super().__init__()
        self.shape = (size,)
        self.shift, self.log_scale = nn.Parameter(torch.zeros(size)), nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) → (n, size), (n,)."""
        return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) → (n, size), (n,)."""
        return (y - self.shift) * (-self.log_scale).exp(), -self.log_scale.sum().expand(len(y))

    @classmethod
    def examples(cls) -> Sequence[Affine]:
        return [cls(3), cls(1)]
