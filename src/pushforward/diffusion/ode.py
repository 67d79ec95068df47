"""Likelihood and codes by the probability-flow ODE (Song et al. 2021, arXiv 2011.13456)."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from pushforward.diffusion.edm import Denoiser, schedule, velocity
from pushforward.diffusion.samplers.heun import heun

EXACT = 16  # dimensions up to which the trace is taken exactly


def encode(denoiser: Denoiser, x: Tensor, steps: int) -> Tensor:
    """(n, d) data to the noise, of deviation 1, that the ODE would make it from."""
    sigmas = rising(steps, x.device)
    with torch.no_grad():
        *_, x = heun(denoiser, x, sigmas)
    return x / (1 + sigmas[-1] ** 2).sqrt()


def decode(denoiser: Denoiser, noise: Tensor, steps: int) -> Tensor:
    """(n, d) noise of deviation 1 to data."""
    sigmas = schedule(steps, noise.device)
    with torch.no_grad():
        *_, x = heun(denoiser, noise * (1 + sigmas[0] ** 2).sqrt(), sigmas)
    return x


def rising(steps: int, device: torch.device) -> Tensor:
    """The noise levels of `schedule` from the least that is not 0 upwards."""
    return schedule(steps + 1, device)[:-1].flip(0)


def log_prob(denoiser: Denoiser, x: Tensor, steps: int) -> Tensor:
    """(n,) log density: log N(u_T; 0, 1) + ∫ ∇·v dt - d log √(1 + σ_0²), along du/dt = v of `velocity`.

    In more than 16 dimensions the divergence is Hutchinson's estimate with one probe a record, which follows from
    the record itself, so that it scores the same in any company and errors average out over records.

    Args:
        denoiser: differentiable in x.
        x: (n, d).
        steps: of Heun's method.
    """
    n, d = x.shape
    sigmas = rising(steps, x.device).to(x.dtype)
    signs = probes(x)
    gained = torch.zeros(n, dtype=torch.float64, device=x.device)
    u = x / (1 + sigmas[0] ** 2).sqrt()
    for sigma, target in pairwise(sigmas):
        step = target.atan() - sigma.atan()
        slope, rate = _slope(denoiser, u, sigma, signs)
        ahead, rate2 = _slope(denoiser, u + step * slope, target, signs)
        u = u + step * (slope + ahead) / 2
        gained += step.double() * (rate + rate2).double() / 2
    prior = -0.5 * (u.double().square().sum(1) + d * math.log(2 * math.pi))
    return prior + gained - 0.5 * d * (1 + sigmas[0].double() ** 2).log()


def _slope(denoiser: Denoiser, u: Tensor, sigma: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """v(u; σ) of `velocity`, and its divergence."""
    return traced(lambda at: velocity(denoiser, at, sigma), u, signs)


def traced(velocity: Callable[[Tensor], Tensor], u: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """(n, d) v(u), and (n,) the sum over probes p of pᵀ ∂v/∂u p: its divergence, or Hutchinson's estimate of it.

    Args:
        velocity: (n, d) → (n, d), record by record.
        u: (n, d).
        signs: what `probes` gave.
    """
    with torch.enable_grad():
        u = u.detach().requires_grad_()
        slope = velocity(u)
        # all probes at once; a single one goes without the batching, which not every operation has
        if len(signs) == 1:
            pulled = torch.autograd.grad(slope, u, signs[0].expand_as(u))[0][None]
        else:
            (pulled,) = torch.autograd.grad(slope, u, signs.expand(-1, len(u), -1), is_grads_batched=True)
    return slope.detach(), (pulled * signs).sum((0, 2))


def probes(x: Tensor, draw: int = 0) -> Tensor:
    """(d, 1, d) unit vectors, or (1, n, d) random signs that follow from the bits of each record itself, and `draw`."""
    _n, d = x.shape
    if d <= EXACT:
        return torch.eye(d, dtype=x.dtype, device=x.device)[:, None]
    rows = x.detach().cpu().float().contiguous().numpy()
    keys = np.array([zlib.crc32(row.tobytes(), draw) for row in rows], dtype=np.uint64)
    state: np.ndarray = (keys[:, None] << np.uint64(32)) + np.arange(d, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # the finaliser of SplitMix64
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    signs = 1 - 2 * ((state >> np.uint64(40)) & np.uint64(1)).astype(np.int8)
    return torch.from_numpy(signs).to(x.device, x.dtype)[None]
