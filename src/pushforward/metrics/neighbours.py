"""Whether draws lie where real records lie, and everywhere where they lie: precision, recall, density, coverage."""

from __future__ import annotations

import numpy as np

from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import around, share
from pushforward.metrics.measured import Measured

BLOCK = 512
SLACK = 1e-9  # of squared distances, in units of the mean squared length: records that are equal are 0 apart


def manifold(drawn: np.ndarray, real: np.ndarray, *, k: int = 5) -> dict[str, Measured]:
    """Precision, recall, density and coverage of features.

    precision: the share of draws within the ball of a real record, as wide as the distance to its k-th neighbour
    (Kynkäänniemi et al. 2019, arXiv 1904.06991); 1: all draws look real. recall: the share of real records within the
    ball of a draw; 1: all that is real is drawn. density: in how many balls of real records a draw lies, over k; 1 is
    ideal, more where draws crowd. coverage: the share of real records with a draw in their ball (Naeem et al. 2020,
    arXiv 2002.09797), whose expectation is known if both are alike: about 1 - 2⁻ᵏ.

    Args:
        drawn, real: (n, d) and (m, d) features.
        k: neighbours.

    Returns:
        The four, by name.

    Raises:
        UnmeasurableError: there are not more than k of either, or real records do not differ.

    >>> x = np.random.default_rng(0).normal(size=(2, 400, 2))
    >>> {name: round(found.value, 1) for name, found in manifold(x[0], x[1] + [9, 0]).items()}
    {'precision': 0.0, 'recall': 0.0, 'density': 0.0, 'coverage': 0.0}
    """
    if min(len(drawn), len(real)) <= k:
        raise UnmeasurableError(f"there are {len(drawn)} draws and {len(real)} real records; it takes more than k={k}")
    scale = float((real - real.mean(0)).var(0).sum())
    if scale == 0:
        raise UnmeasurableError("all real records are alike in these features, so that none is near another")
    slack = SLACK * scale
    theirs, ours = _radius(real, k) + slack, _radius(drawn, k) + slack
    inside = np.zeros(len(drawn), np.int64)  # balls of real records that a draw lies in
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for start in range(0, len(drawn), BLOCK):
        part = slice(start, start + BLOCK)
        apart = _squares(drawn[part], real)
        inside[part] = (apart <= theirs).sum(1)
        recalled |= (apart <= ours[part, None]).any(0)
        covered |= (apart <= theirs).any(0)
    density = inside / k
    spread = float(density.std() / np.sqrt(len(drawn)))
    n, m = len(drawn), len(real)
    return {
        "precision": Measured(*share(int((inside > 0).sum()), n), "higher", 1.0),
        "recall": Measured(*share(int(recalled.sum()), m), "higher", 1.0),
        "density": Measured(*around(float(density.mean()), spread, 0), "near", 1.0),
        "coverage": Measured(*share(int(covered.sum()), m), "higher", 1 - _missed(n, m, k)),
    }


def _missed(n: int, m: int, k: int) -> float:
    """The chance that none of n draws is among the k nearest to a record of m, if draws are distributed like them.

    All orders of the other m - 1 records and n draws by their distance are equally likely.

    >>> round(_missed(10_000, 10_000, 5), 3)
    0.031
    """
    others = np.arange(m - 1, m - 1 - k, -1.0)
    return float(np.prod(others / (others + n)))


def _radius(x: np.ndarray, k: int) -> np.ndarray:
    """(n,) the squared distance of each record to its k-th neighbour."""
    return np.concatenate(
        [np.partition(_squares(x[i : i + BLOCK], x), k, axis=1)[:, k] for i in range(0, len(x), BLOCK)]
    )


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T).clip(0)
