"""Where the bins of a number end, and which of its values have a share of their own."""

from __future__ import annotations

import math

import numpy as np

from pushforward.counts.trees.axes.numbers import NumberAxis
from pushforward.data import Number

HEAVY = 4  # a value whose share is that of a quarter of a bin has a state of its own
FEWEST = 4  # bins
TAIL = 8  # values that a bin at the end of the range holds at least
CHANCE = 0.05  # expected gaps of chance in all bins of a number
OFTEN = (2, 3, 5, 10, 30)  # occurrences from which on values may have shares: what predicts best is taken


def bins_for(n: int, most: int) -> int:
    """How many bins n values fill: 2 n^(1/3), as in the best histogram of a smooth density (Terrell, Scott 1985)."""
    return max(FEWEST, min(most, math.ceil(2 * n ** (1 / 3))))


def number_axis(values: np.ndarray, weights: np.ndarray, field: Number, bins: int) -> NumberAxis:
    """The axis of a number, from a sample of its values.

    Args:
        values: (n,) without holes, in the units of the data.
        weights: (n,) of mean 1.
        field: says its grid, its atoms, and what was seen.
        bins: how many.
    """
    step = field.resolution or 0.0
    if not len(values):  # none among those that are looked at
        values, weights = np.array([field.low], float), np.ones(1)
    if step:
        values = np.rint(values / step) * step
    unique, inverse = np.unique(values, return_inverse=True)
    counts = np.bincount(inverse, weights, minlength=len(unique))
    heavy = np.isin(unique, np.asarray(field.atoms))
    if step:
        heavy |= (counts >= max(2.0, counts.sum() / (HEAVY * bins))) & _stands_out(unique, counts, bins, step)
    edges = _grid_edges(unique, counts, heavy, bins, field) if step else _edges(unique[~heavy], counts[~heavy], bins)
    if not len(edges):
        edges = unique[:1].astype(float)
    # a value with a state of its own says that something is there, however often it occurs
    edges = _without_gaps(edges, unique, np.where(heavy, np.minimum(counts, 1), counts), bins, step)
    unseen = np.setdiff1d(np.asarray(field.atoms, float), unique)
    own = np.sort(np.concatenate([unique[heavy], unseen]))
    unique, counts = unique[~heavy], counts[~heavy]
    place = np.searchsorted(edges, unique, side="right")
    mass = np.bincount(place, counts, minlength=len(edges) + 1)
    share = np.zeros(len(unique))
    if step:
        room = np.ones(len(mass))
        room[1:-1] = (
            np.rint(np.diff(edges) / step) - np.bincount(np.searchsorted(edges, own), minlength=len(mass))[1:-1]
        )
        share = _shares(counts, place, mass, np.maximum(room, 1.0))
    kept = share > 0
    even = 1 - np.bincount(place, share, minlength=len(mass)) / np.maximum(mass, 1e-300)
    points, state = np.concatenate([unique[kept], own]), np.concatenate([place[kept], len(mass) + np.arange(len(own))])
    shares = np.concatenate([share[kept] / mass[place[kept]], np.ones(len(own))])
    order = np.argsort(points)
    scale = _scales(unique, counts, edges, step)
    return NumberAxis(edges, even, scale, points[order], state[order], shares[order], np.array([step]))


def _stands_out(unique: np.ndarray, counts: np.ndarray, bins: int, step: float) -> np.ndarray:
    """Which values of a grid occur more often than an even spread over their neighbourhood explains.

    The gain in log-likelihood has to be worth the number that it costs (Schwarz 1978).
    """
    total = counts.sum()
    place = np.minimum(((np.cumsum(counts) - counts / 2) / total * bins).astype(int), bins - 1)
    first, last = np.full(bins, np.inf), np.full(bins, -np.inf)
    np.minimum.at(first, place, unique)
    np.maximum.at(last, place, unique)
    room = np.where(last >= first, (last - first) / step + 1, 1)
    expected = (np.bincount(place, counts, minlength=bins) / room)[place]
    gain = counts * np.log(counts / expected) - (counts - expected)
    return (counts > expected) & (gain > 0.5 * math.log(total + 1) + 1) | (room[place] == 1)


def _shares(counts: np.ndarray, place: np.ndarray, mass: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(P,) mass of values that repeat: one less than they occur, so that what occurred once leaves no trace.

    From how many occurrences on is chosen by how well each value is foretold by all others (leave one out).
    """
    best, found = -np.inf, np.zeros_like(counts)
    for least in (*OFTEN, np.inf):
        share = np.where(counts >= least, counts - 1, 0.0)
        even = (mass - np.bincount(place, share, minlength=len(mass))) / room
        without = np.where(counts - 1 >= least, counts - 2, 0.0)
        score = float(counts @ np.log(np.maximum(without, 0) + np.maximum(even[place], 1e-12)))
        if score > best:
            best, found = score, share
    return found


def _grid_edges(unique: np.ndarray, counts: np.ndarray, heavy: np.ndarray, bins: int, field: Number) -> np.ndarray:
    """Edges halfway between points of the grid; the tails begin beyond all that was seen."""
    step = field.resolution
    assert step is not None
    inner = _edges(unique[~heavy], counts[~heavy], bins)
    inner = (np.floor(inner / step) + 0.5) * step
    ends = np.array([min(unique[0], field.low), max(unique[-1], field.high)]) + np.array([-step, step]) / 2
    return np.unique(np.concatenate([ends, inner]))


def _edges(unique: np.ndarray, counts: np.ndarray, bins: int) -> np.ndarray:
    """Increasing edges halfway between neighbouring values: bins of even mass, halved again and again at the ends."""
    if len(unique) < 2:
        return unique.astype(float)
    total = counts.sum()
    halvings = max(0, int(math.log2(max(1.0, total / (bins * TAIL)))))
    ends = 0.5 ** np.arange(1, halvings + 1) / bins
    levels = np.concatenate([ends[::-1], np.arange(1, bins) / bins, 1 - ends]) * total
    at = np.searchsorted(np.cumsum(counts), levels - 1e-9)
    at = np.unique(at[at < len(unique) - 1])
    return np.unique((unique[at] + unique[at + 1]) / 2)


def _without_gaps(edges: np.ndarray, unique: np.ndarray, counts: np.ndarray, bins: int, step: float) -> np.ndarray:
    """The edges, and those of stretches inside bins where nothing is: at most as many stretches as there are bins.

    A bin of even mass that reaches over a gap would spread the values on one side of it over the other. Among k values
    spread evenly over a bin, a share s of it stays empty somewhere with probability k (1 - s)^k at most; a gap
    whose chance is below that of CHANCE such gaps in all bins together is none of chance.
    """
    bound = math.log(max(counts.sum(), 1.0) / CHANCE)
    found: list[tuple[float, float, float]] = []
    at = np.searchsorted(unique, edges)
    inner = zip(edges[:-1], edges[1:], np.split(unique, at)[1:-1], np.split(counts, at)[1:-1], strict=True)
    waiting = [each for each in inner if len(each[2])]
    while waiting:
        low, high, points, weights = waiting.pop()
        gap = _gap(low, high, points, weights, bound)
        if gap is None:
            continue
        start, end = gap[1:]
        found.append(gap)
        for a, b in ((low, start), (end, high)):
            inside = (points > a) & (points < b)
            if inside.any():
                waiting.append((a, b, points[inside], weights[inside]))
    kept = sorted(found, reverse=True)[:bins]
    extra = np.array([edge for _, start, end in kept for edge in (start, end)])
    if step:
        extra = (np.floor(extra / step) + 0.5) * step
    return np.unique(np.concatenate([edges, extra]))


def _gap(
    low: float, high: float, points: np.ndarray, weights: np.ndarray, bound: float
) -> tuple[float, float, float] | None:
    """Gain in log-likelihood, start and end of the longest stretch of a bin that is empty; None where chance may be it.

    Half the usual distance of two values is left on both sides.
    """
    ends = np.concatenate([[low], points, [high]])
    at = int(np.diff(ends).argmax())
    total = float(weights.sum())
    margin = (high - low - (ends[at + 1] - ends[at])) / max(total, 1.0) / 2
    start = ends[at] + (margin if at else 0.0)
    end = ends[at + 1] - (margin if at < len(points) else 0.0)
    if end <= start:
        return None
    gain = -total * math.log(max(1 - (end - start) / (high - low), 1e-12))
    return (gain, start, end) if gain > bound else None


def _scales(unique: np.ndarray, counts: np.ndarray, edges: np.ndarray, step: float) -> np.ndarray:
    """(2,) the mean distance of what lies beyond the outer edges, or a tenth of the range where nothing does."""
    spread = float(edges[-1] - edges[0]) / 10 or 1e-6 * abs(float(edges[0])) or 1.0
    out = []
    for side, edge in ((-1.0, edges[0]), (1.0, edges[-1])):
        beyond = side * (unique - edge)
        inside = beyond > 0
        mean = float(np.average(beyond[inside], weights=counts[inside])) if inside.any() else 0.0
        out.append(max(mean or spread, step))
    return np.array(out)
