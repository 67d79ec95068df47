"""Likelihood and codes by the differential equation that carries data to noise (Song et al. 2021, arXiv 2011.13456)."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pushforward.diffusion.denoiser import SIGMA_MAX, SIGMA_MIN, Denoiser
from pushforward.diffusion.paths.cosine import Cosine
from pushforward.diffusion.solver import Slope, solve

ROWS, PIXELS = 64, 16  # coordinates up to which the trace is computed, of rows and of records with a picture
TOLERANCE = 1e-5  # of a step of the solver
PROBES = 2  # by which the error of one is estimated
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
_CIRCLE = Cosine()
START, END = (float(_CIRCLE.time(torch.tensor(sigma, dtype=torch.float64))) for sigma in (SIGMA_MIN, SIGMA_MAX))

Told = Callable[[Tensor], Denoiser]
"""(m,) which records ↦ the denoiser of what is given of those."""


def flow_of(told: Told) -> Slope:
    """du/dt of the probability-flow ODE along the circle u = y cos(π t / 2) + ε sin(π t / 2), from START to END.

    Where data is a standard normal, u stands still. (Lu, Song 2024, arXiv 2410.11081.)
    """

    def slope(u: Tensor, t: Tensor, rows: Tensor) -> Tensor:
        a, s = _CIRCLE.coefficients(t)
        x, sigma = u / a[:, None], s / a
        return _CIRCLE.velocity(told(rows)(x, sigma), x, sigma)

    return slope


def encode(told: Told, x: Tensor) -> Tensor:
    """(n, d) data to the noise, of deviation 1, that the ODE would make it from."""
    scale = _CIRCLE.coefficients(torch.tensor(START))[0]
    return carried(flow_of(told), x * scale, START, END)


def decode(told: Told, noise: Tensor) -> Tensor:
    """(n, d) noise of deviation 1 to data; what noise is left at the end is taken off by the denoiser."""
    u = carried(flow_of(told), noise, END, START)
    x = u / _CIRCLE.coefficients(torch.tensor(START))[0]
    rows = torch.arange(len(x), device=x.device)
    return told(rows)(x, torch.full((len(x),), SIGMA_MIN, dtype=x.dtype, device=x.device))


def log_prob(told: Told, x: Tensor, *, exact: bool, tolerance: float = TOLERANCE, draw: int = 0) -> Tensor:
    """(n,) log density of data with noise of level `SIGMA_MIN`; arguments as for `density`."""
    scale = _CIRCLE.coefficients(torch.tensor(START, dtype=torch.float64))[0]
    u = x * scale.to(x.dtype)
    found = density(flow_of(told), u, START, END, exact=exact, tolerance=tolerance, draw=draw)
    return found + x.shape[1] * scale.log()


def carried(slope: Slope, x: Tensor, start: float, end: float) -> Tensor:
    """(n, d) along an ODE from one time to another."""
    with torch.no_grad():
        return solve(slope, x, start, end, tolerance=TOLERANCE)[0]


def density(
    slope: Slope, x: Tensor, start: float, end: float, *, exact: bool, tolerance: float = TOLERANCE, draw: int = 0
) -> Tensor:
    """(n,) log N(x_end; 0, I) + ∫ ∇·v dt along dx/dt = v (Chen et al. 2018, arXiv 1806.07366).

    Args:
        slope: v, record by record, differentiable.
        x: (n, d) at `start`.
        start, end: of the time; at the end x is standard normal.
        exact: whether the divergence is computed; else it is Hutchinson's estimate with one probe a record, which
            follows from the record itself, so that it scores the same in any company and errors average out.
        tolerance: of a step of the solver.
        draw: which of the probes.
    """
    n, d = x.shape
    signs = probes(x, exact, draw)

    def both(state: Tensor, t: Tensor, rows: Tensor) -> Tensor:
        mine = signs if signs.shape[1] == 1 else signs[:, rows]
        v, trace = traced(lambda u: slope(u, t, rows), state[:, :d], mine)
        return torch.cat([v, trace[:, None]], 1)

    state, _ = solve(both, torch.cat([x, x.new_zeros(n, 1)], 1), start, end, tolerance=tolerance)
    z, gained = state.double().split([d, 1], 1)
    return (-0.5 * z**2 - _HALF_LOG_TAU).sum(1) + gained[:, 0]


def errors(score: Callable[[float, int], Tensor], exact: bool) -> dict[str, float]:
    """How far, in nats a record, a score is off by its solver, and by its one probe (a standard deviation).

    Args:
        score: from a tolerance and the number of a probe to (n,) scores.
        exact: whether the divergence is computed.
    """
    first = score(TOLERANCE, 0)
    found = {"solver": (first - score(TOLERANCE / 10, 0)).abs().mean()}
    if not exact:
        others = [score(TOLERANCE, draw) for draw in range(1, PROBES)]
        found["probe"] = torch.stack([first, *others]).var(0).mean().sqrt()
    return {name: float(f"{error:.3g}") for name, error in found.items()}


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


def probes(x: Tensor, exact: bool, draw: int = 0) -> Tensor:
    """(d, 1, d) unit vectors, or (1, n, d) random signs that follow from the bits of each record itself, and `draw`."""
    _n, d = x.shape
    if exact:
        return torch.eye(d, dtype=x.dtype, device=x.device)[:, None]
    rows = x.detach().cpu().float().contiguous().numpy()
    keys = np.array([zlib.crc32(row.tobytes(), draw) for row in rows], dtype=np.uint64)
    state: np.ndarray = (keys[:, None] << np.uint64(32)) + np.arange(d, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # the finaliser of SplitMix64
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    signs = 1 - 2 * ((state >> np.uint64(40)) & np.uint64(1)).astype(np.int8)
    return torch.from_numpy(signs).to(x.device, x.dtype)[None]
