"""Probabilities that several numbers of a Gaussian lie within ranges, and draws of them that do.

One range has a closed form. Several that hang together are gone through one after the other, each given those before
(Geweke 1991; Hajivassiliou, McFadden 1998; Keane 1994): with Σ = L Lᵀ and x = μ + L e, the range of x_i is one of e_i
once e_1 … e_(i-1) are drawn, and the product of its probabilities has the probability of the box as its mean. The
mean is taken over POINTS quasi-random points, which are always the same, so that a probability is a function of its
arguments. Draws are chosen from CANDIDATES by these products as weights, which is exact as the candidates grow many.
Two ranges have a quadrature of their own (`pairs`), and draws by a table where the records know the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.mixtures import pairs, truncated
from pushforward.mixtures.covariances.kind import BLOCK, blocks

POINTS = 4096
CANDIDATES = 128


def log_box(means: Tensor, covariances: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(n, K) log P(low < x < high).

    Args:
        means: (n, K, l).
        covariances: (K, l, l).
        low, high: (l,).
    """
    if apart(covariances):
        deviation = covariances.diagonal(dim1=1, dim2=2).clamp_min(1e-300).sqrt()
        return truncated.log_interval((low - means) / deviation, (high - means) / deviation).sum(2)
    root = rooted(covariances)
    if means.shape[2] == 2:
        size = BLOCK // (2 * pairs.PANELS * means.shape[1])
        return torch.cat([pairs.log_pair(piece, root, low, high) for piece in means.split(max(1, size))])
    u = points(means.shape[2] - 1).to(means)
    pieces = []
    for rows in blocks(len(means), BLOCK // (POINTS * means.shape[1] * means.shape[2])):
        log, _ = _walk(means[rows, :, None], root[:, None], low, high, u, last=False)
        pieces.append(log.logsumexp(2) - math.log(POINTS))
    return torch.cat(pieces)


def draw_box(means: Tensor, covariances: Tensor, low: Tensor, high: Tensor, generator: torch.Generator) -> Tensor:
    """(n, l) draws of x given that low < x < high.

    Args:
        means: (n, l).
        covariances: (l, l).
        low, high: (l,).
    """
    n, size = means.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, dtype=means.dtype, device=means.device)

    if apart(covariances):
        deviation = covariances.diagonal().clamp_min(1e-300).sqrt()
        u = uniform(n, size)
        return means + deviation * truncated.draw((low - means) / deviation, (high - means) / deviation, u)
    root = rooted(covariances)
    if size == 2 and bool((means == means[:1]).all()):
        same = torch.zeros(n, dtype=torch.long, device=means.device)
        return pairs.draw_pairs(means[:1], root[None], same, low, high, uniform(n, 2))
    out = torch.empty_like(means)
    for rows in blocks(n, BLOCK // (CANDIDATES * size)):
        here = means[rows, None]
        u = uniform(len(here), CANDIDATES, size)
        log, x = _walk(here, root, low, high, u, last=True)
        share = (log - log.amax(1, keepdim=True)).exp().cumsum(1)
        pick = (share <= uniform(len(here), 1) * share[:, -1:]).sum(1).clamp_max(CANDIDATES - 1)
        out[rows] = x[torch.arange(len(here), device=x.device), pick]
    return out


def points(dimensions: int) -> Tensor:
    """(POINTS, dimensions) quasi-random points within the unit cube, which are Sobol's."""
    sobol = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=0)
    return sobol.draw(POINTS, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)


def _walk(means: Tensor, root: Tensor, low: Tensor, high: Tensor, u: Tensor, *, last: bool) -> tuple[Tensor, Tensor]:
    """Log weights (…) and draws (…, l) of x, number after number; the last one is drawn only where it is wanted."""
    size = means.shape[-1]
    drawn: list[Tensor] = []
    log: Tensor | float = 0.0
    for i in range(size):
        centre = means[..., i] + sum((root[..., i, j] * e for j, e in enumerate(drawn)), torch.zeros(()).to(means))
        a, b = ((bound[i] - centre) / root[..., i, i] for bound in (low, high))
        log = log + truncated.log_interval(a, b)
        if i < size - 1 or last:
            drawn.append(truncated.draw(a, b, u[..., i].expand_as(torch.broadcast_tensors(a, u[..., i])[0])))
    assert isinstance(log, Tensor)
    if not last:
        return log, means
    e = torch.stack(drawn, -1)
    return log, means + (root @ e[..., None]).squeeze(-1)


def rooted(covariances: Tensor) -> Tensor:
    """Cholesky factors of matrices that may be singular to rounding."""
    diagonal = covariances.diagonal(dim1=-2, dim2=-1)
    return torch.linalg.cholesky(covariances + torch.diag_embed(1e-13 * diagonal.abs().clamp_min(1e-300)))


def apart(covariances: Tensor) -> bool:
    """Whether no number tells of another."""
    off = covariances - torch.diag_embed(covariances.diagonal(dim1=-2, dim2=-1))
    return not bool(off.any())
