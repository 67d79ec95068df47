"""Distances between distributions of features, in units of what real records are apart from real records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pushforward.data import Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import bootstrap
from pushforward.metrics.measured import Measured
from pushforward.metrics.rows import subset
from pushforward.metrics.spaces import Features

FEWEST = 50
FLOORS = 4  # parts of the training records whose distances make a floor
MOST = 4096  # records of each side, whose kernel matrix is held
Weighted = Callable[[np.ndarray, np.ndarray], float]


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """|μ - ν|² + tr(Σ + T - 2 (Σ T)^½) of features (n, d) and (m, d); 0: alike (Heusel et al. 2017, arXiv 1706.08500).

    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(frechet(x, x + 2), 6)
    12.0
    """
    return frechet_of(a, b)(np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b)))


def frechet_of(a: np.ndarray, b: np.ndarray) -> Weighted:
    """The same as a function of weights of the records."""

    def distance(v: np.ndarray, w: np.ndarray) -> float:
        (m, s), (n, t) = _moments(a, v), _moments(b, w)
        values, vectors = np.linalg.eigh(s)
        root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
        both = np.sqrt(
            np.linalg.eigvalsh(root @ t @ root).clip(0)
        ).sum()  # features that never fire are no trouble here
        return max(0.0, float(((m - n) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * both))

    return distance


def _moments(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = w @ x
    centred = x - mean
    return mean, (centred * w[:, None]).T @ centred * (len(x) / (len(x) - 1))


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    """The squared kernel distance E k(x, x') + E k(y, y') - 2 E k(x, y) of features (n, d) and (m, d); 0: alike.

    The kernel is (x·y / s + 1)³ (Bińkowski et al. 2018, arXiv 1801.01401), with the mean s of y·y where they take d, so
    that units are none and features of which few differ from 0 are not seen by their means alone. Pairs of a record
    with itself count: the number is never below 0 and has a floor that real records have as well.

    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> kernel(x, x) < 1e-6, kernel(x, x + 2) > 1
    (True, True)
    """
    return kernel_of(a, b)(np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b)))


def kernel_of(a: np.ndarray, b: np.ndarray) -> Weighted:
    """The same as a function of weights of the records."""
    x = np.concatenate([a, b]).astype(np.float32)
    gram = _gram(x, _length(b))

    def distance(v: np.ndarray, w: np.ndarray) -> float:
        signed = np.concatenate([v, -w])
        return max(0.0, float(signed @ (gram @ signed.astype(np.float32)).astype(np.float64)))

    return distance


def frechet_ratio(
    drawn: Records, real: Records, train: Records, spaces: Sequence[Features], *, seed: int = 0
) -> Measured:
    """The Fréchet distance of draws to held-out records, over that of as many training records to them.

    1: as near as real records are, which is ideal; 2: twice as far. The mean over several feature spaces.

    Args:
        drawn, real, train: records; the real ones were held out.
        spaces: `picture_features` of several `judges`, or `row_features`.
        seed: of the choice of records and of the interval.

    Returns:
        The ratio; ``detail`` says the distance, the floor and n.

    Raises:
        UnmeasurableError: there are fewer than 50 of either, or real records do not differ at all.
    """
    n = _enough(drawn, real, train)
    ours, theirs = (subset(part, n, seed + i) for i, part in enumerate((drawn, real)))
    order = np.random.default_rng(seed).permutation(len(train))
    known = [train.take(order[i : i + n]) for i in range(0, min(len(train), FLOORS * n) - n + 1, n)]
    seen = [x(theirs) for x in spaces]
    top = [frechet_of(x(ours), y) for x, y in zip(spaces, seen, strict=True)]
    floors = [frechet_of(x(part), y) for x, y in zip(spaces, seen, strict=True) for part in known]

    def ratio(v: np.ndarray, w: np.ndarray, u: np.ndarray) -> float:
        floor = np.mean([distance(u, w) for distance in floors])
        return float(np.mean([distance(v, w) for distance in top]) / floor) if floor > 0 else float("nan")

    even = np.full(n, 1 / n)
    distance = float(np.mean([distance(even, even) for distance in top]))
    if not np.isfinite(ratio(even, even, even)):
        raise UnmeasurableError("training and held-out records do not differ at all, so that there is no floor")
    value, low, high = bootstrap(ratio, (n, n, n), seed=seed, logs=True)
    detail = {"distance": distance, "floor": distance / value if value else 0.0, "n": n}
    return Measured(value, low, high, "lower", 1.0, detail=detail)


def kernel_ratio(
    drawn: Records, real: Records, spaces: Sequence[Features], *, seed: int = 0, most: int = MOST
) -> Measured:
    """The squared kernel distance of draws to held-out records, over what that of as many real records would be.

    1: as near as real records are, which is ideal; 2: twice as far. The mean over several feature spaces. The floor is
    an expectation, 2 (E k(x, x) - E k(x, x')) / n, and has no noise of other records.

    Args:
        drawn, real: records; the real ones were held out.
        spaces: `picture_features` of several `judges`, or `row_features`.
        seed: of the choice of records and of the interval.
        most: records of each side that take part, chosen at random.

    Returns:
        The ratio; ``detail`` says the distance, the floor and n.

    Raises:
        UnmeasurableError: there are fewer than 50 of either, or real records do not differ at all.
    """
    n = min(_enough(drawn, real), most)
    ours, theirs = (subset(part, n, seed + i) for i, part in enumerate((drawn, real)))
    found, floor = [], 0.0
    for space in spaces:
        x, y = space(ours), space(theirs)
        found.append(kernel_of(x, y))
        floor += _expected(y)
    if floor <= 0:
        raise UnmeasurableError("held-out records do not differ at all, so that there is no floor")

    def ratio(v: np.ndarray, w: np.ndarray) -> float:
        return sum(distance(v, w) for distance in found) / floor

    value, low, high = bootstrap(ratio, (n, n), seed=seed, logs=True)
    detail = {"distance": value * floor / len(spaces), "floor": floor / len(spaces), "n": n}
    return Measured(value, low, high, "lower", 1.0, detail=detail)


def _expected(y: np.ndarray) -> float:
    """What the squared kernel distance of two samples of n records is expected to be, by a sample."""
    n, gram = len(y), _gram(y, _length(y))
    own = np.trace(gram)
    return float(2 / n * (own / n - (gram.sum(dtype=np.float64) - own) / (n * (n - 1))))


def _length(y: np.ndarray) -> float:
    return float((y**2).sum(1).mean()) or 1.0


def _gram(x: np.ndarray, length: float) -> np.ndarray:
    """The kernel of all pairs, in place: this is the largest thing that is held."""
    gram = x @ x.T
    gram /= length
    gram += 1
    gram *= gram * gram
    return gram


def _enough(*parts: Records) -> int:
    """As many of each as there are."""
    n = min(map(len, parts))
    if n < FEWEST:
        raise UnmeasurableError(f"there are {n} records of each side to compare; it takes {FEWEST}")
    return n
