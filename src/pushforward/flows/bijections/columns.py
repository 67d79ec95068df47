"""Columns brought to a standard normal distribution by their quantiles, with parametric tails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor

from pushforward.data.encodings.invertible import Invertible
from pushforward.data.encodings.quantile import Quantile
from pushforward.flows.bijections.bijection import Bijection


@final
class Columns(Bijection):
    """An invertible encoding of columns, such as `Quantile` or `Standardise`, as a part of a flow.

    Args:
        encoding: what maps each column by itself.
        size: columns.
    """

    def __init__(self, encoding: Invertible, size: int):
        super().__init__()
        self.shape, self.encoding = (size,), encoding

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) → (n, size), (n,)."""
        y, ladj = self.encoding(x)
        return y, ladj.sum(1)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) → (n, size), (n,)."""
        x = self.encoding.inverse(y)
        return x, -self.encoding(x)[1].sum(1)

    @classmethod
    def examples(cls) -> Sequence[Columns]:
        return [cls(encoding, encoding.x.shape[0]) for encoding in Quantile.examples()]
