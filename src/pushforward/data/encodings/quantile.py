"""Any column to a standard normal one, by its quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from pushforward.data.encodings.invertible import Invertible

TAIL = 4  # knots, from either end, whose chord gives the slope of the tail


class Quantile(Invertible):
    """y = Φ⁻¹(F(x)) with F piecewise linear between the normal scores of K quantiles.

    Beyond the outermost knots the map goes on as a straight line, so tails are Gaussian with the
    scale of the outer quantiles, and no value is out of range.

    Args:
        x: (d, K) increasing quantiles of each column.
        y: (d, K) their normal scores, increasing.
    """

    x: Tensor
    y: Tensor

    def __init__(self, x: Tensor, y: Tensor):
        super().__init__()
        self.register_buffer("x", x)
        self.register_buffer("y", y)

    @classmethod
    def of(cls, data: Tensor, knots: int = 64, share: float = 1.0) -> Self:
        """Quantiles of (n, d) data, in which NaN is a hole; tied quantiles are drawn apart.

        Normal scores close every gap of a column, so that what lies on its two sides becomes neighbours. With a
        `share` below 1 the rest of the score is asinh((x - median) / spread), which tames tails and keeps gaps.
        """
        columns = [_knots(column[~column.isnan()], knots, share) for column in data.T]
        empty = torch.empty(0, knots, dtype=data.dtype)
        x = torch.stack([column[0] for column in columns]) if columns else empty
        y = torch.stack([column[1] for column in columns]) if columns else empty
        return cls(x, y)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return _interpolate(x, self.x, self.y)

    def inverse(self, y: Tensor) -> Tensor:
        return _interpolate(y, self.y, self.x)[0]

    @classmethod
    def examples(cls) -> Sequence[Quantile]:
        points = torch.linspace(-3, 3, 400, dtype=torch.float64)
        return [cls.of(torch.stack([points.exp(), points**3 + points], 1), knots=16)]


def _knots(column: Tensor, knots: int, share: float) -> tuple[Tensor, Tensor]:
    """K increasing pairs (quantile, score), evenly spaced in the normal score, so that tails are resolved."""
    # The outermost scores are those a sample of this size reaches, not the infinite ones of 0 and 1.
    reach = -torch.special.ndtri(torch.tensor(min(0.5 / max(2, len(column)), 0.25), dtype=torch.float64))
    y = torch.linspace(-1, 1, knots, dtype=torch.float64) * reach
    if len(column) == 0 or column.max() == column.min():
        middle = column[0] if len(column) else torch.zeros((), dtype=torch.float64)
        return middle + y * 1e-6 * max(1e-3, abs(float(middle))), y
    x = torch.quantile(column.double(), torch.special.ndtr(y))
    span = (column.max() - column.min()).double()
    # A run of equal quantiles becomes a steep but invertible stretch.
    steps = x.diff().clamp_min(1e-4 * span / knots)
    x = torch.cat([x[:1], x[0] + steps.cumsum(0)])
    middle, spread = x[knots // 2], x[3 * knots // 5] - x[2 * knots // 5]
    unit = spread / (y[3 * knots // 5] - y[2 * knots // 5])
    return x, share * y + (1 - share) * torch.asinh((x - middle) / unit.clamp_min(1e-3 * span))


def _interpolate(at: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Piecewise linear y(at) and log slope; (n, d) values, (d, K) knots."""
    columns = at.T.contiguous()
    right = torch.searchsorted(x, columns).clamp(1, x.shape[1] - 1)
    x0, x1 = x.gather(1, right - 1), x.gather(1, right)
    y0, y1 = y.gather(1, right - 1), y.gather(1, right)
    slope = (y1 - y0) / (x1 - x0)
    k = min(TAIL, x.shape[1] - 1)
    lower = ((y[:, k] - y[:, 0]) / (x[:, k] - x[:, 0]))[:, None]
    upper = ((y[:, -1] - y[:, -1 - k]) / (x[:, -1] - x[:, -1 - k]))[:, None]
    below, above = columns < x[:, :1], columns > x[:, -1:]
    slope = torch.where(below, lower, torch.where(above, upper, slope))
    base_x, base_y = torch.where(above, x1, x0), torch.where(above, y1, y0)
    out = base_y + slope * (columns - base_x)
    return out.T, slope.clamp_min(math.ulp(0.0)).log().T
