"""Shares as real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor
from torch.nn.functional import logsigmoid

from pushforward.flows.bijections.bijection import Bijection


@final
class Interval(Bijection):
    """y = log x - log(1 - x): from (0, 1) to the line.

    Args:
        size: coordinates.
    """

    def __init__(self, size: int):
        super().__init__()
        self.shape = (size,)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) in (0, 1) → (n, size), (n,)."""
        below, above = x.log(), (-x).log1p()
        return below - above, -(below + above).sum(1)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) → (n, size) in (0, 1), (n,)."""
        below, above = logsigmoid(y), logsigmoid(-y)
        return below.exp(), (below + above).sum(1)

    @classmethod
    def examples(cls) -> Sequence[Interval]:
        return [cls(2)]
