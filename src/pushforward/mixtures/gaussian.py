"""Mixtures of Gaussians with categorical factors, as tensors: densities, conditionals and sufficient statistics.

Component k draws numbers x ~ N(μ_k, Σ_k) and, independently, each level c_f ~ Categorical(θ_kf). Whatever is not
known of a record (NaN, or -1) is marginalised exactly. On a grid of spacing r, the probability of the cell around
x is bounded from below, component by component, by

    log N(x; μ, Σ) - ½ Σ_j (Σ⁻¹)_jj r_j² / 12 + Σ_j log r_j,

the mean over the cell of the log density (Jensen), and EM on that bound stays in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.training.statistic import Statistic

LOG_2PI = math.log(2 * math.pi)
BLOCK = 1 << 22  # numbers held at once by a batched product


@dataclass(frozen=True)
class Mixture:
    """The parameters of a mixture.

    Attributes:
        weights: (K,) of the components; they sum to 1.
        means: (K, d).
        covariances: (K, d, d), or (K, d) where they are diagonal.
        tables: (K, L) level probabilities, factor after factor.
        levels: how many levels each factor has; they sum to L.
        grid: (d,) spacing of the grid each number lies on, 0 off it.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor
    tables: Tensor
    levels: tuple[int, ...]
    grid: Tensor

    @property
    def diagonal(self) -> bool:
        """Whether the covariances are."""
        return self.covariances.ndim == 2

    @property
    def full(self) -> Tensor:
        """(K, d, d) covariances."""
        return torch.diag_embed(self.covariances) if self.diagonal else self.covariances

    @property
    def starts(self) -> list[int]:
        """Where in `tables` each factor begins."""
        return np.cumsum([0, *self.levels[:-1]]).tolist() if self.levels else []

    def log_joint(self, cells: Cells) -> Tensor:
        """(n, K): log π_k p(what is known of the record | k), without the constant of the grid."""
        out = self.weights.log() + self._log_levels(cells.codes)
        if self.diagonal:
            return out + self._log_normal_diagonal(cells.numbers)
        for known, rows in patterns(~cells.numbers.isnan()):
            out[rows] += self._log_normal(cells.numbers[rows][:, known], known)
        return out

    def _log_levels(self, codes: Tensor) -> Tensor:
        """(n, K) log probability of the known levels."""
        out = torch.zeros(len(codes), len(self.weights), dtype=self.means.dtype, device=self.means.device)
        for f, start in enumerate(self.starts):
            rows = self.tables[:, start : start + self.levels[f]].log().T
            blank = torch.zeros_like(rows[:1])  # the last row: what is not known says nothing
            out += torch.cat([rows, blank])[codes[:, f]]
        return out

    def _log_normal(self, x: Tensor, known: Tensor) -> Tensor:
        """(n, K) log density of the known numbers x (n, o), which are those of the mask (d,)."""
        means, root = self.means[:, known], self._whitening(known)  # (K, o), (K, o, o)
        wide = self.grid[known] ** 2 / 12
        constant = -0.5 * (len(wide) * LOG_2PI + (root**2 @ torch.ones_like(wide) * wide).sum(1))
        constant += root.diagonal(dim1=1, dim2=2).log().sum(1)
        out = constant.repeat(len(x), 1)
        size = max(1, BLOCK // max(1, root[:, :, 0].numel() if root.shape[2] else 1))
        shift = means[:, None] @ root  # (K, 1, o)
        for start in range(0, len(x), size):
            y = x[start : start + size] @ root - shift  # (K, block, o)
            out[start : start + size] -= 0.5 * y.square().sum(2).T
        return out

    def _whitening(self, known: Tensor) -> Tensor:
        """(K, o, o) upper triangular W with W Wᵀ = Σ_oo⁻¹."""
        part = self.covariances[:, known][:, :, known]
        root = torch.linalg.cholesky(part)
        eye = torch.eye(part.shape[1], dtype=part.dtype, device=part.device).expand_as(part)
        return torch.linalg.solve_triangular(root, eye, upper=False).mT

    def _log_normal_diagonal(self, x: Tensor) -> Tensor:
        known = ~x.isnan()
        x, known = x.nan_to_num(), known.to(x.dtype)
        precision = 1 / self.covariances  # (K, d)
        constant = LOG_2PI - precision.log() + self.means**2 * precision + self.grid**2 / 12 * precision
        return -0.5 * (x**2 @ precision.T - 2 * x @ (self.means * precision).T + known @ constant.T)

    def posterior(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """(n, K) responsibilities and (n,) log density of what is known."""
        joint = self.log_joint(cells)
        total = joint.logsumexp(1)
        return (joint - total[:, None]).exp(), total

    def conditional(self, known: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """E[x | x_o] = gain x_o + offset, and Cov[x | x_o], for each component.

        Args:
            known: (d,) mask of the numbers x_o.
            noise: (d,) variance of Gaussian noise that was added to x_o.

        Returns:
            (K, d, o) gain, (K, d) offset, (K, d, d) covariance.
        """
        full = self.full
        inner = full[:, known][:, :, known]
        if noise is not None:
            inner = inner + torch.diag(noise[known])
        gain = torch.linalg.solve(inner, full[:, known]).mT  # (K, d, o)
        offset = self.means - (gain @ self.means[:, known, None]).squeeze(2)
        covariance = full - gain @ full[:, known]
        if noise is None:  # what is known has no spread left; rounding shall not give it one
            covariance[:, known] = 0
            covariance[:, :, known] = 0
        return gain, offset, covariance

    def draw(self, cells: Cells, generator: torch.Generator) -> Cells:
        """Fill in all that is not known of some records, by one draw from its exact conditional distribution."""
        chosen = torch.multinomial(self.posterior(cells)[0], 1, generator=generator)[:, 0]
        sharp = self._sharp()
        numbers, codes = cells.numbers.clone(), cells.codes.clone()
        noise = torch.randn(numbers.shape, generator=generator, dtype=numbers.dtype, device=numbers.device)
        if self.diagonal:  # nothing that is known says anything about the rest but which component it is
            numbers = numbers.where(~numbers.isnan(), self.means[chosen] + sharp.covariances[chosen].sqrt() * noise)
        for known, rows in patterns(~numbers.isnan()):
            if known.all():
                continue
            gain, offset, covariance = sharp.conditional(known)
            hidden = ~known
            root = safe_cholesky(covariance[:, hidden][:, :, hidden])
            for k in chosen[rows].unique().tolist():
                at = rows[chosen[rows] == k]
                mean = numbers[at][:, known] @ gain[k].T + offset[k]
                spread = noise[at][:, hidden] @ root[k].T
                numbers[at[:, None], hidden.nonzero()[:, 0]] = mean[:, hidden] + spread
        for f, start in enumerate(self.starts):
            at = (codes[:, f] < 0).nonzero()[:, 0]
            if len(at):
                rows = self.tables[chosen[at], start : start + self.levels[f]]
                codes[at, f] = torch.multinomial(rows, 1, generator=generator)[:, 0]
        return Cells(numbers, codes, cells.holes)

    def _sharp(self) -> Mixture:
        """The mixture of points of the grid instead of cells, since rounding a draw spreads it over the cell again."""
        width = self.grid**2 / 12
        variances = self.covariances if self.diagonal else self.covariances.diagonal(dim1=1, dim2=2)
        less = torch.minimum(width, 0.999 * variances)
        return replace(self, covariances=self.covariances - (less if self.diagonal else torch.diag_embed(less)))

    def denoised(self, cells: Cells, noise: Tensor) -> Tensor:
        """(n, d) posterior mean of the numbers, if noise of these variances (d,) was added to them."""
        noisy = Mixture(
            self.weights,
            self.means,
            self.full + torch.diag(noise),
            self.tables,
            self.levels,
            torch.zeros_like(self.grid),
        )
        responsibilities, _ = noisy.posterior(cells)
        out = cells.numbers.clone()
        for known, rows in patterns(~out.isnan()):
            gain, offset, _ = self.conditional(known, noise)
            x = cells.numbers[rows][:, known]
            mean = sum(responsibilities[rows, k, None] * (x @ gain[k].T + offset[k]) for k in range(len(self.weights)))
            out[rows] = torch.where(known, mean, out[rows])
        return out


@dataclass(frozen=True)
class Moments(Statistic):
    """What records say about a mixture: it adds over records.

    Attributes:
        mass: (K,) responsibilities.
        seen: (K, d) responsibilities of records whose number is known; only diagonal covariances use it.
        first: (K, d) responsibility-weighted sums of the numbers.
        second: (K, d, d) of their products, or (K, d) of their squares.
        counts: (K, L) of the levels.
        holes: (K, h) of the holes.
        score: () weighted sum of log densities; weight: () of the records.
    """

    mass: Tensor
    seen: Tensor
    first: Tensor
    second: Tensor
    counts: Tensor
    holes: Tensor
    score: Tensor
    weight: Tensor

    @classmethod
    def of(cls, mixture: Mixture, cells: Cells, responsibilities: Tensor, score: Tensor, weights: Tensor) -> Self:
        """The moments of records, with what is not known replaced by its expectation under `mixture`."""
        r = responsibilities * weights[:, None]
        moments = _diagonal_moments if mixture.diagonal else _full_moments
        seen, first, second = moments(mixture, cells.numbers, r)
        return cls(
            r.sum(0), seen, first, second, _counts(mixture, cells.codes, r), r.T @ cells.holes.to(r.dtype),
            (score * weights).sum(), weights.sum(),
        )  # fmt: skip


def _full_moments(mixture: Mixture, x: Tensor, r: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    first, second = torch.zeros_like(mixture.means), torch.zeros_like(mixture.covariances)
    for known, rows in patterns(~x.isnan()):
        part, share = x[rows][:, known], r[rows]
        s0, s1 = share.sum(0), share.T @ part
        s2 = torch.stack([(part * share[:, [k]]).T @ part for k in range(share.shape[1])])
        s2 += s0[:, None, None] * torch.diag(mixture.grid[known] ** 2 / 12)
        if known.all():
            first, second = first + s1, second + s2
            continue
        # E[x xᵀ | x_o] is quadratic in x_o, so that sums over the records of a pattern are enough
        gain, offset, covariance = mixture.conditional(known)
        mean = (gain @ s1[:, :, None]).squeeze(2)
        cross = mean[:, :, None] * offset[:, None]
        first = first + mean + s0[:, None] * offset
        second = second + gain @ s2 @ gain.mT + cross + cross.mT
        second = second + s0[:, None, None] * (offset[:, :, None] * offset[:, None] + covariance)
    return torch.zeros_like(mixture.means), first, second


def _diagonal_moments(mixture: Mixture, x: Tensor, r: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    known = (~x.isnan()).to(r.dtype)
    x = x.nan_to_num()
    seen = r.T @ known
    return seen, r.T @ x, r.T @ x**2 + seen * mixture.grid**2 / 12


def _counts(mixture: Mixture, codes: Tensor, r: Tensor) -> Tensor:
    counts = torch.zeros_like(mixture.tables)
    for f, start in enumerate(mixture.starts):
        # one spare row takes what is not known
        rows = torch.zeros(mixture.levels[f] + 1, r.shape[1], dtype=r.dtype, device=r.device)
        rows.index_add_(0, codes[:, f].remainder(mixture.levels[f] + 1), r)
        counts[:, start : start + mixture.levels[f]] = rows[:-1].T
    return counts


def solve(moments: Moments, before: Mixture, ridge: float, smoothing: float) -> Mixture:
    """The mixture that fits the moments best; a component that no record belongs to stays where it was.

    Args:
        moments: of all records.
        before: the mixture that the moments were taken under.
        ridge: added to the variances.
        smoothing: pseudo-counts given to each factor, spread evenly over its levels.
    """
    alive = moments.mass > 1e-8 * moments.mass.sum()
    mass = moments.mass.clamp_min(1e-300)[:, None]
    if before.diagonal:
        seen = moments.seen.clamp_min(1e-300)
        means = torch.where(moments.seen > 0, moments.first / seen, before.means)
        spread = torch.where(moments.seen > 0, moments.second / seen - means**2, before.covariances - ridge)
        covariances = spread.clamp_min(0) + ridge
    else:
        means = moments.first / mass
        covariances = moments.second / mass[:, :, None] - means[:, :, None] * means[:, None]
        covariances = (covariances + covariances.mT) / 2 + ridge * torch.eye(means.shape[1]).to(means)
    means = torch.where(alive[:, None], means, before.means)
    shape = (-1, *[1] * (covariances.ndim - 1))
    covariances = torch.where(alive.view(shape), covariances, before.covariances)
    tables = before.tables.clone()
    for f, start in enumerate(before.starts):
        n = before.levels[f]
        rows = moments.counts[:, start : start + n] + smoothing / n
        tables[:, start : start + n] = rows / rows.sum(1, keepdim=True)
    weights = (moments.mass / moments.mass.sum()).clamp_min(1e-300)
    return Mixture(weights / weights.sum(), means, covariances, tables, before.levels, before.grid)


def patterns(known: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The different rows of an (n, d) mask, each with the positions of the records that have it."""
    if known.shape[1] == 0 or bool(known.all()):
        yield (
            torch.ones_like(known[0]) if len(known) else known.new_ones(known.shape[1]),
            torch.arange(len(known), device=known.device),
        )
        return
    packed = np.packbits(known.cpu().numpy(), axis=1)
    keys = np.ascontiguousarray(packed).view([("", packed.dtype)] * packed.shape[1])[:, 0]
    _, which = np.unique(keys, return_inverse=True)
    order = np.argsort(which, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(which))[:-1]):
        at = torch.from_numpy(rows).to(known.device)
        yield known[rows[0]], at


def safe_cholesky(covariance: Tensor) -> Tensor:
    """A root of a covariance that may be singular to rounding."""
    root, failed = torch.linalg.cholesky_ex(covariance)
    if not bool(failed.any()):
        return root
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(0).sqrt()[..., None, :]
