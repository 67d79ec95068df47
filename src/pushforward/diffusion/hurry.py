"""A network that goes in a few steps where another goes in many."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.paths.cosine import Cosine
from pushforward.diffusion.paths.path import Path
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.samplers.sampler import at
from pushforward.diffusion.schedule import schedule

HURRIED = 0.25  # share of a run in which a network learns to hurry
FINE = 4  # steps of Heun's method that one stands for
CIRCLE = Cosine()


def stops(steps: int, device: torch.device | str = "cpu") -> Tensor:
    """(steps + 1,) noise levels that few steps visit; at the last there is next to no noise."""
    return schedule(steps + 1, device)[:-1]


def shown(teacher: Denoiser, x: Tensor, sigma: Tensor, target: Tensor) -> Tensor:
    """(n, d) what a denoiser would have to say at x for one step of DDIM to end where the teacher's ODE does.

    x' = D + (σ'/σ) (x - D) solved for D. Between two noise levels the ODE is a map, so that a network can learn it by
    least squares and nothing is averaged (as by windows in Yan et al. 2024, arXiv 2405.07510).

    Args:
        teacher: whose ODE is followed.
        x: (n, d) at noise level `sigma` ().
        sigma, target: where a step begins and ends.
    """
    start, stop = CIRCLE.time(torch.stack([sigma, target])).tolist()
    a, s = CIRCLE.coefficients(torch.linspace(start, stop, FINE + 1, device=x.device))
    *_, end = Heun()(teacher, x, s / a)
    ratio = target / sigma
    return (end - ratio * x) / (1 - ratio)


def hurrying(
    teacher: Denoiser, pupil: Denoiser, path: Path, steps: int, y: Tensor, generator: torch.Generator
) -> Tensor:
    """(n,) squared errors of a pupil to where a teacher's path ends, over one of the few steps.

    Args:
        teacher: whose path is followed.
        pupil: what learns to go in few steps.
        path: that weighs errors.
        steps: how few.
        y: (n, d) clean data.
        generator: of the step and the noise.
    """
    which = int(torch.randint(steps, (1,), generator=generator, device=generator.device))
    sigma, target = stops(steps, y.device)[which : which + 2]
    x = y + sigma * torch.randn(y.shape, generator=generator, device=y.device)
    with torch.no_grad():
        goal = shown(teacher, x, sigma, target)
    return path.weight(sigma) * (at(pupil, x, sigma) - goal).square().mean(1)
