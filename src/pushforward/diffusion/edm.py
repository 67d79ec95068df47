"""The denoiser of EDM: preconditioning, noise levels and loss (Karras, Aittala, Aila, Laine 2022, arXiv 2206.00364).

Data is scaled to deviation 1, so that σ is in units of the data's own spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

SIGMA_MIN, SIGMA_MAX = 0.004, 160.0  # the paper's 0.002 and 80, which are for data of deviation 1/2
P_MEAN, P_STD = -0.5, 1.2  # of log σ in training: the paper's -1.2, in the same units

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""(x, σ) ↦ E[y | y + σ ε = x]; x (n, d), σ (n,)."""


def precondition(x: Tensor, sigma: Tensor, network: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """D(x; σ) = c_skip x + c_out F(c_in x; c_noise), eq. 7, with σ_data = 1.

    Args:
        x: (n, d) noisy data.
        sigma: (n,) noise levels.
        network: F, from (n, d) and (n,) to (n, d), both of unit size whatever σ is.
    """
    s = sigma[:, None]
    total = 1 + s**2
    return x / total + s * total.rsqrt() * network(x * total.rsqrt(), sigma.log() / 4).float()


def levels(n: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(n,) noise levels for training, log-normal and spread evenly over their quantiles.

    One draw per n-th of the distribution instead of n free draws: the same distribution, and a loss that
    varies less from step to step.
    """
    u = torch.rand(n, generator=generator, device=device)
    u = (torch.arange(n, device=device) + u) / n
    z = torch.special.ndtri(u.clamp(1e-5, 1 - 1e-5))
    return (P_MEAN + P_STD * z).exp()


def loss(denoiser: Denoiser, y: Tensor, generator: torch.Generator) -> Tensor:
    """(n,) the weighted squared error of eq. 8; a network that gives 0 everywhere scores about 1.

    Args:
        denoiser: what is trained.
        y: (n, d) clean data of deviation 1.
        generator: what draws noise and its levels.
    """
    sigma = levels(len(y), generator, y.device)
    noise = torch.randn(y.shape, generator=generator, device=y.device)
    error = denoiser(y + sigma[:, None] * noise, sigma) - y
    return (1 + sigma**2) / sigma**2 * error.square().mean(1)


def velocity(denoiser: Denoiser, u: Tensor, sigma: Tensor) -> Tensor:
    """du/dt of the probability-flow ODE, with u = x / √(1 + σ²) and t = arctan σ.

    In these coordinates u = cos t · y + sin t · ε keeps deviation 1, the ODE stands still where data is a standard
    normal, and the velocity is -F of `precondition` (Lu, Song 2024, arXiv 2410.11081). For data of several scales
    steps in t are about ten times as exact as steps in σ.

    Args:
        denoiser: (x, σ) ↦ posterior mean.
        u: (n, d).
        sigma: () the noise level, greater than 0.
    """
    s = (1 + sigma**2).sqrt()
    return (u - s * denoiser(u * s, sigma.expand(len(u)))) / sigma


def schedule(steps: int, device: torch.device | str = "cpu") -> Tensor:
    """(steps + 1,) falling noise levels, the last of them 0: t = arctan σ falls as the 3/2-th power of a ramp."""
    ramp = torch.linspace(1, 0, steps, device=device) if steps > 1 else torch.ones(1, device=device)
    low, high = math.atan(SIGMA_MIN), math.atan(SIGMA_MAX)
    sigmas = (low + (high - low) * ramp**1.5).double().tan().float()
    return torch.cat([sigmas, sigmas.new_zeros(1)])
