"""Distributions of whole numbers from 0 up: Poisson, and negative binomial where they vary more."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from pushforward.counts.bayes import tables
from pushforward.counts.bayes.likelihoods.likelihood import Likelihood, Moments

TABLE = 2**18  # (class, value) pairs that a draw tabulates; beyond, it halves intervals
DEEP = 1e-290  # a tail below this is a geometric series from its end
OVER = 1e-3  # least relative excess of a negative binomial's variance over its mean


class Counting(Likelihood):
    """What the two share: tails from special functions, draws from a table of all values or by halving."""

    @abstractmethod
    def below(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """P(X ≤ x), x ≥ 0."""

    @abstractmethod
    def above(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """P(X ≥ x), x ≥ 1."""

    @abstractmethod
    def simulate(self, mean: Tensor, spread: Tensor, rng: np.random.Generator) -> Tensor:
        """A number for each mean and spread."""

    def log_between(self, low: float, high: float, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        return self._log_between(torch.full_like(mean, low), torch.full_like(mean, high), mean, spread)

    def _log_between(self, low: Tensor, high: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        low = low.clamp_min(0.0)
        zero, one = torch.zeros_like(mean), torch.ones_like(mean)
        finite = torch.where(high.isinf(), low, high)
        upper = torch.where(low >= 1, self.above(low.clamp_min(1), mean, spread), one) - torch.where(
            high.isinf(), zero, self.above(finite.clamp_min(0) + 1, mean, spread)
        )
        lower = torch.where(high.isinf(), one, self.below(finite.clamp_min(0), mean, spread)) - torch.where(
            low >= 1, self.below((low - 1).clamp_min(0), mean, spread), zero
        )
        far = low > mean
        mass = torch.where(far, upper, lower)
        # from the end that is nearer to the mean, each term is nearly the same part of the one before
        end, step = torch.where(far, low, finite), torch.where(far, 1.0, -1.0)
        first = self.log_prob(end, mean, spread, 1.0)
        ratio = (self.log_prob((end + step).clamp_min(0), mean, spread, 1.0) - first).exp().clamp(0.0, 1 - 1e-12)
        terms = high - low + 1
        series = first + torch.log1p(-torch.where(terms.isinf(), zero, ratio**terms)) - torch.log1p(-ratio)
        out = torch.where(mass > DEEP, mass.clamp_min(DEEP).log(), series)
        out = torch.where(high == low, first, out)
        return torch.where(high < low, -torch.inf, out)

    def draw(
        self, k: Tensor, low: float, high: float, mean: Tensor, spread: Tensor, step: float, generator: torch.Generator
    ) -> Tensor:
        low = max(low, 0.0)
        if (high - low + 1) * len(mean) <= TABLE:
            values = torch.arange(int(low), int(high) + 1, dtype=torch.float64)
            mass = torch.softmax(self.log_prob(values, mean[:, None], spread[:, None], 1.0), 1)
            u = torch.rand(len(k), dtype=torch.float64, generator=generator)
            return values[tables.draw(mass, u, k)]
        seed = int(torch.randint(2**62, (1,), generator=generator))
        drawn = self.simulate(mean[k], spread[k], np.random.default_rng(seed))
        astray = (drawn < low) | (drawn > high)
        if astray.any():
            there = k[astray]
            drawn[astray] = self._halved(low, high, mean[there], spread[there], generator)
        return drawn

    def _halved(self, low: float, high: float, mean: Tensor, spread: Tensor, generator: torch.Generator) -> Tensor:
        """The smallest x with P(low ≤ X ≤ x) ≥ u P(low ≤ X ≤ high)."""
        u = torch.rand(len(mean), dtype=torch.float64, generator=generator).clamp_min(2.0**-54)
        start = torch.full_like(mean, low)
        wanted = u.log() + self._log_between(start, torch.full_like(mean, high), mean, spread)
        below, at = start - 1, torch.full_like(mean, high)
        for _ in range(math.ceil(math.log2(high - low + 2))):
            middle = ((below + at) / 2).floor()
            enough = (middle >= low) & (self._log_between(start, middle, mean, spread) >= wanted)
            at, below = torch.where(enough, middle, at), torch.where(enough, below, middle)
        return at


class Poisson(Counting):
    """P(x) = λ^x e^-λ / x!, λ the mean of the class, at least `floor` times that of all records (Poisson 1837).

    >>> round(Poisson().log_prob(torch.tensor(2.0), torch.tensor(1.0), torch.tensor(1.0), 1.0).exp().item(), 6)
    0.18394
    """

    def fit(self, moments: Moments) -> tuple[Tensor, Tensor]:
        mean = _positive(moments)
        return mean, mean

    def log_prob(self, x: Tensor, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        out = torch.xlogy(x, mean) - mean - torch.lgamma(x.clamp_min(0) + 1)
        return torch.where(x < 0, -torch.inf, out)

    def below(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        return torch.special.gammaincc(x + 1, mean)

    def above(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        return torch.special.gammainc(x, mean)

    def simulate(self, mean: Tensor, spread: Tensor, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.poisson(mean.numpy()).astype(np.float64))


class NegativeBinomial(Counting):
    """P(x) = Γ(x + r) / (x! Γ(r)) q^r (1 - q)^x with q = μ/v, r = μ²/(v - μ): a Poisson whose rate is Gamma.

    The spread is the variance v, a little more than the mean at least (Greenwood, Yule 1920).

    >>> one = torch.tensor(1.0)
    >>> NegativeBinomial().log_prob(torch.tensor(1.0), one, 2 * one, 1.0).exp().item()  # geometric
    0.25
    """

    def fit(self, moments: Moments) -> tuple[Tensor, Tensor]:
        mean = _positive(moments)
        return mean, moments.variance.maximum(mean * (1 + OVER))

    def log_prob(self, x: Tensor, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        size, q = _size(mean, spread)
        y = x.clamp_min(0)
        out = torch.lgamma(y + size) - torch.lgamma(y + 1) - torch.lgamma(size)
        out = out + size * q.log() + y * ((spread - mean) / spread).log()
        return torch.where(x < 0, -torch.inf, out)

    def below(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        size, q = _size(mean, spread)
        return _beta(size, x + 1, q)

    def above(self, x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        size, _ = _size(mean, spread)
        return _beta(x, size, (spread - mean) / spread)

    def simulate(self, mean: Tensor, spread: Tensor, rng: np.random.Generator) -> Tensor:
        size, q = _size(mean, spread)
        return torch.from_numpy(rng.negative_binomial(size.numpy(), q.numpy()).astype(np.float64))


def _positive(moments: Moments) -> Tensor:
    overall = moments.overall_mean
    least = torch.where(overall > 0, moments.floor * overall, torch.full_like(overall, moments.floor))
    return moments.mean.maximum(least)


def _size(mean: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    return mean.square() / (spread - mean), mean / spread


def _beta(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    from scipy.special import betainc

    return torch.from_numpy(np.asarray(betainc(a.numpy(), b.numpy(), x.numpy())))
