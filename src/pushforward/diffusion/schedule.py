"""Which noise levels samplers visit."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import SIGMA_MAX, SIGMA_MIN
from pushforward.diffusion.paths.path import Path

BEND = 1.5  # of the ramp in arctan σ: so much denser are steps where noise is little


def schedule(steps: int, device: torch.device | str = "cpu") -> Tensor:
    """(steps + 1,) falling noise levels, the last of them 0: t = arctan σ falls as the 3/2-th power of a ramp.

    >>> [round(sigma, 2) for sigma in schedule(4).tolist()]
    [160.0, 1.15, 0.31, 0.0, 0.0]
    """
    ramp = torch.linspace(1, 0, steps, device=device) if steps > 1 else torch.ones(1, device=device)
    low, high = math.atan(SIGMA_MIN), math.atan(SIGMA_MAX)
    sigmas = (low + (high - low) * ramp**BEND).double().tan().float()
    return torch.cat([sigmas, sigmas.new_zeros(1)])


def rising(steps: int, device: torch.device | str) -> Tensor:
    """The levels of `schedule` from the least that is not 0 upwards."""
    return schedule(steps + 1, device)[:-1].flip(0)


def along(path: Path, steps: int, device: torch.device | str = "cpu") -> Tensor:
    """(steps + 1,) falling noise levels at even times of a path, the last of them 0.

    On the `Exploding` path they are those of Karras et al. 2022 (arXiv 2206.00364, eq. 5).

    >>> from pushforward.diffusion.paths.straight import Straight
    >>> [round(sigma, 2) for sigma in along(Straight(), 4).tolist()]
    [160.0, 1.97, 0.5, 0.0, 0.0]
    """
    ends = path.time(torch.tensor([SIGMA_MAX, SIGMA_MIN], dtype=torch.float64))
    start, end = ends.tolist()
    t = torch.linspace(start, end, max(2, steps), dtype=torch.float64, device=device)[:steps]
    a, s = path.coefficients(t)
    return torch.cat([s / a, t.new_zeros(1)]).float()
