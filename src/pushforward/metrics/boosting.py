"""Judges of rows: histogram gradient boosting with native categories and holes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import ThreadpoolController

from pushforward.metrics.rows import Rows
from pushforward.training.threads import spread

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_LEVELS = 255  # that boosting takes in one category
TREES = 100
MORE_TREES = 300  # beyond as many rows as make scikit-learn stop early; classes have a tree each, so many get fewer
MANY = 10_000


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `work`, which fits or asks judges, gives for each item: a thread each, of which none starts others.

    The threads that scikit-learn starts in each round of boosting wait for one another, and for long where another
    process takes a core away.
    """

    def alone(item: Item) -> Result:
        with _controller().limit(limits=1):
            return work(item)

    return spread(alone, items)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@dataclass(frozen=True, eq=False)
class Design:
    """Rows as boosting sees them.

    Attributes:
        x: (n, p) float64; codes of levels as numbers; NaN for holes.
        categorical: (p,) bool, which columns are codes.
        groups: by field the columns that it became.
    """

    x: np.ndarray
    categorical: np.ndarray
    groups: dict[str, list[int]]


def design(rows: Rows) -> Design:
    """The columns of rows; categories of more levels than boosting takes are numbers, in sorted order."""
    columns: list[np.ndarray] = []
    categorical: list[bool] = []
    groups: dict[str, list[int]] = {}
    for name in rows.names:
        if name in rows.texts:
            block, code = rows.texts[name], False
        elif name in rows.codes:
            codes = rows.codes[name].astype(np.float64)
            block, code = np.where(codes < 0, np.nan, codes)[:, None], len(rows.levels[name]) <= MOST_LEVELS
        else:
            block, code = rows.numbers[name][:, None], False
        groups[name] = list(range(len(categorical), len(categorical) + block.shape[1]))
        columns.append(block)
        categorical += [code] * block.shape[1]
    return Design(np.concatenate(columns, axis=1), np.array(categorical), groups)


def classifier(
    categorical: np.ndarray | None, seed: int, *, rows: int, classes: int = 2
) -> HistGradientBoostingClassifier:
    """Boosted trees that are to tell classes of so many rows apart."""
    trees = MORE_TREES if rows > MANY else TREES
    rounds = trees if classes == 2 else max(10, trees // classes)
    return HistGradientBoostingClassifier(max_iter=rounds, categorical_features=categorical, random_state=seed)


def regressor(categorical: np.ndarray | None, seed: int) -> HistGradientBoostingRegressor:
    """Boosted trees that tell a number."""
    return HistGradientBoostingRegressor(categorical_features=categorical, random_state=seed)
