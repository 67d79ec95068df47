"""What drawn records are good for: a judge that learned from them, asked about real ones."""

from __future__ import annotations

import numpy as np

from pushforward.data import Number, Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import bootstrap
from pushforward.metrics.judge import STEPS
from pushforward.metrics.learned import Answers, learned
from pushforward.metrics.measured import Measured
from pushforward.metrics.rows import subset


def utility(
    drawn: Records, train: Records, held: Records, field: str, *, seed: int = 0, steps: int = STEPS
) -> Measured:
    """How well a field of held-out records is told by a judge trained on draws, over one trained on real records.

    1: as well, which is ideal; 0: not at all. What is told is the AUC of two levels, counted from ½, where it is
    chance; the accuracy of more levels; R² of a number. Both judges see equally many records.

    Args:
        drawn, train, held: records of the same fields.
        field: a category or a number.
        seed: of the judges, the choice of records, and the interval.
        steps: of a network, where there are pictures.

    Returns:
        The ratio; ``detail`` says what was told (``measure``), by which judge how well (``drawn``, ``real``).

    Raises:
        ArgumentError: the field is a picture or a text.
        UnmeasurableError: there are too few records or levels, or real records do not tell the field either.
    """
    n = min(len(drawn), len(train))
    (real,) = learned(subset(train, n, seed), [held], field, seed=seed, steps=steps)
    number = isinstance(train.schema[field], Number)
    measure = "R²" if number else "AUC" if np.unique(real.truth).size == 2 else "accuracy"
    try:
        (ours,) = learned(subset(drawn, n, seed + 1), [held], field, seed=seed, steps=steps)
    except UnmeasurableError as error:
        raise UnmeasurableError(f"of draws: {error}") from error
    base = {"AUC": 0.5}.get(measure, 0.0)

    def ratio(w: np.ndarray) -> float:
        top, floor = (_quality(part, measure, w) - base for part in (ours, real))
        return top / floor if floor > 0 else float("nan")

    value, low, high = bootstrap(ratio, (len(real.truth),), seed=seed)
    even = np.full(len(real.truth), 1 / len(real.truth))
    found = {"drawn": _quality(ours, measure, even), "real": _quality(real, measure, even)}
    if found["real"] - base < 0.01:
        raise UnmeasurableError(
            f"the other fields of real records do not tell {field!r} either ({measure} {found['real']:.3f})"
        )
    return Measured(value, low, high, "higher", 1.0, detail={"measure": measure, "field": field, **found})


def _quality(answers: Answers, measure: str, w: np.ndarray) -> float:
    """The measure of records that are weighted."""
    if measure == "accuracy":
        return float(w @ answers.right)
    if measure == "R²":
        mean = w @ answers.truth
        return float(1 - (w @ (answers.truth - answers.said) ** 2) / (w @ (answers.truth - mean) ** 2))
    one = answers.truth == answers.truth.max()
    return _weighted_area(answers.said[:, int(answers.truth.max())], one, w)


def _weighted_area(scores: np.ndarray, one: np.ndarray, w: np.ndarray) -> float:
    """P(score of one > score of another) + half of ties, by weights."""
    levels, where = np.unique(scores, return_inverse=True)
    ones, others = (np.bincount(where, w * side, len(levels)) for side in (one, ~one))
    below = np.cumsum(others) - others / 2
    return float(ones @ below / (ones.sum() * others.sum()))
