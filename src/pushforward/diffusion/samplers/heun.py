"""Heun's second-order steps along the probability-flow ODE."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pushforward.diffusion.edm import Denoiser


def heun(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, *, churn: float = 0.0, generator: torch.Generator | None = None
) -> Iterator[Tensor]:
    """The states x at each noise level of `sigmas` after the first (algorithms 1 and 2 of arXiv 2206.00364).

    Args:
        denoiser: (x, σ) ↦ posterior mean.
        x: (n, d) noise of deviation `sigmas[0]`.
        sigmas: (steps + 1,) noise levels, falling or rising.
        churn: how much each step first raises the noise level, as a share of it; 0 follows the ODE.
        generator: what draws the noise of `churn`.
    """
    for sigma, target in zip(sigmas[:-1], sigmas[1:], strict=True):
        if churn:
            raised = sigma * (1 + churn)
            noise = torch.randn(x.shape, generator=generator, device=x.device)
            x, sigma = x + (raised**2 - sigma**2).sqrt() * noise, raised
        slope = (x - denoiser(x, sigma.expand(len(x)))) / sigma
        step = target - sigma
        ahead = x + step * slope
        if target > 0:
            slope = (slope + (ahead - denoiser(ahead, target.expand(len(x)))) / target) / 2
            ahead = x + step * slope
        x = ahead
        yield x
