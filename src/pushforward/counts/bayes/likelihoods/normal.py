"""The normal distribution on the line, and on a grid: the mass between half a step below and half a step above."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.special import log_ndtr, ndtr, ndtri

from pushforward.counts.bayes.likelihoods.likelihood import Likelihood, Moments

NARROW = 1e-4  # deviations; in an interval that is narrower, tails cancel
DEEP = 1e-290  # a tail below this is computed in logarithms
CONSTANT = 1e-3  # deviation of a column that never changes, as a share of its value
LEAST = 1 / 8  # deviation on a grid, in steps: 0.99994 of the mass lie in the cell of the mean


class Normal(Likelihood):
    """log N(x; μ, v) = -½ ((x - μ)² / v + log 2πv), a density. The spread is the variance.

    The variance is at least `floor` times that of all records together, so that a class of one record, or of
    equal ones, stays a density. Where all records are equal, the deviation is a thousandth of the value.

    >>> round(Normal().log_prob(torch.tensor(0.0), torch.tensor(0.0), torch.tensor(1.0), 0.0).item(), 6)
    -0.918939
    """

    def fit(self, moments: Moments) -> tuple[Tensor, Tensor]:
        size = moments.overall_mean.abs()
        constant = (CONSTANT * torch.where(size > 0, size, torch.ones_like(size))).square()
        overall = moments.overall_variance
        least = torch.where(overall > 0, moments.floor * overall, constant)
        return moments.mean, moments.variance.maximum(least)

    def log_prob(self, x: Tensor, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        deviation = spread.sqrt()
        return -0.5 * ((x - mean) / deviation).square() - deviation.log() - 0.5 * math.log(2 * math.pi)

    def log_between(self, low: float, high: float, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        return log_between((low - mean) / spread.sqrt(), (high - mean) / spread.sqrt())

    def draw(
        self, k: Tensor, low: float, high: float, mean: Tensor, spread: Tensor, step: float, generator: torch.Generator
    ) -> Tensor:
        deviation = spread.sqrt()
        z = _between((low - mean) / deviation, (high - mean) / deviation, k, generator)
        return (mean[k] + deviation[k] * z).clamp(low, high)


class GridNormal(Likelihood):
    """P(x) = Φ((x + r/2 - μ)/σ) - Φ((x - r/2 - μ)/σ), exact on a grid of step r. The spread is σ².

    A variance measured on a grid holds r²/12 of the rounding (Sheppard 1898), which is taken off.

    >>> x = torch.arange(-9.0, 10.0, dtype=torch.float64)
    >>> round(GridNormal().log_prob(x, torch.tensor(0.3), torch.tensor(2.0), 1.0).exp().sum().item(), 9)
    1.0
    """

    def fit(self, moments: Moments) -> tuple[Tensor, Tensor]:
        square = moments.step**2
        wide = moments.variance > square / 3
        latent = torch.where(wide, moments.variance - square / 12, 0.75 * moments.variance)  # below, the two meet
        return moments.mean, latent.maximum(moments.floor * moments.overall_variance).clamp_min(LEAST**2 * square)

    def log_prob(self, x: Tensor, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        deviation = spread.sqrt()
        half = 0.5 * step
        return log_between((x - half - mean) / deviation, (x + half - mean) / deviation)

    def log_between(self, low: float, high: float, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        return log_between((low - 0.5 * step - mean) / spread.sqrt(), (high + 0.5 * step - mean) / spread.sqrt())

    def draw(
        self, k: Tensor, low: float, high: float, mean: Tensor, spread: Tensor, step: float, generator: torch.Generator
    ) -> Tensor:
        half, deviation = 0.5 * step, spread.sqrt()
        z = _between((low - half - mean) / deviation, (high + half - mean) / deviation, k, generator)
        return (((mean[k] + deviation[k] * z) / step).round() * step).clamp(low, high)


def log_between(low: Tensor, high: Tensor) -> Tensor:
    """log (Φ(high) - Φ(low)), to full precision in both tails and in narrow intervals.

    >>> round(log_between(torch.tensor(40.0).double(), torch.tensor(41.0).double()).item(), 6)
    -804.608442
    """
    flip = low + high > 0  # the lower tail is the precise one; infinite on both sides is not above 0
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    below, above = log_ndtr(low), log_ndtr(high)
    wide = above + torch.log(-torch.expm1(below - above))
    width = high - low
    narrow = width < NARROW
    if not narrow.any():
        return wide
    centre = torch.where(narrow, 0.5 * (low + high), 0.0)
    width = torch.where(narrow, width, 1.0)
    slope = (0.5 * centre * width).abs()  # ∫ exp(-ct) dt = h sinh(ch/2) / (ch/2)
    steep = slope > 1e-4
    safe = torch.where(steep, slope, 1.0)
    bend = torch.where(steep, safe + torch.log(-torch.expm1(-2 * safe) / (2 * safe)), slope.square() / 6)
    thin = -0.5 * centre.square() - 0.5 * math.log(2 * math.pi) + width.log() + bend - width.square() / 24
    return torch.where(narrow, thin, wide)


def _between(low: Tensor, high: Tensor, k: Tensor, generator: torch.Generator) -> Tensor:
    """(n,) standard normal numbers between the bounds (K,) of their classes."""
    u = torch.rand(len(k), dtype=torch.float64, generator=generator).clamp_min(2.0**-54)
    flip = low + high > 0
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    below, above = ndtr(low), ndtr(high)
    z = ndtri(below[k] + (above - below)[k] * u)
    deep = (above < DEEP)[k]
    if deep.any():
        from scipy.special import ndtri_exp

        there, v = k[deep], u[deep]
        logs = torch.logaddexp(log_ndtr(low)[there] + torch.log1p(-v), log_ndtr(high)[there] + v.log())
        z[deep] = torch.from_numpy(np.asarray(ndtri_exp(logs.numpy())))
    z = torch.minimum(torch.maximum(z, low[k]), high[k])
    return torch.where(flip[k], -z, z)
