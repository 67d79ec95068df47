"""A covariance matrix for each component."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances import features
from pushforward.mixtures.covariances.holed import Holed, solved
from pushforward.mixtures.covariances.kind import (
    BLOCK,
    LOG_2PI,
    Covariances,
    Finish,
    Part,
    Rows,
    alive,
    blocks,
    each,
    normals,
)
from pushforward.mixtures.covariances.shrunk import shrunk
from pushforward.mixtures.patterns import complete, grouped
from pushforward.mixtures.prior import Prior

CACHED = 320_000  # features that stay in the cache
ROWS = 8192  # records in a block, at most
NARROW = 48  # numbers up to which features pay
OFTEN = 24  # records that a pattern of holes must have to be worth a factorisation of its own
HALVINGS = 20  # of what is taken away, until what is left is positive definite
LOSS = 1e-8  # nats that features may lose to rounding


@dataclass(frozen=True)
class Full(Covariances):
    """Σ_k, any symmetric positive definite matrices.

    Attributes:
        covariances: (K, d, d); (1, d, d) where all components share one.
    """

    covariances: Tensor

    @classmethod
    def shapes(cls, components: int, d: int, factors: int) -> dict[str, tuple[int, ...]]:
        return {"covariances": (components, d, d)}

    @classmethod
    def even(cls, components: int, d: int, factors: int) -> Self:
        (shape,) = cls.shapes(components, d, factors).values()
        return cls(torch.eye(d, dtype=torch.float64).expand(shape).contiguous())

    def parts(self, means: Tensor, wide: Tensor, x: Tensor, *, fast: bool) -> Iterator[tuple[Part, Rows]]:
        if complete(x):
            known = torch.ones(x.shape[1], dtype=torch.bool, device=x.device)
            part = _Known(self, means, wide, known, fast)
            yield from ((part, rows) for rows in blocks(len(x), part.rows))
            return
        groups, rest = grouped(~x.isnan(), OFTEN)
        for known, members in groups:
            part = _Known(self, means, wide, known, fast)
            yield from ((part, rows) for rows in members.split(part.rows))
        if len(rest):
            holed = Holed(self.covariances, self.pooled, means, wide)
            yield from ((holed, rows) for rows in rest.split(holed.rows))

    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        first, second = moments
        here, share = alive(mass)[:, None], mass.clamp_min(1e-300)[:, None]
        after = torch.where(here, first / share, means)
        spread = second / share[:, :, None] - after[:, :, None] * after[:, None]
        spread = ridged(shrunk(spread, mass[:, None], prior.shrinkage), prior.ridge)
        spread = torch.where(here[:, :, None], spread, self.covariances)
        return after, type(self)(spread)

    def variances(self) -> Tensor:
        return self.covariances.diagonal(dim1=1, dim2=2)

    def columns(self, which: list[int]) -> Tensor:
        return self.covariances[:, :, which]

    def smallest(self) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(self.covariances)
        return values[:, 0], vectors[:, :, 0]

    def solved(self, c: Tensor, chosen: Tensor) -> Tensor:
        out = torch.zeros_like(c)
        groups, rest = grouped(~c.isnan(), OFTEN)
        for known, members in groups:
            root = torch.linalg.cholesky(self.covariances[:, known][:, :, known])
            at = known.nonzero()[:, 0]
            for k, rows in each(chosen[members]) if len(at) else ():
                rows = members[rows]
                out[rows[:, None], at] = torch.cholesky_solve(c[rows[:, None], at].T, root[self.at(k)]).T
        for rows in rest.split(max(1, BLOCK // max(1, c.shape[1] ** 2))):
            out[rows] = solved(self.covariances[self.at(chosen[rows])], c[rows])
        return out

    def times(self, z: Tensor, chosen: Tensor) -> Tensor:
        out = torch.empty_like(z)
        for k, rows in each(chosen):
            out[rows] = z[rows] @ self.covariances[self.at(k)]
        return out

    def draw(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        noise = normals(len(chosen), self.covariances.shape[1], self.covariances, generator)
        root = safe_cholesky(self.covariances)
        out = torch.empty_like(noise)
        for k, rows in each(chosen):
            out[rows] = noise[rows] @ root[self.at(k)].T
        return out

    def plus(self, noise: Tensor) -> Self:
        return type(self)(self.covariances + torch.diag(noise))

    def minus(self, noise: Tensor) -> Self:
        less = torch.minimum(noise, 0.999 * self.variances())
        for _ in range(HALVINGS):  # less in every number is not yet less in every direction
            out = self.covariances - torch.diag_embed(less)
            values = torch.linalg.eigvalsh(out)
            short = values[:, 0] <= 1e-12 * values[:, -1]
            if not bool(short.any()):
                return type(self)(out)
            less = torch.where(short[:, None], less / 2, less)
        return type(self)(torch.where(short[:, None, None], self.covariances, out))

    def at(self, k: Any) -> Any:
        """Where the covariance of a component, or of several, stands."""
        return k

    def pooled(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Of the sums (K, d) and (K, d, d) what `solve` wants."""
        return first, second


class _Known:
    """Records of which the same numbers are known, all of them as a rule.

    Log densities come from the features (see `features`) where they are exact enough, else from whitened numbers
    y = Wᵀ(x - μ) with W Wᵀ = Σ⁻¹, which costs twice as much but loses nothing to cancellation.
    """

    def __init__(self, kind: Full, means: Tensor, wide: Tensor, known: Tensor, fast: bool):
        self._all = bool(known.all())
        self._known, self._means, self._kind, self._wide = known, means, kind, wide[known]
        self._mu = means[:, known]
        inner = kind.covariances[:, known][:, :, known]
        eye = torch.eye(inner.shape[1], dtype=inner.dtype, device=inner.device).expand_as(inner)
        self._root = torch.linalg.solve_triangular(torch.linalg.cholesky(inner), eye, upper=False).mT
        steep = self._root.square().sum(2)  # (K, o) diagonal of the precisions
        constant = -0.5 * (len(self._wide) * LOG_2PI + steep @ self._wide)
        self._constant = constant + self._root.diagonal(dim1=1, dim2=2).log().sum(1)
        self._narrow, self._coefficients = inner.shape[1] <= NARROW, None
        self._held = threading.local()  # memory that each thread uses again: to map it anew takes as long as to fill it
        if fast and self._narrow:
            self._steep = float(steep.sum(1).amax()) if steep.numel() else 0.0
            precisions = (self._root @ self._root.mT).expand(len(means), -1, -1)
            self._coefficients = features.coefficients(precisions, self._mu, self._constant)
        wide_enough = BLOCK // max(1, self._mu.numel())
        cached = CACHED // features.count(inner.shape[1])
        self.rows = min(ROWS, cached) if self._narrow else max(64, min(wide_enough, ROWS))

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        x = x if self._all else x[:, self._known]
        o, phi, log = x.shape[1], None, None
        if self._coefficients is not None:
            phi = features.features(x, self._buffer(len(x)))
            # what rounding may take from a quadratic form whose terms cancel
            if 2.0**-53 * self._steep * (float(x.square().amax()) if x.numel() else 0.0) * o < LOSS:
                log = self._coefficients @ phi
        if log is None:
            y = x @ self._root - self._mu[:, None] @ self._root  # (K, b, o)
            log = self._constant[:, None] - 0.5 * y.square_().sum(2)

        def finish(r: Tensor) -> tuple[Tensor, ...]:
            if self._narrow:
                return self._spread(*features.sums(r @ (features.features(x) if phi is None else phi).T, o))
            second = torch.stack([(x * share[:, None]).T @ x for share in r])
            return self._spread(r.sum(1), r @ x, second)

        return log, finish

    def _buffer(self, b: int) -> Tensor:
        if not hasattr(self._held, "features") or self._held.features.shape[1] < b:
            self._held.features = self._mu.new_empty(features.count(self._mu.shape[1]), b)
        return self._held.features

    def _spread(self, s0: Tensor, s1: Tensor, s2: Tensor) -> tuple[Tensor, ...]:
        """Sums over known numbers as sums over all: E[x xᵀ | x_o] is quadratic in x_o, so that they are enough."""
        s2 = s2 + s0[:, None, None] * torch.diag(self._wide)
        if self._all:
            return self._kind.pooled(s1, s2)
        whole, known, mu = self._kind.covariances, self._known, self._mu
        cross = whole[:, known]  # (Kc, o, d)
        gain = (self._root @ (self._root.mT @ cross)).mT  # (Kc, d, o)
        rest = whole - gain @ cross
        rest[:, known] = 0  # what is known has no spread left; rounding shall not give it one
        rest[:, :, known] = 0
        gain = gain.clone()
        gain[:, known] = torch.eye(len(self._wide), dtype=gain.dtype, device=gain.device)
        offset = self._means - (gain @ mu[:, :, None]).squeeze(2)
        mean = (gain @ s1[:, :, None]).squeeze(2)
        mixed = mean[:, :, None] * offset[:, None]
        first = mean + s0[:, None] * offset
        second = gain @ s2 @ gain.mT + mixed + mixed.mT
        second = second + s0[:, None, None] * (offset[:, :, None] * offset[:, None] + rest)
        return self._kind.pooled(first, second)


def ridged(spread: Tensor, ridge: float) -> Tensor:
    """Symmetric, and larger by the ridge on the diagonal."""
    return (spread + spread.mT) / 2 + ridge * torch.eye(spread.shape[1]).to(spread)


def safe_cholesky(covariance: Tensor) -> Tensor:
    """A root of a covariance that may be singular to rounding."""
    root, failed = torch.linalg.cholesky_ex(covariance)
    if not bool(failed.any()):
        return root
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(0).sqrt()[..., None, :]
