"""Whether a judge can tell drawn records from real ones that it was not shown: the classifier two-sample test."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedKFold

from pushforward.data import Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.boosting import Design, classifier, design, side_by_side
from pushforward.metrics.intervals import area, around, share
from pushforward.metrics.measured import Measured
from pushforward.metrics.rows import rows, subset

FOLDS = 5
FEWEST = 50  # drawn and real records, each


def told_rows(drawn: Records, real: Records, *, seed: int = 0) -> Measured:
    """The accuracy of boosted trees in telling drawn rows from as many real ones.

    ½: no better than chance, which is ideal; 1: every row gives itself away (Lopez-Paz & Oquab 2017, arXiv
    1610.06545). Each row is judged by trees that were shown the other four fifths of rows.

    Args:
        drawn, real: records of the same fields; the generator should not have seen the real ones.
        seed: of the choice of rows, the folds and the trees.

    Returns:
        The accuracy; ``detail["auc"]`` is the area under the curve as `Measured`, ``detail["importance"]`` by field
        how much of that area is lost where the field is shuffled among rows, largest first.

    Raises:
        UnmeasurableError: there are fewer than 50 of either, or nothing but pictures.

    >>> import pushforward as pf
    >>> rng = np.random.default_rng(0)
    >>> one, other = (pf.read({"x": rng.normal(size=400) + shift}) for shift in (0, 3))
    >>> told_rows(one, other).value > 0.9
    True
    """
    n = enough(drawn, real)
    ours, theirs = rows(subset(drawn, n, seed), subset(real, n, seed + 1))
    return told(_both(design(ours), design(theirs)), n, seed=seed)


def enough(drawn: Records, real: Records) -> int:
    """How many of each a judge is shown.

    Raises:
        UnmeasurableError: they are too few.
    """
    n = min(len(drawn), len(real))
    if n < FEWEST:
        raise UnmeasurableError(f"there are {n} drawn and real records each to tell apart; it takes {FEWEST}")
    return n


def _both(ours: Design, theirs: Design) -> Design:
    return Design(np.concatenate([ours.x, theirs.x]), ours.categorical, ours.groups)


def told(features: Design, n: int, *, seed: int = 0) -> Measured:
    """The same of features: those of n drawn records, then of n real ones.

    A judge that is right less often than chance is worth as much as chance.
    """
    label = np.repeat([1, 0], n)

    def fold(split: tuple[int, tuple[np.ndarray, np.ndarray]]) -> tuple[int, tuple[float, float], dict[str, float]]:
        first, (shown, asked) = split[0] == 0, split[1]
        judge = classifier(features.categorical, seed, rows=len(shown)).fit(features.x[shown], label[shown])
        chance = judge.predict_proba(features.x[asked])[:, 1]
        lost = _importance(judge, features, asked, label, seed) if first else {}
        return int(((chance > 0.5) == label[asked]).sum()), _area(chance, label[asked]), lost

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features.x, label)
    right, areas, importance = zip(*side_by_side(fold, list(enumerate(folds))), strict=True)
    auc, variance = (float(np.mean(part)) for part in zip(*areas, strict=True))
    area_ = Measured(*around(auc, (variance / FOLDS) ** 0.5, 0, 1), "lower", 0.5)
    detail = {"auc": area_, "importance": importance[0], "n": n}
    return Measured(*share(sum(right), 2 * n), "lower", 0.5, detail=detail)


def _area(chance: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    return area(chance[label == 1], chance[label == 0])


def _importance(judge: object, features: Design, asked: np.ndarray, label: np.ndarray, seed: int) -> dict[str, float]:
    """By field how much of the area is lost where the cells of the field are shuffled."""
    if len(features.groups) < 2:
        return dict.fromkeys(features.groups, 1.0)
    rng = np.random.default_rng(seed)
    whole = _area(judge.predict_proba(features.x[asked])[:, 1], label[asked])[0]  # type: ignore[attr-defined]
    lost = {}
    for name, columns in features.groups.items():
        x = features.x[asked].copy()
        x[:, columns] = x[rng.permutation(len(x))][:, columns]
        lost[name] = max(0.0, whole - _area(judge.predict_proba(x)[:, 1], label[asked])[0])  # type: ignore[attr-defined]
    return dict(sorted(lost.items(), key=lambda item: -item[1]))


def worst(measured: Measured, most: int = 5) -> list[tuple[str, float]]:
    """The fields that give drawn rows away, with their importance, largest first."""
    return [(name, lost) for name, lost in measured.detail["importance"].items() if lost > 0][:most]
