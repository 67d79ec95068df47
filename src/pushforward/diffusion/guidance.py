"""Guidance: denoisers around denoisers."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.diffusion.edm import Denoiser


def guided(conditional: Denoiser, unconditional: Denoiser, weight: float) -> Denoiser:
    """D = D_0 + w (D_c - D_0): classifier-free guidance (Ho, Salimans 2022, arXiv 2207.12598).

    A weight of 1 is the conditional denoiser itself, to the bit.
    """
    if weight == 1:
        return conditional

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        base = unconditional(x, sigma)
        return base + weight * (conditional(x, sigma) - base)

    return denoiser


def observed(denoiser: Denoiser, known: Tensor, values: Tensor) -> Denoiser:
    """The denoiser, told the values v of some coordinates (ΠGDM: Song, Vahdat, Mardani, Kautz, ICLR 2023).

    E[y | x, v] = D(x) + σ² ∇_x log p(v | x) by Tweedie's formula, with p(v | x) taken as N(D(x), σ² / (1 + σ²)):
    that is its spread where the data is a standard normal.

    Args:
        denoiser: what is told; differentiable in x.
        known: (n, d) mask.
        values: (n, d), of which those under the mask count.
    """

    def told(x: Tensor, sigma: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            mean = denoiser(x, sigma)
            gap = torch.where(known, values - mean, 0.0).detach()
            (pull,) = torch.autograd.grad((mean * gap).sum(), x)
        return (mean + (1 + sigma[:, None] ** 2) * pull).detach()

    return told
