"""One covariance matrix that all components share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances.full import Full, ridged
from pushforward.mixtures.covariances.kind import alive
from pushforward.mixtures.covariances.shrunk import towards_diagonal
from pushforward.mixtures.prior import Prior


@dataclass(frozen=True)
class Tied(Full):
    """Σ_k = Σ: what is learned is within the components, pooled, as in linear discriminant analysis.

    Attributes:
        covariances: (1, d, d).
    """

    @classmethod
    def shapes(cls, components: int, d: int, factors: int) -> dict[str, tuple[int, ...]]:
        return {"covariances": (1, d, d)}

    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        first, second = moments
        after = torch.where(alive(mass)[:, None], first / mass.clamp_min(1e-300)[:, None], means)
        # about any means, not only those that fit best: a component that nothing belongs to keeps its own
        between = (mass[:, None] * after).T @ after - first.T @ after - after.T @ first
        n = mass.sum()
        shared = towards_diagonal((second + between).squeeze(0) / n, n, prior.shrinkage)
        return after, type(self)(ridged(shared[None], prior.ridge))

    def variances(self) -> Tensor:
        return self.covariances.diagonal(dim1=1, dim2=2)

    def at(self, k: Any) -> Any:
        return torch.zeros_like(k) if isinstance(k, Tensor) else 0

    def pooled(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        return first, second.sum(0, keepdim=True)
