"""One variance for each component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances.diagonal import Diagonal
from pushforward.mixtures.covariances.kind import alive
from pushforward.mixtures.covariances.shrunk import shrunk
from pushforward.mixtures.prior import Prior


@dataclass(frozen=True)
class Spherical(Diagonal):
    """Σ_k = σ²_k I, in units of each number's own.

    Attributes:
        covariances: (K, d), the same in each row.
    """

    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        seen, first, second = moments
        here = alive(mass)[:, None] & (seen > 0)
        after = torch.where(here, first / seen.clamp_min(1e-300), means)
        total = seen.sum(1, keepdim=True)
        spread = (second - 2 * first * after + seen * after**2).sum(1, keepdim=True) / total.clamp_min(1e-300)
        known = alive(mass)[:, None] & (total > 0)
        spread = shrunk(spread.clamp_min(0), total / max(1, means.shape[1]), prior.shrinkage) + prior.ridge
        return after, type(self)(torch.where(known, spread, self.covariances))
