"""Where a number on a grid goes that would be rounded to an atom it does not stand on.

An atom is drawn by a level of its own, so that its cell of the grid must stay empty of all others: the lower half of
a run of atoms goes to the point of the grid below, the upper half to the one above, or all of it to the only side
there is.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.data.schema import Number


def off_atoms(values: np.ndarray, field: Number) -> np.ndarray:
    """Numbers that would be rounded to an atom, moved beside it; two that are in order stay so."""
    if field.resolution is None:
        return values
    for first, last in _runs(field):
        down, up = first - field.resolution, last + field.resolution
        rounded = np.clip(np.rint(values / field.resolution) * field.resolution, field.low, field.high)
        near = (rounded > (first + down) / 2) & (rounded < (last + up) / 2)
        if not near.any() or (down < field.low and up > field.high):  # all that can be is an atom
            continue
        rises = (values >= (down + up) / 2) if down >= field.low and up <= field.high else up <= field.high
        values = np.where(near, np.where(rises, up, down), values)
    return values


def edge(bound: float, field: Number, side: int) -> float:
    """Where, among numbers that stand on no atom, those begin (side -1) or end (side 1) that a bound lets through.

    On a grid that is half way between the last point within and the first one without; in the middle of a run of
    atoms that lies between.

    >>> age = Number(name="age", type="int64", resolution=1.0, low=0, high=90, atoms=(0.0,))
    >>> edge(17, age, -1), edge(20, age, 1)
    (16.5, 20.5)
    >>> edge(0, age, 1), edge(1, age, -1)
    (-inf, -inf)
    """
    if field.resolution is None or math.isinf(bound):
        return bound
    step = field.resolution
    point = (math.ceil(bound / step - 1e-9) if side < 0 else math.floor(bound / step + 1e-9)) * step
    middle = point + side * step / 2
    for first, last in _runs(field):
        down, up = first - step, last + step
        if (first + down) / 2 - 1e-9 * step <= middle <= (last + up) / 2 + 1e-9 * step:
            if down < field.low and up > field.high:
                continue
            return -math.inf if down < field.low else math.inf if up > field.high else (down + up) / 2
    return middle


def _runs(field: Number) -> list[tuple[float, float]]:
    """First and last of atoms that follow one another on the grid."""
    step, runs = field.resolution, list[tuple[float, float]]()
    assert step is not None
    for atom in sorted(field.atoms):
        if runs and math.isclose(atom, runs[-1][1] + step):
            runs[-1] = (runs[-1][0], atom)
        else:
            runs.append((atom, atom))
    return runs
