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


def fixed(denoiser: Denoiser, known: Tensor, values: Tensor) -> Denoiser:
    """The denoiser, told the values of some coordinates (replacement: Song et al. 2021, arXiv 2011.13456, app. I.2).

    Along the ODE a coordinate whose posterior mean is v stays at v + σ ε, so that the others see it at the
    noise level of the moment.

    Args:
        denoiser: what is told.
        known: (n, d) mask.
        values: (n, d), of which those under the mask count.
    """

    def told(x: Tensor, sigma: Tensor) -> Tensor:
        return torch.where(known, values, denoiser(x, sigma))

    return told
