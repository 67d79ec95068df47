"""Whether each column, and each pair of columns, of drawn rows is distributed as in real ones.

Scores agree with the report ``QualityReport`` of the package sdmetrics, which is what is quoted elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from pushforward.data import Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import bootstrap
from pushforward.metrics.measured import Measured
from pushforward.metrics.rows import Rows, rows

BINS = 10
REPEATS = 20  # of the bootstrap

Score = Callable[[np.ndarray, np.ndarray], float]  # of the weights of drawn and of real rows


def shape(drawn: Records, real: Records, *, seed: int = 0) -> Measured:
    """The mean over columns of how alike their distributions are.

    1 - the Kolmogorov-Smirnov distance of numbers, 1 - the total variation of categories; holes and texts are passed
    over. 1: alike in every column, which is ideal; 0: no column has a value in common. It does not see which values go
    together.

    Args:
        drawn, real: records of the same fields.
        seed: of the interval.

    Returns:
        The mean; ``detail["columns"]`` by field its own score, worst first.

    Raises:
        UnmeasurableError: there is no number or category with a value on both sides.

    >>> import pushforward as pf
    >>> shape(pf.read({"x": ["a", "a", "b", "b"]}), pf.read({"x": ["a", "b", "b", "b"]})).value
    0.75
    """
    ours, theirs = rows(drawn, real)
    scores = {name: _number(ours.numbers[name], theirs.numbers[name]) for name in ours.numbers}
    scores |= {name: _category(ours.codes[name], theirs.codes[name], len(ours.levels[name])) for name in ours.codes}
    order = [name for name in ours.names if name in scores]
    why = "no number or category has a value among both drawn and real rows; draw more, or leave texts out"
    return _mean({name: scores[name] for name in order}, (len(ours), len(theirs)), seed, "columns", why)


def pairs(drawn: Records, real: Records, *, seed: int = 0) -> Measured:
    """The mean over pairs of columns of how alike they go together.

    1 - |ρ - ρ'| / 2 with the correlations of two numbers, else 1 - the total variation of how often levels occur
    together, where a hole is a level and numbers are put into ten bins, over the range of each of the two data sets by
    itself, as sdmetrics does. 1: alike, which is ideal; 0: nothing in common.

    Args:
        drawn, real: records of the same fields.
        seed: of the interval.

    Returns:
        The mean; ``detail["pairs"]`` by pair of fields its own score, worst first.

    Raises:
        UnmeasurableError: there are no two columns that can be compared.
    """
    parts = rows(drawn, real)
    codes = [_coded(part) for part in parts]
    scores: dict[tuple[str, str], Score] = {}
    for a, b in combinations([name for name in parts[0].names if name not in parts[0].texts], 2):
        if a in parts[0].numbers and b in parts[0].numbers:
            scores[a, b] = _linear(*(_correlation(part.numbers[a], part.numbers[b]) for part in parts))
        else:
            width = 2 + max(int(part[b].max(initial=0)) for part in codes)
            cells = [(part[a] + 1) * width + part[b] + 1 for part in codes]
            scores[a, b] = _alike(*cells)
    why = f"of {len(parts[0].names)} columns no two can be compared; pairs take two numbers or categories that vary"
    return _mean(scores, (len(parts[0]), len(parts[1])), seed, "pairs", why)


def _mean(scores: dict, sizes: tuple[int, int], seed: int, name: str, why: str) -> Measured:
    """The mean of the scores that can be computed, and each of them."""
    if min(sizes) == 0:
        raise UnmeasurableError("there are no records to compare; draw some")
    even = [np.full(n, 1 / n) for n in sizes]
    found = {key: score(*even) for key, score in scores.items()}
    found = {key: value for key, value in sorted(found.items(), key=lambda item: item[1]) if np.isfinite(value)}
    if not found:
        raise UnmeasurableError(why)

    def mean(v: np.ndarray, w: np.ndarray) -> float:
        return float(np.nanmean([scores[key](v, w) for key in found]))

    value, low, high = bootstrap(mean, sizes, seed=seed, repeats=REPEATS)
    return Measured(value, max(0.0, low), min(1.0, high), "higher", 1.0, detail={name: found})


def _number(ours: np.ndarray, theirs: np.ndarray) -> Score:
    """1 - the Kolmogorov-Smirnov distance."""
    values = np.concatenate([ours, theirs])
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    last = np.append(values[order][1:] != values[order][:-1], True)[: len(order)]

    def score(v: np.ndarray, w: np.ndarray) -> float:
        one, other = (np.where(np.isnan(values), 0.0, weights) for weights in (
            np.concatenate([v, np.zeros(len(w))]), np.concatenate([np.zeros(len(v)), w])))  # fmt: skip
        if not (one.any() and other.any()):
            return float("nan")
        steps = (one / one.sum() - other / other.sum())[order]
        return 1 - float(np.abs(np.cumsum(steps)[last]).max())

    return score


def _category(ours: np.ndarray, theirs: np.ndarray, levels: int) -> Score:
    """1 - the total variation of levels, holes left out."""

    def score(v: np.ndarray, w: np.ndarray) -> float:
        one, other = (np.bincount(c + 1, x, levels + 1)[1:] for c, x in ((ours, v), (theirs, w)))
        if not (one.any() and other.any()):
            return float("nan")
        return 1 - float(np.abs(one / one.sum() - other / other.sum()).sum()) / 2

    return score


def _alike(ours: np.ndarray, theirs: np.ndarray) -> Score:
    """1 - the total variation of pairs of levels."""
    found, where = np.unique(np.concatenate([ours, theirs]), return_inverse=True)

    def score(v: np.ndarray, w: np.ndarray) -> float:
        return 1 - float(np.abs(np.bincount(where, np.concatenate([v, -w]), len(found))).sum()) / 2

    return score


def _correlation(a: np.ndarray, b: np.ndarray) -> Callable[[np.ndarray], float]:
    """Pearson's, over rows in which both are known; NaN where one is constant."""
    there = ~(np.isnan(a) | np.isnan(b))
    if there.sum() < 2 or min(np.ptp(a[there]), np.ptp(b[there])) == 0:
        return lambda w: float("nan")
    x, y = ((c[there] - c[there].mean()) / c[there].std() for c in (a, b))  # large numbers would cancel

    def score(w: np.ndarray) -> float:
        w = w[there] / max(w[there].sum(), 1e-300)
        dx, dy = x - w @ x, y - w @ y
        both = (w @ dx**2) * (w @ dy**2)
        return float(w @ (dx * dy) / np.sqrt(both)) if both > 0 else float("nan")

    return score


def _linear(ours: Callable[[np.ndarray], float], theirs: Callable[[np.ndarray], float]) -> Score:
    """1 - half the difference of the correlations."""
    return lambda v, w: 1 - abs(ours(v) - theirs(w)) / 2


def _coded(part: Rows) -> dict[str, np.ndarray]:
    """Levels, and numbers as bins over their own range; the largest number is counted beyond it, as holes are."""
    out = dict(part.codes)
    for name, values in part.numbers.items():
        known = values[~np.isnan(values)]
        out[name] = np.digitize(values, np.histogram_bin_edges(known, BINS)) if len(known) else np.full(len(values), -1)
    return out
