"""What the sum of other variables says of a number: a column that a tree may split, as it may any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RIDGE = 1e-8  # share of each column's variance that is added to it

Tables = tuple[np.ndarray, ...]
"""By variable, (S, K) what each of its states adds to K sums."""


def sums(
    states: np.ndarray, weight: np.ndarray, v: int, others: Sequence[int], views: Sequence[np.ndarray],
    places: Sequence[np.ndarray | None],
) -> Tables:  # fmt: skip
    """Sums of what others add, nearest to a number by least squares: of values to the value, of logarithms to its own.

    A split asks about one column, so that a tree needs leaves without end for what adds up, as totals and times of
    arrival do, or what multiplies, as areas and prices do. One sum makes it a matter of a split again. None are made
    for what is no number, or without numbers to add.

    Args:
        states: (n, V) of records.
        weight: (n,) theirs.
        v: the variable that is told.
        others: by which others.
        views: of each of those, what is seen of its states.
        places: of all variables, where on the line their states lie, if they do.
    """
    line = places[v]
    there = states[:, v] < (0 if line is None else len(line))  # a hole is nowhere on the line
    if line is None or not there.any() or all(places[u] is None for u in others):
        return tuple(np.zeros((len(table), 0)) for table in views)
    states, weight = states[there], weight[there]
    logarithms = [None if line is None else _logarithms(line) for line in places]
    made = [
        _fitted(states, weight, y[states[:, v]], others, views, lines)
        for y, lines in ((line, places), (_logarithms(line), logarithms))
    ]
    return tuple(np.stack(tables, 1) for tables in zip(*made, strict=True))


def summed(told: np.ndarray, others: Sequence[int], tables: Tables) -> np.ndarray:
    """(n, K) float32: the sums of what is told of states (n, V); NaN where a term is not, -1."""
    out = np.zeros((len(told), tables[0].shape[1] if tables else 0))
    if out.shape[1]:
        for u, table in zip(others, tables, strict=True):
            out += np.concatenate([table, np.full((1, table.shape[1]), np.nan)])[told[:, u]]
    return out.astype(np.float32)


def _fitted(
    states: np.ndarray, weight: np.ndarray, y: np.ndarray, others: Sequence[int], views: Sequence[np.ndarray],
    lines: Sequence[np.ndarray | None],
) -> list[np.ndarray]:  # fmt: skip
    """(S,) by variable what its states add to the sum that is nearest to y (n,)."""
    tables = [_columns(lines[u], table) for u, table in zip(others, views, strict=True)]
    x = np.concatenate([table[states[:, u]] for u, table in zip(others, tables, strict=True)], 1)
    total = weight.sum()
    mean, level = weight @ x / total, weight @ y / total
    x -= mean
    spread = np.sqrt(weight @ x**2 / total)
    scale = np.where(spread > 0, spread, 1.0)
    x /= scale
    gram = (x * weight[:, None]).T @ x
    gram[np.diag_indices_from(gram)] += RIDGE * total
    coefficients = np.linalg.solve(gram, x.T @ (weight * (y - level))) / scale
    ends = np.cumsum([table.shape[1] for table in tables])[:-1]
    pairs = zip(tables, np.split(mean, ends), np.split(coefficients, ends), strict=True)
    return [(table - middle) @ slope for table, middle, slope in pairs]


def _columns(line: np.ndarray | None, view: np.ndarray) -> np.ndarray:
    """(S, k) what the states of a variable are in the regression: where they lie on its line, or how they are seen."""
    if line is None:
        return view.astype(float)
    holes = np.arange(len(view)) >= len(line)
    return np.stack([np.resize(line, len(view)) * ~holes, holes], 1)


def _logarithms(line: np.ndarray) -> np.ndarray:
    """Of positive numbers, and what is near it for others."""
    if line.min() > 0:
        return np.log(line)
    small = np.abs(line[line != 0]).min(initial=np.inf)
    return np.sign(line) * np.log1p(np.abs(line) / small)
