"""Records that each have a pattern of holes of their own: one small system a record and component, all at once.

A hole is a row and column of the identity in place of those of Σ, so that all systems have one size and go through one
batched factorisation. With P = Σ_oo⁻¹ padded by zeros and z = P (x - μ), the expectation of x is μ + Σ z and its
covariance Σ - Σ P Σ: sums of P, z and z zᵀ over the records are enough.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.mixtures.covariances.kind import BLOCK, LOG_2PI, Finish


class Holed:
    """A part (see `kind.Part`) for records whose holes have nothing in common.

    Args:
        covariances: (K, d, d), or (1, d, d) for all components.
        pooled: what is handed on of the sums (K, d) and (K, d, d).
        means, wide: (K, d) and (d,).
    """

    def __init__(self, covariances: Tensor, pooled: Callable[..., tuple[Tensor, ...]], means: Tensor, wide: Tensor):
        self._covariances, self._pooled, self._means, self._wide = covariances, pooled, means, wide
        self.rows = max(1, BLOCK // max(1, means.shape[1] * means.numel()))

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        known = ~x.isnan()
        root = _roots(self._covariances[:, None], known)  # (Kc, b, d, d)
        inverse = torch.cholesky_inverse(root) * (known[:, :, None] & known[:, None])
        c = torch.where(known, x - self._means[:, None], 0.0)  # (K, b, d)
        z = (inverse @ c[..., None]).squeeze(3)
        log = -0.5 * ((c * z).sum(2) + known.to(x).sum(1) * LOG_2PI + inverse.diagonal(dim1=2, dim2=3) @ self._wide)
        log = log - root.diagonal(dim1=2, dim2=3).log().sum(2)

        def finish(r: Tensor) -> tuple[Tensor, ...]:
            full, mu, s0 = self._covariances, self._means, r.sum(1)
            zr = z * r[:, :, None]
            z1, z2 = zr.sum(1), zr.mT @ z
            flat = inverse.flatten(2)  # (Kc, b, d²)
            p1 = (r[:, None] @ flat).view(-1, *full.shape[1:])
            if bool(self._wide.any()):  # what is known is spread over its cell, and carries that over to the rest
                spread = (inverse * self._wide @ inverse).flatten(2)
                z2 = z2 + (r[:, None] @ spread).view_as(p1)
            lift = (full @ z1[:, :, None]).squeeze(2)
            first = s0[:, None] * mu + lift
            mixed = mu[:, :, None] * lift[:, None]
            second = s0[:, None, None] * (mu[:, :, None] * mu[:, None] + full) + mixed + mixed.mT
            return self._pooled(first, second + full @ (z2 - p1) @ full)

        return log, finish


def solved(covariances: Tensor, c: Tensor) -> Tensor:
    """(b, d) Σ_oo⁻¹ c_o, for a matrix a record (b, d, d), 0 where c is not known."""
    known = ~c.isnan()
    out = torch.cholesky_solve(c.nan_to_num()[:, :, None], _roots(covariances, known))
    return out.squeeze(2) * known


def _roots(covariances: Tensor, known: Tensor) -> Tensor:
    """Cholesky factors, with the identity where a number is not known."""
    both = (known[:, :, None] & known[:, None]).to(covariances)
    padded = covariances * both + torch.diag_embed((~known).to(covariances))
    root, failed = torch.linalg.cholesky_ex(padded)
    if bool(failed.any()):  # singular to rounding
        slight = 1e-10 * padded.diagonal(dim1=-2, dim2=-1) * (failed > 0)[..., None]
        root = torch.linalg.cholesky(padded + torch.diag_embed(slight))
    return root
