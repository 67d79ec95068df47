"""What a denoiser is, and what else it says: noise, score and velocity.

All paths from data to noise pass through the same noisy data: x_t = a(t) y + s(t) ε is y + σ ε with σ = s / a when it
is divided by a. So one function D(x, σ) = E[y | y + σ ε = x] serves every path, sampler and guidance here. Data has
mean 0 and deviation 1, so that σ is in units of its spread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

Denoiser: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(x, σ) ↦ E[y | y + σ ε = x]; x (n, d), σ (n,)."""

SIGMA_MIN, SIGMA_MAX = 0.004, 160.0  # those of Karras et al. 2022, 0.002 and 80, which are for data of deviation 1/2


def noise_of(mean: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """E[ε | x] = (x - D) / σ.

    Args:
        mean: (n, d) what the denoiser says.
        x: (n, d) noisy data.
        sigma: () or (n,) its noise level.

    >>> import torch
    >>> noise_of(torch.zeros(1, 2), torch.full((1, 2), 3.0), torch.tensor(2.0)).tolist()
    [[1.5, 1.5]]
    """
    return (x - mean) / column(sigma)


def score_of(mean: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """∇ log p_σ(x) = (D - x) / σ² (Tweedie's formula: Efron 2011; Vincent 2011).

    Args:
        mean: (n, d) what the denoiser says.
        x: (n, d) noisy data.
        sigma: () or (n,) its noise level.

    >>> import torch
    >>> score_of(torch.zeros(1, 2), torch.full((1, 2), 3.0), torch.tensor(2.0)).tolist()
    [[-0.75, -0.75]]
    """
    return (mean - x) / column(sigma) ** 2


def mean_of_noise(noise: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """D = x - σ E[ε | x], the other way round.

    Args:
        noise: (n, d) what is expected of the noise.
        x: (n, d) noisy data.
        sigma: () or (n,) its noise level.
    """
    return x - column(sigma) * noise


def mean_of_score(score: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """D = x + σ² ∇ log p_σ(x), the other way round.

    Args:
        score: (n, d).
        x: (n, d) noisy data.
        sigma: () or (n,) its noise level.
    """
    return x + column(sigma) ** 2 * score


def column(sigma: Tensor) -> Tensor:
    """() as it is, (n,) as (n, 1), so that it meets (n, d)."""
    return sigma if sigma.ndim == 0 else sigma[:, None]
