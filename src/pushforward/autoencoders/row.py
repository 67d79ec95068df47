"""Numbers, categories and holes of records as inputs of a network, and the distribution its outputs stand for."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from pushforward.autoencoders.normal import Spread, log_density, log_mass
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.dequantise import dequantise
from pushforward.data.encodings.quantile import Quantile
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.vector import KNOTS, PILOT, SHARE
from pushforward.data.schema import Schema


class Row(nn.Module):
    """p(row | outputs) with every cell independent: normal scores, levels and holes.

    A number is a Gaussian in y, its score (`Quantile`) brought to mean 0 and deviation 1. On a grid, the
    probability of a value is that of its cell, Φ((y⁺ - μ)/σ) - Φ((y⁻ - μ)/σ), which is exact since the map
    is increasing; off it, the density is carried back by the slope of the map.

    Args:
        schema: numbers and categories.
        shared: whether all numbers have one σ, instead of one each.
        plain: whether numbers are only shifted and scaled.
    """

    resolution: Tensor
    deviation: Tensor

    def __init__(self, schema: Schema, shared: bool = False, plain: bool = False):
        super().__init__()
        self.cells, self.plain = CellEncoding(schema), plain
        self.levels = [factor.levels for factor in self.cells.factors]
        self.d, self.h = self.cells.width, len(self.cells.may_miss)
        self.inputs = 2 * self.d + sum(self.levels)
        self.outputs = self.d + sum(self.levels) + self.h
        self.register_buffer("resolution", self.cells.resolution, persistent=False)
        blank = torch.zeros(0 if plain else self.d, KNOTS, dtype=torch.float64)
        self.quantile = Quantile(blank, blank.clone())
        self.scale = Standardise(torch.zeros(self.d).double(), torch.ones(self.d).double())
        self.register_buffer("deviation", torch.ones(self.d).double())  # of the numbers as they are
        self.spread = Spread(self.d, shared)

    def prepare(self, cells: Cells, generator: torch.Generator) -> None:
        """Take quantiles and scales from some records."""
        step = -(-len(cells) // PILOT)
        numbers = cells.numbers[::step].to(self.resolution.device)
        self.deviation.copy_(Standardise.of(numbers).scale)
        if not self.plain:
            noisy = dequantise(numbers, self.resolution, generator)
            self.quantile = Quantile.of(noisy.cpu(), KNOTS, SHARE).to(numbers.device)
        self.scale = Standardise.of(self._score(numbers)[0])

    def _score(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        if self.plain:
            return numbers, torch.zeros_like(numbers)
        y, ladj = self.quantile(numbers.nan_to_num())
        return torch.where(numbers.isnan(), numbers, y), ladj

    def scores(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(n, d) numbers to y, NaN where there is none, and the log slope of the map, both (n, d) float64."""
        z, ladj = self._score(numbers)
        y, stretch = self.scale(z)
        return y, ladj + stretch

    def numbers_of(self, y: Tensor) -> Tensor:
        """(n, d) y to numbers in the units of the data."""
        z = self.scale.inverse(y.double())
        return z if self.plain else self.quantile.inverse(z)

    def features(self, y: Tensor, codes: Tensor) -> Tensor:
        """(n, inputs): y, whether it is known, and one-hot levels; zeros for what is not known."""
        known = ~y.isnan()
        parts = [y.nan_to_num().float(), known.float()]
        parts += [one_hot(codes[:, i] + 1, n + 1)[:, 1:].float() for i, n in enumerate(self.levels)]
        return torch.cat(parts, 1)

    def nll(self, out: Tensor, y: Tensor, codes: Tensor, holes: Tensor, weight: Tensor | None = None) -> Tensor:
        """(n,) minus the log likelihood of y, levels and holes, for training.

        Args:
            out: (n, outputs) of the network.
            y: (n, d), NaN where there is none.
            codes: (n, factors), -1 where there is none.
            holes: (n, h) bool.
            weight: (n,) what records count for the variances.
        """
        mean, logits, missing = self.split(out)
        known = (~y.isnan()).float()
        total = self.spread((y.nan_to_num().float() - mean).square() * known, known, weight)
        for i, each in enumerate(logits):
            total = total + cross_entropy(each, codes[:, i], ignore_index=-1, reduction="none")
        if self.h:
            total = total + binary_cross_entropy_with_logits(missing, holes.float(), reduction="none").sum(1)
        return total

    def log_prob(self, out: Tensor, numbers: Tensor, codes: Tensor) -> Tensor:
        """(n,) float64: log probability of what is known, in the units of the data; holes are not part of it.

        Args:
            out: (n, outputs).
            numbers, codes: as in `Cells`.
        """
        mean, logits, _ = self.split(out)
        sigma = self.spread.sigma.double()
        y, ladj = self.scores(numbers)
        each = log_density((y - mean) / sigma, sigma.expand(self.d)) + ladj
        if self.cells.gridded:
            half = self.resolution / 2
            low, high = ((self.scores(side)[0] - mean) / sigma for side in (numbers - half, numbers + half))
            apart = torch.nan_to_num(high - low, nan=1.0)  # rounding may close a cell far out
            cell = log_mass(low, torch.where(apart > 0, high, low + 1e-12))
            each = torch.where(self.resolution > 0, cell, each)
        total = torch.where(numbers.isnan(), 0.0, each).sum(1)
        for i, each in enumerate(logits):
            total = total - cross_entropy(each, codes[:, i], ignore_index=-1, reduction="none").double()
        return total

    def point(self, out: Tensor) -> Cells:
        """The most probable cells: means, levels, and holes where they are more probable than not."""
        mean, logits, missing = self.split(out)
        return self._cells(mean, [each.argmax(1) for each in logits], missing > 0)

    def draw(self, out: Tensor, generator: torch.Generator) -> Cells:
        """Cells drawn from the distribution."""
        mean, logits, missing = self.split(out)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        uniform = torch.rand(missing.shape, generator=generator, device=mean.device)
        levels = [torch.multinomial(each.softmax(1), 1, generator=generator)[:, 0] for each in logits]
        return self._cells(mean + self.spread.sigma * noise, levels, uniform < missing.sigmoid())

    def on_atoms(self, codes: Tensor) -> Tensor:
        """(n, d) bool: which numbers stand on an atom, and so have no value of their own."""
        on = torch.zeros(len(codes), self.d, dtype=torch.bool, device=codes.device)
        for name, at in self.cells.columns.items():
            factor = self.cells.factor_of(name)
            if factor is not None:
                on[:, at] = codes[:, [factor]] > 0
        return on

    def split(self, out: Tensor) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """(n, d) means, the logits of each factor, and (n, h) logits of holes."""
        mean, *logits, missing = out.float().split([self.d, *self.levels, self.h], 1)
        return mean, tuple(logits), missing

    def _cells(self, y: Tensor, levels: list[Tensor], holes: Tensor) -> Cells:
        empty = torch.empty(len(y), 0, dtype=torch.int64, device=y.device)
        return Cells(self.numbers_of(y), torch.stack(levels, 1) if levels else empty, holes)
