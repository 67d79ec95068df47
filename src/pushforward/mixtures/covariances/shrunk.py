"""Covariances drawn towards what they share, and that towards its diagonal: regularised discriminant analysis.

With n_k records in component k, n in all, covariances S_k and S = Σ_k n_k S_k / n, ν pseudo-records make them

    T = (n S + ν diag S) / (n + ν),    Σ_k = (n_k S_k + ν T) / (n_k + ν)

(Friedman 1989, Regularized discriminant analysis, JASA 84; as the mode of an inverse Wishart prior on mixtures,
Fraley, Raftery 2007, J. Classification 24). What hangs together by chance in a few records is thereby loosened, and
what is foretold of a number given the others is as uncertain as it should be; many records outweigh it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shrunk(spread: Tensor, mass: Tensor, shrinkage: float) -> Tensor:
    """Covariances (K, d, d), or variances (K, d), after shrinkage.

    Args:
        spread: what fits the records best.
        mass: (K, 1), or (K, d) for variances: how many records each of them was learned from.
        shrinkage: ν.

    >>> shrunk(torch.tensor([[1.0], [3.0]]), torch.tensor([[10.0], [10.0]]), 10.0).flatten().tolist()
    [1.5, 2.5]
    """
    if not shrinkage:
        return spread
    mass = mass.reshape(*mass.shape, *[1] * (spread.dim() - mass.dim()))
    total = mass.sum(0).clamp_min(1e-300)
    shared = (mass * spread).sum(0) / total
    if spread.dim() == 3:
        shared = towards_diagonal(shared, total, shrinkage)
    return (mass * spread + shrinkage * shared) / (mass + shrinkage)


def towards_diagonal(covariance: Tensor, mass: Tensor, shrinkage: float) -> Tensor:
    """(d, d) T of the S that so many records gave."""
    if not shrinkage:
        return covariance
    return (mass * covariance + shrinkage * torch.diag(covariance.diagonal())) / (mass + shrinkage)
