"""Heun's second-order steps along the probability-flow ODE."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from pushforward.diffusion.edm import Denoiser, velocity


def heun(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, *, churn: float = 0.0, generator: torch.Generator | None = None
) -> Iterator[Tensor]:
    """The states x at each noise level of `sigmas` after the first.

    Algorithms 1 and 2 of Karras et al. 2022 (arXiv 2206.00364), with the step taken in t = arctan σ instead of σ
    (see `velocity`). A last level of 0 is reached by the denoiser itself.

    Args:
        denoiser: (x, σ) ↦ posterior mean.
        x: (n, d) at noise level `sigmas[0]`.
        sigmas: (steps + 1,) noise levels, falling or rising.
        churn: how much each step first raises the noise level, as a share of it; 0 follows the ODE.
        generator: what draws the noise of `churn`.
    """
    for sigma, target in pairwise(sigmas):
        if churn:
            raised = sigma * (1 + churn)
            noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
            x, sigma = x + (raised**2 - sigma**2).sqrt() * noise, raised
        if target == 0:
            x = denoiser(x, sigma.expand(len(x)))
        else:
            u, step = x / (1 + sigma**2).sqrt(), target.atan() - sigma.atan()
            slope = velocity(denoiser, u, sigma)
            slope = (slope + velocity(denoiser, u + step * slope, target)) / 2
            x = (u + step * slope) * (1 + target**2).sqrt()
        yield x
