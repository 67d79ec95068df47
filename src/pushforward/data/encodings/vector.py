"""A table as one real vector a record, for networks, with a density that can be carried back to the fields."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.dequantise import dequantise
from pushforward.data.encodings.noise import Source, normal, uniform
from pushforward.data.encodings.quantile import Quantile
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.schema import Schema

KNOTS = 64
SHARE = 0.5  # of the normal score, see below
PILOT = 20_000  # records that scales are taken from
HALF = 0.25  # half the width of the noise around a level; neighbours are 1 apart


class VectorEncoding(nn.Module):
    """Numbers by their scores (see `Quantile`), levels as noisy one-hot vectors, holes as noisy bits.

    A level c of L becomes e_c + t with t triangular on (-1/4, 1/4), coordinate by coordinate. What different
    levels become does not overlap, so the largest coordinate gives the level back, and with f the density of the
    vector and q that of t, log p(c) ≥ E[log f(e_c + t) - log q(t)]. (Noise that vanishes towards the border, since
    a network blurs borders, and with even noise rare levels would gain what leaks over.) A number that stands on an
    atom, or is a hole, has no value: its coordinate is drawn from a standard normal, whose density is taken off
    in the same way.

    Args:
        schema: numbers and categories.
        share: of the normal score in what a number becomes; the rest keeps the gaps of its column.
        knots: quantiles that it is taken from.
    """

    resolution: Tensor
    whole: Tensor

    def __init__(self, schema: Schema, share: float = SHARE, knots: int = KNOTS):
        super().__init__()
        self.share, self.knots = share, knots
        self.cells = CellEncoding(schema)
        self.levels = [factor.levels for factor in self.cells.factors]
        d, soft = self.cells.width, sum(self.levels) + len(self.cells.may_miss)
        self.width = d + soft
        self.register_buffer("resolution", self.cells.resolution, persistent=False)
        blank = torch.zeros(d, knots, dtype=torch.float64)
        self.quantile = Quantile(blank, blank.clone())
        self.scale = Standardise(torch.zeros(self.width), torch.ones(self.width))
        self.register_buffer("whole", torch.ones(()))  # share of records without a hole

    def prepare(self, cells: Cells, generator: torch.Generator) -> Self:
        """Take quantiles and scales from some records."""
        device, step = self.resolution.device, -(-len(cells) // PILOT)
        cells = cells[::step] if step > 1 else cells
        noisy = dequantise(cells.numbers.to(device), self.resolution, generator)
        self.quantile = Quantile.of(noisy.cpu(), self.knots, self.share).to(device)
        x, _ = self._raw(cells.numbers.to(device), cells.codes.to(device), cells.holes.to(device), generator)
        self.scale = Standardise.of(x)
        self.whole.fill_((~cells.holes.any(1)).float().mean().clamp_min(1 / len(cells)))
        return self

    @property
    def noisy(self) -> bool:
        """Whether anything but numbers off the grid is encoded."""
        return self.width > self.cells.width or self.cells.gridded

    def forward(
        self, numbers: Tensor, codes: Tensor, holes: Tensor, generator: Source | None = None
    ) -> tuple[Tensor, Tensor]:
        """Cells to (n, width) float32 vectors, and (n,) what to add to a log density of them.

        Args:
            numbers, codes, holes: as in `Cells`.
            generator: what draws the noise; without one every value is in the middle of its cell.
        """
        x, ladj = self._raw(numbers, codes, holes, generator)
        y, stretch = self.scale(x)
        return y, ladj + stretch.sum(1)

    def inverse(self, x: Tensor) -> Cells:
        """(n, width) vectors to cells in which nothing is unknown."""
        raw = self.scale.inverse(x)
        d = self.cells.width
        numbers = self.quantile.inverse(raw[:, :d].double())
        codes, start = [], d
        for levels in self.levels:
            codes.append(raw[:, start : start + levels].argmax(1))
            start += levels
        empty = torch.empty(len(x), 0, dtype=torch.int64, device=x.device)
        return Cells(numbers.cpu(), (torch.stack(codes, 1) if codes else empty).cpu(), (raw[:, start:] > 0.5).cpu())

    def known(self, cells: Cells) -> Tensor:
        """(n, width) bool: which coordinates are settled by what is known of the records."""
        parts = [~cells.numbers.isnan()]
        parts += [(cells.codes[:, [i]] >= 0).expand(-1, levels) for i, levels in enumerate(self.levels)]
        parts.append(torch.ones(len(cells), len(self.cells.may_miss), dtype=torch.bool))
        return torch.cat(parts, 1)

    def _raw(self, numbers: Tensor, codes: Tensor, holes: Tensor, generator: Source | None) -> tuple[Tensor, Tensor]:
        nowhere = numbers.isnan()
        z, ladj = self.quantile(dequantise(numbers.nan_to_num(), self.resolution, generator))
        grid = torch.where(self.resolution > 0, self.resolution, 1.0).log()
        blank = torch.zeros_like(z) if generator is None else normal(z, generator)
        z = torch.where(nowhere, blank, z)
        ladj = torch.where(nowhere, 0.5 * blank**2 + 0.5 * torch.log(torch.tensor(2 * torch.pi)), ladj + grid)
        soft = [one_hot(codes[:, i].clamp_min(0), n) * (codes[:, [i]] >= 0) for i, n in enumerate(self.levels)]
        bits = torch.cat([*soft, holes.long()], 1).float()
        noise = triangular(bits, generator) if generator is not None else torch.zeros_like(bits)
        ladj = ladj.sum(1) - ((1 - noise.abs() / HALF) / HALF).log().sum(1)
        return torch.cat([z.float(), bits + noise], 1), ladj.float()


def triangular(like: Tensor, source: Source) -> Tensor:
    """Draws of density (1 - |t| / h) / h on (-h, h), h = HALF."""
    return (uniform(like, source) + uniform(like, source) - 1) * HALF * (1 - 1e-6)
