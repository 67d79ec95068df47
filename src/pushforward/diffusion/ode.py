"""Likelihood and codes by the probability-flow ODE (Song et al. 2021, arXiv 2011.13456)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.diffusion.edm import SIGMA_MAX, Denoiser, schedule
from pushforward.diffusion.samplers.heun import heun

EXACT = 16  # dimensions up to which the trace is taken exactly


def encode(denoiser: Denoiser, x: Tensor, steps: int) -> Tensor:
    """(n, d) data to the noise, of deviation 1, that the ODE would make it from."""
    with torch.no_grad():
        *_, x = heun(denoiser, x, rising(steps, x.device))
    return x / SIGMA_MAX


def decode(denoiser: Denoiser, noise: Tensor, steps: int) -> Tensor:
    """(n, d) noise of deviation 1 to data."""
    with torch.no_grad():
        *_, x = heun(denoiser, noise * SIGMA_MAX, schedule(steps, noise.device))
    return x


def rising(steps: int, device: torch.device) -> Tensor:
    """The noise levels of `schedule` from the least that is not 0 upwards."""
    return schedule(steps + 1, device)[:-1].flip(0)


def log_prob(denoiser: Denoiser, x: Tensor, steps: int) -> Tensor:
    """(n,) log density: log N(x_T; 0, σ_T² + 1) + ∫ ∇·f dσ along dx/dσ = f = (x - D(x; σ)) / σ.

    In more than 16 dimensions the divergence is Hutchinson's estimate with one probe that is the same for
    every record, so that a record scores the same in any company.

    Args:
        denoiser: differentiable in x.
        x: (n, d).
        steps: of Heun's method.
    """
    n, d = x.shape
    sigmas = rising(steps, x.device)
    probes = torch.eye(d, device=x.device) if d <= EXACT else _probe(d, x.device)
    share = 1.0 if d <= EXACT else 1.0 / len(probes)
    gained = torch.zeros(n, dtype=torch.float64, device=x.device)
    for sigma, target in zip(sigmas[:-1], sigmas[1:], strict=True):
        slope, rate = _slope(denoiser, x, sigma, probes)
        ahead, rate2 = _slope(denoiser, x + (target - sigma) * slope, target, probes)
        x = x + (target - sigma) * (slope + ahead) / 2
        gained += (target - sigma).double() * (rate + rate2).double() / 2 * share
    variance = SIGMA_MAX**2 + 1
    prior = -0.5 * (x.double().square().sum(1) / variance + d * math.log(2 * math.pi * variance))
    return prior + gained


def _slope(denoiser: Denoiser, x: Tensor, sigma: Tensor, probes: Tensor) -> tuple[Tensor, Tensor]:
    """f(x; σ) and the sum over probes v of vᵀ ∂f/∂x v."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        slope = (x - denoiser(x, sigma.expand(len(x)))) / sigma
        rate = torch.zeros(len(x), device=x.device)
        for i, probe in enumerate(probes):
            (pulled,) = torch.autograd.grad((slope * probe).sum(), x, retain_graph=i + 1 < len(probes))
            rate = rate + (pulled * probe).sum(1)
    return slope.detach(), rate.detach()


def _probe(d: int, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(d)  # a generator of our own, so that scores repeat
    return (2 * torch.randint(2, (1, d), generator=generator) - 1).float().to(device)
