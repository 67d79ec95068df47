"""Brownian bridges: what goes from x to y with noise that is gone at both ends, and the drift that mixes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

Drift = Callable[[Tensor, Tensor], Tensor]
"""(x, t) ↦ the mean velocity of what is at x at time t; x (n, d), t (n,)."""

LAST = 1 - 1e-4  # the latest time that is learned at, since what is left to go is divided by


def between(x: Tensor, y: Tensor, t: Tensor, epsilon: float, z: Tensor | None) -> tuple[Tensor, Tensor]:
    """x_t = (1 - t) x + t y + √(ε t (1 - t)) z, and the velocity (y - x_t) / (1 - t) that leads it to y.

    Args:
        x, y: (n, d) both ends.
        t: (n,) times in [0, 1).
        epsilon: variance of the reference √ε dW a unit of time.
        z: (n, d) normal draws; None where there is no noise.

    >>> x, y, t = torch.zeros(1, 2), torch.ones(1, 2), torch.tensor([0.25])
    >>> point, velocity = between(x, y, t, 0.0, None)
    >>> point.tolist(), velocity.tolist()
    ([[0.25, 0.25]], [[1.0, 1.0]])
    """
    t = t.to(x)[:, None]
    point, velocity = torch.lerp(x, y, t), y - x
    if z is not None:
        point, velocity = point + (epsilon * t * (1 - t)).sqrt() * z, velocity - (epsilon * t / (1 - t)).sqrt() * z
    return point, velocity


def matching(drift: Drift, x: Tensor, y: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """(n,) the error of a drift as the mean velocity of bridges from x to y: its least is the Markovian projection.

    Squared errors are divided by 1 + ε t / (1 - t), which is how much noise there is in a velocity beside its own size
    (bridge matching: Peluchetti 2023, arXiv 2312.14589; Shi, De Bortoli, Campbell, Doucet 2023, arXiv 2303.16852;
    without noise it is flow matching: Lipman et al. 2022, arXiv 2210.02747). Where there is noise every pair is seen
    twice, with a draw and its mirror image, which takes most of that noise out of the slope of the error.

    Args:
        drift: what is trained.
        x, y: (n, d) paired ends.
        epsilon: variance of the reference a unit of time.
        generator: what draws times, spread evenly over [0, 1), and noise.
    """
    n = len(x)
    u = torch.rand(n, generator=generator, device=x.device)
    t = ((torch.randperm(n, generator=generator, device=x.device) + u) / n).clamp_max(LAST)
    if not epsilon:
        point, velocity = between(x, y, t, epsilon, None)
        return (drift(point, t) - velocity).square().mean(1)
    z = _normal(x, generator)
    x, y, t = x.repeat(2, 1), y.repeat(2, 1), t.repeat(2)
    point, velocity = between(x, y, t, epsilon, torch.cat([z, -z]))
    errors = (drift(point, t) - velocity).square().mean(1) / (1 + epsilon * t / (1 - t))
    return errors.view(2, n).mean(0)


def walk(
    drift: Drift, x: Tensor, steps: int, epsilon: float, generator: torch.Generator
) -> Iterator[tuple[float, Tensor]]:
    """Times and states of dX = drift dt + √ε dW from x, by Heun's method, whose weak order is 2 as noise is additive.

    Steps get shorter towards the end, where the drift is steepest: t = u (2 - u) for u spread evenly (Platen, Bruti-
    Liberati 2010, chapter 15; without noise it is Heun's method for an ODE).

    Args:
        drift: its velocity.
        x: (n, d).
        steps: each costs two evaluations.
        epsilon: variance of the noise a unit of time.
        generator: what draws it.
    """
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    times = (u * (2 - u)).tolist()
    yield 0.0, x
    for now, then in pairwise(times):
        step = then - now
        noise = (step * epsilon) ** 0.5 * _normal(x, generator) if epsilon else 0.0
        slope = drift(x, x.new_full((len(x),), now))
        ahead = x + step * slope + noise
        x = x + step / 2 * (slope + drift(ahead, x.new_full((len(x),), then))) + noise
        yield then, x


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
