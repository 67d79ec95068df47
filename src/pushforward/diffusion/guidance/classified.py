"""Towards what a predictor wants."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser


def classified(denoiser: Denoiser, log_prob: Callable[[Tensor], Tensor], weight: float = 1.0) -> Denoiser:
    """D + w σ² ∇_x log p(c | D(x)): classifier guidance by any differentiable predictor of clean data.

    The predictor never saw noise: it is asked about what the denoiser expects (Dhariwal, Nichol 2021, arXiv 2105.05233;
    of clean data: Bansal et al. 2023, arXiv 2302.07121).

    Args:
        denoiser: what is led; differentiable in x.
        log_prob: (n, d) → (n,) how probable what is wanted is.
        weight: w.

    >>> to_one = classified(lambda x, s: x / 2, lambda y: -(y - 1).square().sum(1))
    >>> to_one(torch.zeros(1, 1), torch.ones(1)).tolist()
    [[1.0]]
    """

    def led(x: Tensor, sigma: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            mean = denoiser(x, sigma)
            (pull,) = torch.autograd.grad(log_prob(mean).sum(), x)
        return (mean + weight * sigma[:, None] ** 2 * pull).detach()

    return led
