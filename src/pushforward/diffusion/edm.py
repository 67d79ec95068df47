"""The denoiser of EDM: preconditioning, noise levels and loss (Karras, Aittala, Aila, Laine 2022, arXiv 2206.00364).

Data is scaled to deviation 1, so that σ is in units of the data's own spread.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

SIGMA_MIN, SIGMA_MAX, RHO = 0.004, 160.0, 7.0  # the paper's 0.002 and 80, which are for data of deviation 1/2
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


def schedule(steps: int, device: torch.device | str = "cpu") -> Tensor:
    """(steps + 1,) falling noise levels of eq. 5, the last of them 0."""
    ramp = torch.linspace(0, 1, steps, device=device) if steps > 1 else torch.zeros(1, device=device)
    sigmas = (SIGMA_MAX ** (1 / RHO) + ramp * (SIGMA_MIN ** (1 / RHO) - SIGMA_MAX ** (1 / RHO))) ** RHO
    return torch.cat([sigmas, sigmas.new_zeros(1)])
