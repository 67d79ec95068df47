"""Shift and scale to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from pushforward.data.encodings.invertible import Invertible


class Standardise(Invertible):
    """y = (x - mean) / scale, column by column.

    Args:
        mean: (d,).
        scale: (d,), greater than 0.

    >>> encoding = Standardise.of(torch.tensor([[1.0], [3.0]]))
    >>> encoding(torch.tensor([[3.0]]))[0].item()
    1.0
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    @classmethod
    def of(cls, x: Tensor, weights: Tensor | None = None) -> Self:
        """The moments of (n, d) data, in which NaN is a hole; a constant column keeps scale 1.

        Args:
            x: the data.
            weights: (n,) of the records, greater than 0; all alike if not given.
        """
        known = ~x.isnan()
        share = known.to(x) if weights is None else known * weights[:, None].to(x)
        count = torch.where(known.any(0), share.sum(0), 1.0)
        mean = (x.nan_to_num() * share).sum(0) / count
        scale = (torch.where(known, x - mean, 0.0).square() * share).sum(0).div(count).sqrt()
        flat = scale <= 1e-12 * mean.abs().clamp_min(1e-300)
        return cls(mean, torch.where(flat, torch.ones_like(scale), scale))

    @classmethod
    def robust(cls, x: Tensor, weights: Tensor | None = None) -> Self:
        """The same, with the scale that the middle half of a column would have in a normal one, where that is less.

        A few huge values then do not make all others look alike.
        """
        plain = cls.of(x, weights)
        if not x.numel():
            return plain
        quarters = torch.nanquantile(x, torch.tensor([0.25, 0.75], dtype=x.dtype, device=x.device), dim=0)
        middle = (quarters[1] - quarters[0]) / 1.349
        return cls(plain.mean, torch.where((middle > 0) & (middle < plain.scale), middle, plain.scale))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x - self.mean) / self.scale, (-self.scale.log()).expand_as(x)

    def inverse(self, y: Tensor) -> Tensor:
        return y * self.scale + self.mean

    @classmethod
    def examples(cls) -> Sequence[Standardise]:
        return [cls(torch.tensor([1.0, -2.0], dtype=torch.float64), torch.tensor([0.5, 3.0], dtype=torch.float64))]
