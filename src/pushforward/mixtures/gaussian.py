"""Mixtures of Gaussians with categorical factors, as tensors: densities, conditionals and sufficient statistics.

Component k draws numbers x ~ N(μ_k, Σ_k) and, independently, each level c_f ~ Categorical(θ_kf). Whatever is not
known of a record (NaN, or -1) is marginalised exactly. On a grid of spacing r, the probability of the cell around
x is bounded from below, component by component, by

    log N(x; μ, Σ) - ½ Σ_j (Σ⁻¹)_jj r_j² / 12 + Σ_j log r_j,

the mean over the cell of the log density (Jensen), and EM on that bound stays in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.covariances.kind import Covariances, Part, Rows
from pushforward.mixtures.moments import Moments
from pushforward.mixtures.parallel import summed

WORTH = 3000  # K d², below which threads mostly wait for Python between one small product and the next


@dataclass(frozen=True)
class Mixture:
    """The parameters of a mixture.

    Attributes:
        weights: (K,) of the components; they sum to 1.
        means: (K, d).
        covariances: of one of the shapes in `covariances`.
        tables: (K, L) level probabilities, factor after factor.
        levels: how many levels each factor has; they sum to L.
        grid: (d,) spacing of the grid each number lies on, 0 off it.

    >>> from pushforward.mixtures.covariances import Full
    >>> one = torch.ones(1, dtype=torch.float64)
    >>> mixture = Mixture(one, one[None], Full(one[None, None]), one[None, :0], (), 0 * one)
    >>> x = torch.tensor([[1.0], [float("nan")]], dtype=torch.float64)
    >>> mixture.posterior(Cells(x, torch.empty(2, 0).long(), torch.empty(2, 0).bool()))[1].tolist()
    [-0.9189385332046727, 0.0]
    """

    weights: Tensor
    means: Tensor
    covariances: Covariances
    tables: Tensor
    levels: tuple[int, ...]
    grid: Tensor

    @property
    def starts(self) -> list[int]:
        """Where in `tables` each factor begins."""
        return np.cumsum([0, *self.levels[:-1]]).tolist() if self.levels else []

    @property
    def wide(self) -> Tensor:
        """(d,) variance of a cell of the grid."""
        return self.grid**2 / 12

    def table(self, f: int) -> Tensor:
        """(K, levels) of one factor."""
        return self.tables[:, self.starts[f] : self.starts[f] + self.levels[f]]

    # Densities

    def log_joint(self, cells: Cells) -> Tensor:
        """(n, K): log π_k p(what is known of the record | k), without the constant of the grid."""
        out = torch.empty(len(cells), len(self.weights), dtype=self.means.dtype, device=self.means.device)
        for part, rows in self.covariances.parts(self.means, self.wide, cells.numbers, fast=False):
            out[rows] = (part.expect(cells.numbers[rows])[0] + self._prior(cells.codes[rows])).T
        return out

    def _prior(self, codes: Tensor) -> Tensor:
        """(K, n): log π_k p(the known levels | k)."""
        out = self.weights.log()[:, None]  # one column serves all, where there is no factor
        for f in range(len(self.levels)):
            table = self.table(f).log()
            blank = torch.zeros_like(table[:, :1])  # the last column: what is not known says nothing
            out = out + torch.cat([table, blank], 1)[:, codes[:, f]]
        return out

    def posterior(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """(n, K) responsibilities and (n,) log density of what is known."""
        joint = self.log_joint(cells)
        total = joint.logsumexp(1)
        return (joint - total[:, None]).exp(), total

    # Learning

    def moments(self, cells: Cells, weights: Tensor, units: Tensor) -> Moments:
        """The moments of records, with what is not known replaced by its expectation.

        Args:
            cells: n records.
            weights: (n,) what each of them counts.
            units: (d,) log density that a known number brings with it beyond what is computed here.
        """
        seen = bool(units.any())

        def of(block: tuple[Part, Rows]) -> list[Tensor]:
            part, rows = block
            x, codes, share = cells.numbers[rows], cells.codes[rows], weights[rows]
            log, finish = part.expect(x)
            r = log.add_(self._prior(codes))
            top = r.amax(0)
            total = r.sub_(top).exp_().sum(0)
            score = top + total.log() + ((~x.isnan()).to(units) @ units if seen else 0.0)
            r.mul_(share / total)
            discrete = self._discrete(codes, cells.holes[rows], r)
            return [r.sum(1), *finish(r), *discrete, (score * share).sum(), share.sum()]

        return self._summed(of, cells)

    def sorted_moments(self, cells: Cells, r: Tensor) -> Moments:
        """The moments of records whose responsibilities (n, K) are known, weights included."""

        def of(block: tuple[Part, Rows]) -> list[Tensor]:
            part, rows = block
            share = r[rows].T.contiguous()
            discrete = self._discrete(cells.codes[rows], cells.holes[rows], share)
            numbers = part.expect(cells.numbers[rows])[1](share)
            return [share.sum(1), *numbers, *discrete, share.new_zeros(()), share.sum()]

        return self._summed(of, cells)

    def _summed(self, of: Callable[[tuple[Part, Rows]], list[Tensor]], cells: Cells) -> Moments:
        blocks = self.covariances.parts(self.means, self.wide, cells.numbers, fast=True)
        worth = self.means.numel() * self.means.shape[1] >= WORTH and self.means.device.type == "cpu"
        whole = summed(blocks, of, torch.get_num_threads() if worth else 1)
        return Moments.of(self._nothing(cells.holes[:1]) if whole is None else whole)

    def _discrete(self, codes: Tensor, holes: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """(K, L) and (K, h) responsibilities of levels and holes."""
        counts = torch.zeros_like(self.tables)
        for f, start in enumerate(self.starts):
            n = self.levels[f]
            # one spare column takes what is not known
            spread = torch.nn.functional.one_hot(codes[:, f].remainder(n + 1), n + 1).to(r)
            counts[:, start : start + n] = (r @ spread)[:, :n]
        return counts, r @ holes.to(r.dtype)

    def _nothing(self, holes: Tensor) -> list[Tensor]:
        """The moments of no record."""
        codes = torch.full((1, len(self.levels)), -1, device=self.means.device)
        one = Cells(torch.full_like(self.means[:1], torch.nan), codes, holes.new_zeros(1, holes.shape[1]))
        return self.moments(one, torch.zeros_like(self.weights[:1]), torch.zeros_like(self.grid)).tensors()

    # Drawing

    def choose(self, joint: Tensor, generator: torch.Generator) -> Tensor:
        """(n,) a component for each record, drawn from log weights (n, K)."""
        top = joint.amax(1, keepdim=True)
        ladder = (joint - top).exp().cumsum(1)
        u = torch.rand(len(joint), 1, generator=generator, dtype=joint.dtype, device=joint.device)
        return (ladder <= u * ladder[:, -1:]).sum(1).clamp_max(joint.shape[1] - 1)

    def draw(self, cells: Cells, generator: torch.Generator) -> Cells:
        """Fill in all that is not known of some records, by one draw from its exact conditional distribution."""
        return self.fill(cells, self.choose(self.log_joint(cells), generator), generator)

    def fill(self, cells: Cells, chosen: Tensor, generator: torch.Generator) -> Cells:
        """The same, where the components are chosen already.

        A draw x* from the whole Gaussian is moved by what its known part misses by: x* + Σ_·o Σ_oo⁻¹ (x_o - x*_o).
        """
        numbers, codes = cells.numbers, cells.codes.clone()
        unknown = numbers.isnan()
        if bool(unknown.any()):
            sharp = self.sharp()
            drawn = sharp.means[chosen] + sharp.covariances.draw(chosen, generator)
            if not bool(unknown.all()):
                drawn = drawn + sharp.covariances.times(sharp.covariances.solved(numbers - drawn, chosen), chosen)
            numbers = torch.where(unknown, drawn, numbers)
        for f in range(len(self.levels)):
            at = (codes[:, f] < 0).nonzero()[:, 0]
            if len(at):
                codes[at, f] = levels(self.table(f), chosen[at], generator)
        return Cells(numbers, codes, cells.holes)

    def sharp(self) -> Mixture:
        """The mixture of points of the grid instead of cells, since rounding a draw spreads it over the cell again."""
        return replace(self, covariances=self.covariances.minus(self.wide)) if bool(self.grid.any()) else self

    def widened(self, factor: float) -> Mixture:
        """The mixture with its covariances times a factor."""
        return replace(self, covariances=self.covariances.widened(factor)) if factor != 1 else self

    def denoised(self, cells: Cells, noise: Tensor) -> Tensor:
        """(n, d) posterior mean x - N (Σ+N)⁻¹ (x-μ) of the numbers, if noise of variances N (d,) was added to them."""
        noisy = replace(self, covariances=self.covariances.plus(noise), grid=torch.zeros_like(self.grid))
        responsibilities, _ = noisy.posterior(cells)
        out = cells.numbers.clone()
        for k in range(len(self.weights)):
            chosen = torch.full((len(out),), k, device=out.device)
            apart = noisy.covariances.solved(cells.numbers - self.means[k], chosen)
            out -= responsibilities[:, [k]] * noise * apart
        return out


def levels(table: Tensor, chosen: Tensor, generator: torch.Generator) -> Tensor:
    """(n,) levels drawn from the rows of a table (K, L) that were chosen.

    The rows, summed up and laid end to end, are one ladder, on which every draw is found by one search.
    """
    k, n = table.shape
    ladder = table.cumsum(1)
    ladder = ladder / ladder[:, -1:]  # the last is 1 to the bit, and so is what stands before levels of probability 0
    whole = (ladder + torch.arange(k, dtype=table.dtype, device=table.device)[:, None]).flatten()
    u = torch.rand(len(chosen), generator=generator, dtype=table.dtype, device=table.device)
    found = torch.searchsorted(whole, u + chosen, right=True) - n * chosen
    return found.clamp_(0, n - 1)
