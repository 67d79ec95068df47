"""Quadratic forms of many components at once, as one matrix product.

φ(x) = (x_i x_j for i ≤ j, x, 1) makes -½ (x-μ)ᵀ A (x-μ) + c linear in φ: log densities of K components are P φ, one
product with a (K, d(d+1)/2 + d + 1) matrix, and the responsibility-weighted sums of 1, x and x xᵀ are R φᵀ, another.
Between them each record is touched once, in the cache.
"""

from __future__ import annotations

import torch
from torch import Tensor


def count(d: int) -> int:
    """How many features d numbers have."""
    return d * (d + 1) // 2 + d + 1


def features(x: Tensor, out: Tensor | None = None) -> Tensor:
    """(F, b) of (b, d) numbers; written into `out` (F, at least b) if there is one."""
    b, d = x.shape
    out = x.new_empty(count(d), b) if out is None else out
    phi = out[:, :b]
    linear = phi[-d - 1 : -1]
    linear.copy_(x.T)
    start = 0
    for i in range(d):
        torch.mul(linear[i], linear[i:], out=phi[start : start + d - i])
        start += d - i
    phi[-1] = 1
    return phi


def coefficients(precisions: Tensor, means: Tensor, constants: Tensor) -> Tensor:
    """(K, F) P with P φ(x) = constants - ½ (x-μ)ᵀ A (x-μ), for symmetric precisions (K, d, d)."""
    d = means.shape[1]
    rows, columns = torch.triu_indices(d, d, device=means.device)
    square = -precisions[:, rows, columns] * torch.where(rows == columns, 0.5, 1.0).to(means)
    slope = (precisions @ means[:, :, None]).squeeze(2)
    return torch.cat([square, slope, (constants - 0.5 * (slope * means).sum(1))[:, None]], 1)


def sums(weighted: Tensor, d: int) -> tuple[Tensor, Tensor, Tensor]:
    """(K,), (K, d) and (K, d, d) sums of 1, x and x xᵀ out of R φᵀ (K, F)."""
    second = weighted.new_empty(len(weighted), d, d)
    rows, columns = torch.triu_indices(d, d, device=weighted.device)
    second[:, rows, columns] = weighted[:, : len(rows)]
    second[:, columns, rows] = weighted[:, : len(rows)]
    return weighted[:, -1], weighted[:, -d - 1 : -1], second
