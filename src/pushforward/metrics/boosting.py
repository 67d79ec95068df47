"""Judges of rows: histogram gradient boosting with native categories and holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pushforward.metrics.rows import Rows

MOST_LEVELS = 255  # that boosting takes in one category
TREES = 300  # at most; a category of many levels, with a tree for each of them, is given fewer rounds


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


def classifier(categorical: np.ndarray | None, seed: int, classes: int = 2) -> HistGradientBoostingClassifier:
    """Boosted trees that tell classes apart, stopped early where there are more than 10,000 rows."""
    rounds = TREES if classes == 2 else max(10, TREES // classes)
    return HistGradientBoostingClassifier(max_iter=rounds, categorical_features=categorical, random_state=seed)


def regressor(categorical: np.ndarray | None, seed: int) -> HistGradientBoostingRegressor:
    """Boosted trees that tell a number."""
    return HistGradientBoostingRegressor(categorical_features=categorical, random_state=seed)
