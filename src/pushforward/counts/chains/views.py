"""What a tree sees of other variables: columns of numbers that it may split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pushforward.counts.chains.digits import upright

FEW = 12  # levels that each have a column of their own
SCORES = 3  # columns of levels put in order
PRIOR = 1.0  # records' worth of the mean that a level begins with


def view(
    places: np.ndarray | None, size: int, states: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """(size, k) float32: what is seen of each state.

    Numbers are seen in their order. Levels are seen by what they say of the target: the principal components of its
    mean at each, along which the best of all ways to part them lies where the target has two classes (Breiman et al.
    1984, §4.2.2), and near it otherwise (Coppersmith, Hong, Hosking 1999).

    Args:
        places: (S,) where on the line states lie, if they do.
        size: states, of which those beyond `places` are holes.
        states: (n,) of records.
        target: (n,) their classes.
        weight: (n,) theirs.
    """
    if places is not None:
        hole = np.arange(size) >= len(places)  # below all numbers, and by itself
        line = np.full(size, -1.0)  # ranks: trees ask for no more, and single precision holds them
        line[np.argsort(places, kind="stable")] = np.arange(len(places))
        return np.stack([line, hole], 1)[:, : 1 + hole.any()].astype(np.float32)
    classes = int(target.max(initial=0)) + 1
    table = np.bincount(states * classes + target, weight, minlength=size * classes).reshape(size, classes)
    mean, mass = table.sum(0) / max(table.sum(), 1e-300), table.sum(1)
    table = (table + PRIOR * mean) / (mass[:, None] + PRIOR) - mean
    directions = upright(np.linalg.eigh((table * mass[:, None]).T @ table)[1][:, ::-1][:, :SCORES])
    columns = [table @ directions] + ([np.eye(size)] if size <= FEW else [])
    return np.concatenate(columns, 1).astype(np.float32)


def seen(told: np.ndarray, others: Sequence[int], views: Sequence[np.ndarray]) -> np.ndarray:
    """(n, k) float32: the columns of other variables' states (n, V); NaN where nothing is told, -1."""
    out = np.full((len(told), sum(table.shape[1] for table in views)), np.nan, np.float32)
    start = 0
    for u, table in zip(others, views, strict=True):
        stop, known = start + table.shape[1], told[:, u] >= 0
        if known.all():
            out[:, start:stop] = table.take(told[:, u], 0)
        else:
            out[known, start:stop] = table[told[known, u]]
        start = stop
    return out
