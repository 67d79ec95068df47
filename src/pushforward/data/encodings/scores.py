"""A table as one real vector a record, a coordinate a field, each standard normal by itself."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.special import ndtr, ndtri

from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.dequantise import dequantise
from pushforward.data.encodings.noise import Source, normal, uniform
from pushforward.data.encodings.quantile import Quantile
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.vector import PILOT
from pushforward.data.schema import Schema

KNOTS, FEW = 256, 1000  # quantiles of a number; records below which they are not taken
FAR = 1e15  # a score whose square is still a number
SMOOTHING = 0.5  # records that every level is counted as having beside its own
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class ScoreEncoding(nn.Module):
    """Numbers by their normal scores, levels as normal scores drawn from the stretch that is theirs.

    The levels of a factor divide (0, 1) as they divide the records; level c becomes z = Φ⁻¹(u) with u even on its
    stretch of length p_c, so that log p(c) ≥ E[log f(z) - log φ(z)] + log p_c with f the density of z. A model that
    knows nothing, f = φ, scores the shares exactly; what it learns is how fields hang together. A hole is a factor of
    two levels. A number that stands on an atom, or is a hole, has no value, and any normal draw stands for it.

    Args:
        schema: numbers and categories.
        knots: quantiles of a number.
    """

    resolution: Tensor
    whole: Tensor
    edges: Tensor

    def __init__(self, schema: Schema, knots: int = KNOTS):
        super().__init__()
        self.knots, self.cells = knots, CellEncoding(schema)
        self.levels = [factor.levels for factor in self.cells.factors] + [2] * len(self.cells.may_miss)
        d = self.cells.width
        self.width = d + len(self.levels)
        self.register_buffer("resolution", self.cells.resolution, persistent=False)
        blank = torch.zeros(d, knots, dtype=torch.float64)
        self.quantile = Quantile(blank, blank.clone())
        self.register_buffer("edges", torch.ones(len(self.levels), 1 + max(self.levels, default=1)).double())
        self.register_buffer("whole", torch.ones(()))  # share of records without a hole

    def prepare(self, cells: Cells, generator: torch.Generator) -> Self:
        """Take quantiles and shares from some records."""
        device = self.resolution.device
        codes, n = self._codes(cells.codes, cells.holes), len(cells)
        for i, levels in enumerate(self.levels):
            count = torch.bincount(codes[codes[:, i] >= 0, i].cpu(), minlength=levels).double() + SMOOTHING
            self.edges[i, 0] = 0
            self.edges[i, 1 : levels + 1] = (count / count.sum()).cumsum(0).clamp_max(1)
            self.edges[i, levels:] = 1
        self.whole.fill_((~cells.holes.any(1)).float().mean().clamp_min(1 / n))
        step = -(-n // PILOT)
        numbers = cells.numbers[::step] if step > 1 else cells.numbers
        noisy = dequantise(numbers.to(device), self.resolution, generator)
        self.quantile = _smooth(noisy.cpu(), self.knots).to(device)
        return self

    @property
    def noisy(self) -> bool:
        """Whether anything but numbers off the grid is encoded."""
        return bool(self.levels) or self.cells.gridded

    def forward(
        self, numbers: Tensor, codes: Tensor, holes: Tensor, generator: Source | None = None
    ) -> tuple[Tensor, Tensor]:
        """Cells to (n, width) float32 vectors, and (n,) what to add to a log density of them.

        Args:
            numbers, codes, holes: as in `Cells`.
            generator: what draws the noise; without one every value is in the middle of its cell or stretch.
        """
        nowhere = numbers.isnan()
        z, ladj = self.quantile(dequantise(numbers.nan_to_num(), self.resolution, generator))
        grid = torch.where(self.resolution > 0, self.resolution, 1.0).log()
        blank = torch.zeros_like(z) if generator is None else normal(z, generator)
        z = torch.where(nowhere, blank, z)
        ladj = torch.where(nowhere, _minus_log_normal(blank), ladj + grid).sum(1)
        z = z.clamp(-FAR, FAR)
        if not self.levels:
            return z.float(), ladj.float()
        scores, gain = self._scores(self._codes(codes, holes), generator)
        return torch.cat([z, scores], 1).float(), (ladj + gain).float()

    def inverse(self, x: Tensor) -> Cells:
        """(n, width) vectors to cells in which nothing is unknown."""
        d, m, x = self.cells.width, len(self.cells.factors), x.double()
        numbers = self.quantile.inverse(x[:, :d])
        u = ndtr(x[:, d:]).T.contiguous()
        inner = self.edges[:, 1:-1].contiguous()
        codes = torch.searchsorted(inner, u, right=True).T
        most = torch.tensor(self.levels, device=x.device) - 1
        codes = torch.minimum(codes, most) if self.levels else codes
        return Cells(numbers.cpu(), codes[:, :m].contiguous().cpu(), (codes[:, m:] > 0).cpu())

    def known(self, cells: Cells) -> Tensor:
        """(n, width) bool: which coordinates are settled by what is known of the records."""
        return torch.cat([~cells.numbers.isnan(), self._codes(cells.codes, cells.holes) >= 0], 1)

    def _codes(self, codes: Tensor, holes: Tensor) -> Tensor:
        return torch.cat([codes, holes.long()], 1)

    def _scores(self, codes: Tensor, generator: Source | None) -> tuple[Tensor, Tensor]:
        """(n, factors) normal scores, and (n,) what to add to a log density of them."""
        at = codes.clamp_min(0)
        low, high = (self.edges.T.gather(0, at + side) for side in (0, 1))
        u = torch.full_like(low, 0.5) if generator is None else uniform(low, generator)
        z = ndtri((low + (high - low) * u).clamp(1e-12, 1 - 1e-12))
        gain = (high - low).log() + _minus_log_normal(z)
        if bool((codes < 0).any()):
            blank = torch.zeros_like(z) if generator is None else normal(z, generator)
            z = torch.where(codes < 0, blank, z)
            gain = torch.where(codes < 0, _minus_log_normal(blank), gain)
        return z, gain.sum(1)


def _smooth(x: Tensor, knots: int) -> Quantile:
    """Quantiles of columns, no more of them than so many records can tell, as a map with so many knots.

    Few records tell no more than mean and deviation, and the map is a straight line: on a few hundred, quantiles cost
    more held-out nats than they gave.
    """
    share = torch.linspace(0, 1, knots, dtype=torch.float64)
    if len(x) < FEW:
        line = Standardise.of(x.double())
        y = (2 * share - 1).expand(x.shape[1], knots).contiguous()
        return Quantile((line.mean[:, None] + line.scale[:, None] * y).contiguous(), y)
    coarse = Quantile.of(x, min(knots, round(len(x) ** (1 / 3))))
    if not x.shape[1]:
        return Quantile.of(x, knots)
    y = coarse.y[:, :1] + (coarse.y[:, -1:] - coarse.y[:, :1]) * share
    return Quantile(coarse.inverse(y.T).T.contiguous(), y)


def _minus_log_normal(z: Tensor) -> Tensor:
    return 0.5 * z**2 + _HALF_LOG_TAU
