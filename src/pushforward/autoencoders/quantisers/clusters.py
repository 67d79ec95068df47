"""Centres of clusters, to begin a codebook with."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 10
MOST = 4096  # centres that are chosen far apart; more are chosen at random, since that costs time squared
TOGETHER = 1 << 24  # distances that stand in memory at once


def nearest(x: Tensor, centres: Tensor) -> Tensor:
    """(n, d), (k, d) → (n,) which centre is nearest."""
    rows = max(1, TOGETHER // len(centres))
    with torch.autocast(x.device.type, enabled=False):  # half precision cannot tell near centres apart
        square = centres.square().sum(1)
        # |x|² is the same for all centres, so it is left out
        return torch.cat([(square - 2 * part @ centres.T).argmin(1) for part in x.split(rows)])


def clusters(x: Tensor, k: int, generator: torch.Generator, rounds: int = ROUNDS) -> Tensor:
    """(k, d) centres of (n, d) points by k-means, begun far apart (Arthur, Vassilvitskii 2007).

    A centre that has no point is put on one; with fewer points than centres, points are centres more than once.

    >>> x = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    >>> clusters(x, 2, torch.Generator().manual_seed(0)).sort(0).values.flatten()
    tensor([0.0500, 5.0500])
    """
    centres = _apart(x, k, generator) if k <= min(MOST, len(x)) else _any(x, k, generator)
    for _ in range(rounds):
        which = nearest(x, centres)
        count = torch.bincount(which, minlength=k).to(x)
        total = torch.zeros_like(centres).index_add_(0, which, x)
        means = total / count.clamp_min(1)[:, None]
        centres = torch.where(count[:, None] > 0, means, _any(x, k, generator))
    return centres


def _any(x: Tensor, k: int, generator: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (k,), generator=generator, device=x.device)]


def _apart(x: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Points, each drawn in proportion to its squared distance from those before."""
    first = torch.randint(len(x), (1,), generator=generator, device=x.device)
    chosen, far = [first], (x - x[first]).square().sum(1)
    for _ in range(k - 1):
        # all points may be centres already; then any will do
        new = torch.multinomial(far + 1e-12, 1, generator=generator)
        chosen.append(new)
        far = torch.minimum(far, (x - x[new]).square().sum(1))
    return x[torch.cat(chosen)]
