"""The E-step of factor analysers for records with holes, each with a pattern of its own.

M = I + Λᵀ Ψ_o⁻¹ Λ differs from record to record, but is linear in the mask of what is known: one matrix product gives
all of them. The same holds, the other way round, for the moments of what is not known.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.mixtures.covariances.kind import LOG_2PI, Finish


class Holed:
    """A part (see `kind.Part`) for records with holes."""

    def __init__(self, loadings: Tensor, noise: Tensor, means: Tensor, wide: Tensor):
        self._loadings, self._noise, self._means, self._wide = loadings, noise, means, wide
        k, d, q = self._shape = loadings.shape
        self._scaled = loadings / noise[:, :, None]
        self._pairs = products(self._scaled, loadings).permute(1, 0, 2).reshape(d, k * q * q)
        spread = products(self._scaled, self._scaled * wide[:, None])
        self._spread = spread.permute(1, 0, 2).reshape(d, k * q * q) if bool(wide.any()) else None

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        k, d, q = self._shape
        known = (~x.isnan()).to(x.dtype)
        x = x.nan_to_num()
        inner = (known @ self._pairs).view(-1, k, q, q) + torch.eye(q).to(x)
        root = torch.linalg.cholesky(inner)
        inverse = torch.cholesky_inverse(root) if q else inner
        flat = self._scaled.permute(1, 0, 2).reshape(d, k * q)
        drop = (self._scaled * self._means[:, :, None]).permute(1, 0, 2).reshape(d, k * q)
        slope = (x @ flat - known @ drop).view(-1, k, q)
        z = (inverse @ slope[..., None]).squeeze(3)  # (b, K, q)
        precisions, means = 1 / self._noise, self._means
        constant = LOG_2PI + self._noise.log() + precisions * (means.square() + self._wide)
        quadratic = x.square() @ precisions.T - 2 * x @ (means * precisions).T + known @ constant.T
        log = quadratic - (slope * z).sum(2) + 2 * root.diagonal(dim1=2, dim2=3).log().sum(2)
        spread = None
        if self._spread is not None:  # a record is spread over the cells of its numbers, and its latent follows
            inside = (known @ self._spread).view(-1, k, q, q)
            log = log - (inverse * inside).sum((2, 3))
            spread = inverse @ inside @ inverse
        return -0.5 * log.T, lambda r: self._moments(x, known, z, inverse, spread, r.T)

    def _moments(
        self, x: Tensor, known: Tensor, z: Tensor, inverse: Tensor, spread: Tensor | None, r: Tensor
    ) -> tuple[Tensor, ...]:
        k, d, q = self._shape
        # E[(z, 1) (z, 1)ᵀ] of each record and component, times its responsibility
        second = z[..., :, None] * z[..., None, :] + inverse + (0 if spread is None else spread)
        top = torch.cat([second, z[..., None]], 3)
        low = torch.cat([z, torch.ones_like(z[..., :1])], 2)[:, :, None]
        both = torch.cat([top, low], 2) * r[:, :, None, None]  # (b, K, q+1, q+1)
        gone = ((1 - known).T @ both.flatten(1)).view(d, k, q + 1, q + 1).permute(1, 0, 2, 3)
        weighted = low.squeeze(2) * r[:, :, None]
        cross = (x.T @ weighted.flatten(1)).view(d, k, q + 1).permute(1, 0, 2)
        square = r.T @ x.square() + (r.T @ known) * self._wide
        if spread is not None:
            tilt = (known.T @ (inverse * r[:, :, None, None]).flatten(1)).view(d, k, q, q).permute(1, 0, 2, 3)
            tilted = (tilt @ self._scaled[..., None]).squeeze(3) * self._wide[:, None]
            cross = cross + torch.nn.functional.pad(tilted, (0, 1))
        # what is not known is Λ z + μ and noise
        whole = torch.cat([self._loadings, self._means[:, :, None]], 2)  # (K, d, q+1)
        filled = (gone @ whole[..., None]).squeeze(3)
        square = square + (filled * whole).sum(2) + gone[..., -1, -1] * self._noise
        return cross + filled, both.sum(0), square


def products(one: Tensor, other: Tensor) -> Tensor:
    """(…, d, q²) all products of the columns, row by row."""
    return (one[..., :, None] * other[..., None, :]).flatten(-2)
