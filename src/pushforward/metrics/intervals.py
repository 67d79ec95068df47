"""How sure a measured number is: shares, areas under curves, and whatever can be computed from weighted records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest, rankdata

from pushforward.errors import UnmeasurableError

LEVEL = 0.95
SIGMAS = 1.959964  # half an interval of that level of a normal distribution
REPEATS = 50  # of a bootstrap


def share(hits: int, n: int) -> tuple[float, float, float]:
    """A share hits / n and its interval (Wilson 1927), which is never empty, and within [0, 1].

    Raises:
        UnmeasurableError: there are none, n = 0.

    >>> [round(x, 3) for x in share(0, 100)]
    [0.0, 0.0, 0.037]
    """
    if n == 0:
        raise UnmeasurableError("there are no records to take a share of; draw some")
    ends = binomtest(int(hits), int(n)).proportion_ci(LEVEL, "wilson")
    return hits / n, float(ends.low), float(ends.high)


def area(ones: np.ndarray, zeros: np.ndarray) -> tuple[float, float]:
    """The area under the ROC curve, P(a > b) + P(a = b) / 2, and its variance.

    The variance is that of the placements of each score among those of the other side (DeLong et al. 1988), by ranks
    (Sun & Xu 2014).

    Args:
        ones: (n,) scores of what should score high.
        zeros: (m,) scores of the others.

    Raises:
        UnmeasurableError: one side has fewer than two.

    >>> area(np.array([2.0, 3.0, 4.0]), np.array([1.0, 2.0]))[0]
    0.9166666666666666
    """
    n, m = len(ones), len(zeros)
    if min(n, m) < 2:
        raise UnmeasurableError(f"there are {n} and {m} records to tell apart; it takes at least two of each")
    together = rankdata(np.concatenate([ones, zeros]))
    above = (together[:n] - rankdata(ones)) / m  # the share of zeros that each of the ones is above
    below = 1 - (together[n:] - rankdata(zeros)) / n
    return float(above.mean()), float(above.var(ddof=1) / n + below.var(ddof=1) / m)


def around(value: float, deviation: float, low: float = -np.inf, high: float = np.inf) -> tuple[float, float, float]:
    """The value, and `SIGMAS` standard deviations on both sides of it as far as they lie within [low, high]."""
    return value, max(low, value - SIGMAS * deviation), min(high, value + SIGMAS * deviation)


def bootstrap(
    statistic: Callable[..., float], sizes: tuple[int, ...], *, seed: int, logs: bool = False, repeats: int = REPEATS
) -> tuple[float, float, float]:
    """A statistic of weighted records and its interval: the spread over records drawn again with replacement.

    Values may be biased by records that are drawn twice, as distances are; their spread is not, so that it alone is
    taken from them (Efron 1979).

    Args:
        statistic: of one array of weights, (size,) of sum 1, for each of the samples.
        sizes: how many records each sample has.
        seed: of the draws.
        logs: whether the spread is that of logarithms, for what is positive, such as ratios.
        repeats: how often records are drawn again.
    """
    rng = np.random.default_rng(seed)
    value = statistic(*(np.full(n, 1 / n) for n in sizes))
    again = [statistic(*(rng.multinomial(n, np.full(n, 1 / n)) / n for n in sizes)) for _ in range(repeats)]
    if logs and value > 0 and min(again) > 0:
        width = float(np.exp(SIGMAS * np.std(np.log(again), ddof=1)))
        return value, value / width, value * width
    return around(value, float(np.std(again, ddof=1)))
