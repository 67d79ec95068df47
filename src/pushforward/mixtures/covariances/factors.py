"""A few factors for each component, and a variance for each number: mixtures of factor analysers.

Σ_k = Λ_k Λ_kᵀ + Ψ_k with Λ_k (d, q) and Ψ_k diagonal (Ghahramani, Hinton 1996, The EM algorithm for mixtures of factor
analyzers, technical report CRG-TR-96-1, Toronto). With M = I + Λᵀ Ψ⁻¹ Λ (q, q), Woodbury's identity

    Σ⁻¹ = Ψ⁻¹ - Ψ⁻¹ Λ M⁻¹ Λᵀ Ψ⁻¹,    log |Σ| = log |M| + log |Ψ|

keeps every matrix as small as the factors: no (d, d) is ever formed. The latent z of a record has posterior mean
M⁻¹ Λᵀ Ψ⁻¹ (x - μ) and covariance M⁻¹, and the M-step is a regression of x on (z, 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances.factors_holed import Holed, products
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
from pushforward.mixtures.patterns import complete
from pushforward.mixtures.prior import Prior
from pushforward.training.randomness import generator as seeded

ROWS = 2048
TURNS = 8  # of the subspace iteration that the start is found by


@dataclass(frozen=True)
class Factors(Covariances):
    """Σ_k = Λ_k Λ_kᵀ + Ψ_k.

    Attributes:
        loadings: (K, d, q) Λ.
        noise: (K, d) diagonals of Ψ.
    """

    loadings: Tensor
    noise: Tensor

    @classmethod
    def shapes(cls, components: int, d: int, factors: int) -> dict[str, tuple[int, ...]]:
        return {"loadings": (components, d, factors), "noise": (components, d)}

    @classmethod
    def even(cls, components: int, d: int, factors: int) -> Self:
        shapes = cls.shapes(components, d, factors)
        return cls(
            torch.zeros(shapes["loadings"], dtype=torch.float64), torch.ones(shapes["noise"], dtype=torch.float64)
        )

    def parts(self, means: Tensor, wide: Tensor, x: Tensor, *, fast: bool) -> Iterator[tuple[Part, Rows]]:
        part: Known | Holed
        if complete(x):
            part = Known(self.loadings, self.noise, means, wide)
            size = max(64, min(ROWS, BLOCK // max(1, self.loadings.shape[0] * self.loadings.shape[2])))
        else:
            part = Holed(self.loadings, self.noise, means, wide)
            size = max(1, BLOCK // max(1, self.loadings.shape[0] * (1 + self.loadings.shape[2]) ** 2))
        yield from ((part, rows) for rows in blocks(len(x), size))

    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        cross, latent, square = moments  # (K, d, q+1), (K, q+1, q+1), (K, d)
        here = alive(mass)[:, None]
        tiny = 1e-12 * torch.diag_embed(latent.diagonal(dim1=1, dim2=2).clamp_min(1e-300))  # where factors say the same
        both = torch.linalg.solve(latent + tiny, cross.mT).mT  # (K, d, q+1)
        # the residual of the regression, written so that it holds for any coefficients
        rest = square - 2 * (both * cross).sum(2) + ((both @ latent) * both).sum(2)
        noise = (rest / mass.clamp_min(1e-300)[:, None]).clamp_min(0)
        noise = shrunk(noise, mass[:, None], prior.shrinkage) + prior.ridge
        loadings = torch.where(here[:, :, None], both[:, :, :-1], self.loadings)
        kind = type(self)(loadings.contiguous(), torch.where(here, noise, self.noise))
        return torch.where(here, both[:, :, -1], means), kind

    def started(self, x: Tensor, labels: Tensor, means: Tensor, seed: int) -> Self:
        """Principal components of each cluster: without some loadings to begin with, EM finds none."""
        loadings, noise = self.loadings.clone(), self.noise.clone()
        k, d, q = loadings.shape
        for i in range(k):
            c = (x[labels == i] - means[i]).nan_to_num()
            if len(c) < 2 or q == 0:
                continue
            basis = normals(d, min(q + 4, d), x, seeded(seed, i, device=x.device))
            for _ in range(TURNS):  # subspace iteration: products with the data alone, of which none is (d, d)
                basis = torch.linalg.qr(c.T @ (c @ basis))[0]
            _, values, right = torch.linalg.svd(c @ basis, full_matrices=False)
            values, top = values.square() / len(c), (basis @ right.mT)[:, :q]
            rest = (noise[i].sum() - values[:q].sum()).clamp_min(0) / max(1, d - q)
            n = min(q, len(values))
            loadings[i, :, :n] = top[:, :n] * (values[:n] - rest).clamp_min(0).sqrt()
            left = self.noise[i] - loadings[i].square().sum(1)
            noise[i] = torch.maximum(left, 0.05 * self.noise[i])
        return type(self)(loadings, noise)

    def widened(self, factor: float) -> Self:
        return type(self)(factor**0.5 * self.loadings, factor * self.noise)

    def variances(self) -> Tensor:
        return self.loadings.square().sum(2) + self.noise

    def columns(self, which: list[int]) -> Tensor:
        out = self.loadings @ self.loadings[:, which].mT
        for j, column in enumerate(which):
            out[:, column, j] += self.noise[:, column]
        return out

    def smallest(self) -> tuple[Tensor, Tensor]:
        least, where = self.variances().min(1)
        return least, torch.nn.functional.one_hot(where, self.noise.shape[1]).to(least)

    def latents(self, c: Tensor, chosen: Tensor) -> Tensor:
        """(n, q) posterior means of the latents of the chosen components, given what is known of x - μ."""
        return self._latents(c, chosen)[0]

    def _latents(self, c: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and c / ψ with 0 where c is not known."""
        known, q = (~c.isnan()).to(c.dtype), self.loadings.shape[2]
        scaled = (c / self.noise[chosen]).nan_to_num()
        out = c.new_zeros(len(c), q)
        for k, rows in each(chosen):
            pairs = products(self.loadings[k], self.loadings[k] / self.noise[k][:, None])
            for piece in rows.split(max(1, BLOCK // max(1, q * q))):
                inner = (known[piece] @ pairs).view(-1, q, q) + torch.eye(q).to(c)
                slope = scaled[piece] @ self.loadings[k]
                out[piece] = torch.cholesky_solve(slope[:, :, None], torch.linalg.cholesky(inner)).squeeze(2)
        return out, scaled

    def solved(self, c: Tensor, chosen: Tensor) -> Tensor:
        z, scaled = self._latents(c, chosen)
        lift = torch.empty_like(c)
        for k, rows in each(chosen):
            lift[rows] = z[rows] @ self.loadings[k].T / self.noise[k]
        return scaled - lift.where(~c.isnan(), 0.0)

    def times(self, z: Tensor, chosen: Tensor) -> Tensor:
        out = z * self.noise[chosen]
        for k, rows in each(chosen):
            out[rows] += z[rows] @ self.loadings[k] @ self.loadings[k].T
        return out

    def draw(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        _, d, q = self.loadings.shape
        latent = normals(len(chosen), q, self.noise, generator)
        out = self.noise[chosen].sqrt() * normals(len(chosen), d, self.noise, generator)
        for k, rows in each(chosen):
            out[rows] += latent[rows] @ self.loadings[k].T
        return out

    def plus(self, noise: Tensor) -> Self:
        return type(self)(self.loadings, self.noise + noise)

    def minus(self, noise: Tensor) -> Self:
        return type(self)(self.loadings, self.noise - torch.minimum(noise, 0.999 * self.noise))


class Known:
    """Records without a hole."""

    def __init__(self, loadings: Tensor, noise: Tensor, means: Tensor, wide: Tensor):
        k, d, q = loadings.shape
        self._means, self._wide, self._shape = means, wide, (k, q)
        self._precisions = 1 / noise
        self._slope = means / noise
        scaled = loadings / noise[:, :, None]
        root = torch.linalg.cholesky(torch.eye(q).to(noise) + loadings.mT @ scaled)
        self._inverse = torch.linalg.solve_triangular(root, torch.eye(q).to(noise).expand_as(root), upper=False)
        flat = scaled @ self._inverse.mT  # (K, d, q), so that y = flatᵀ (x - μ) has |y|² = cᵀ Ψ⁻¹ Λ M⁻¹ Λᵀ Ψ⁻¹ c
        self._flat = flat.permute(1, 0, 2).reshape(d, k * q)
        self._shift = (means[:, None] @ flat).reshape(1, k * q)
        self._beta = flat @ self._inverse  # (K, d, q): E[z] = betaᵀ (x - μ)
        constant = d * LOG_2PI + noise.log().sum(1) + 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
        constant = constant + (means * self._slope).sum(1)
        self._constant = constant + (self._precisions - flat.square().sum(2)) @ wide

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        k, q = self._shape
        square = x.square()
        y = (x @ self._flat - self._shift).view(-1, k, q)
        log = self._precisions @ square.T - 2 * self._slope @ x.T + self._constant[:, None] - y.square().sum(2).T
        return -0.5 * log, lambda r: self._moments(x, square, y, r)

    def _moments(self, x: Tensor, square: Tensor, y: Tensor, r: Tensor) -> tuple[Tensor, ...]:
        k, q = self._shape
        s0 = r.sum(1)
        z = y.permute(1, 0, 2) @ self._inverse  # (K, b, q)
        weighted = z * r[:, :, None]
        cross = (x.T @ weighted.permute(1, 0, 2).reshape(-1, k * q)).view(x.shape[1], k, q).permute(1, 0, 2)
        latent = weighted.mT @ z + s0[:, None, None] * (self._inverse.mT @ self._inverse)
        mean = weighted.sum(1)
        if bool(self._wide.any()):  # a record is spread over its cell, and its latent follows
            spread = self._beta * self._wide[:, None]
            cross = cross + s0[:, None, None] * spread
            latent = latent + s0[:, None, None] * (self._beta.mT @ spread)
        top = torch.cat([latent, mean[:, :, None]], 2)
        low = torch.cat([mean, s0[:, None]], 1)
        both = torch.cat([top, low[:, None]], 1)
        first = r @ x
        return torch.cat([cross, first[:, :, None]], 2), both, r @ square + s0[:, None] * self._wide
