"""Normal probabilities of ranges, and draws within them, in logarithms: the farthest tail is as good as the middle."""

from __future__ import annotations

import math

import torch
from torch import Tensor

NEWTON = 4  # steps that bring the inverse of the distribution function to full precision


def log_interval(low: Tensor, high: Tensor) -> Tensor:
    """log P(low < z < high) of a standard normal z; -∞ where high ≤ low.

    >>> low, high = torch.tensor([-1.0, 40.0]).double(), torch.tensor([1.0, 41.0]).double()
    >>> [round(p, 6) for p in log_interval(low, high).tolist()]
    [-0.381715, -804.608442]
    """
    low, high, _ = _left(low, high)
    upper = torch.special.log_ndtr(high)
    return torch.where(high > low, upper + _log1mexp(torch.special.log_ndtr(low) - upper), -math.inf)


def draw(low: Tensor, high: Tensor, u: Tensor) -> Tensor:
    """Draws of a standard normal within low < z < high: the quantile of u there, by the inverse of log Φ.

    >>> low, high = torch.tensor([40.0]).double(), torch.tensor([math.inf]).double()
    >>> round(draw(low, high, torch.tensor([0.5]).double()).item(), 5)
    40.01731
    """
    low, high, turned = _left(low, high)
    u = torch.where(turned, 1 - u, u)
    target = torch.logaddexp(torch.special.log_ndtr(low) + torch.log1p(-u), torch.special.log_ndtr(high) + u.log())
    z = log_quantile(target)
    z = torch.maximum(torch.minimum(z, high), low)
    return torch.where(turned, -z, z)


def log_quantile(log: Tensor) -> Tensor:
    """z with log Φ(z) = log, for log ≤ 0."""
    log = log.clamp_max(-1e-16)
    far = (-2 * log - math.log(2 * math.pi)).clamp_min(1.0)
    z = torch.where(log < -100, -(far - far.log()).clamp_min(1.0).sqrt(), torch.special.ndtri(log.exp()))
    z = z.clamp(-1e150, 9.0)
    for _ in range(NEWTON if bool((log < -100).any()) else 0):  # elsewhere the first guess is exact to rounding
        value = torch.special.log_ndtr(z)
        slope = (-0.5 * z.square() - 0.5 * math.log(2 * math.pi) - value).exp()
        step = (value - log) / slope
        z = torch.where(step.isfinite() & (log < -1e-3), z - step, z)  # near 1 the first guess is all that can be had
    return z


def _left(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The interval turned to the left tail, where Φ is small and keeps its digits; and whether it was turned."""
    turned = low + high > 0  # a sum of infinities of both signs is no number, and nothing has to be turned
    return torch.where(turned, -high, low), torch.where(turned, -low, high), turned


def _log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) for x ≤ 0."""
    return torch.where(x > -math.log(2), (-torch.expm1(x)).log(), torch.log1p(-x.exp()))
