"""The grid that repeated numbers lie on: a number of decimals, or the common measure of converted units."""

from __future__ import annotations

import numpy as np

ROUNDS = 100  # remainders that are tried
DIGITS = 17  # that write any float64
FEW = 100  # values that may each have mass of their own where they lie on no grid


def common_measure(values: np.ndarray) -> float | None:
    """The largest number of which all values are multiples, to the precision of their type; None where there is none.

    Wind speeds that were whole knots before they became miles an hour are multiples of 1.15078. Euclid's algorithm
    over floats: a remainder takes the place of the measure until none is left. The measure is written with the fewest
    digits that give the values back. Where rounding would pass for a remainder, because a value is too many multiples
    of the measure, there is none.

    >>> common_measure(np.array([6, 8, 9]) * 1.15078)
    1.15078
    >>> common_measure(np.array([1.0, 2.0, np.pi])) is None
    True
    """
    u = np.unique(np.abs(values))
    u = u[u > 0].astype(float)
    if len(u) < 2 or not np.issubdtype(values.dtype, np.floating):
        return None
    eps = float(np.finfo(values.dtype).eps)
    near = eps**0.5
    whole, exponent = u, int(np.frexp(u[-1])[1])
    u = np.ldexp(u, -exponent)  # the largest is about 1: products of huge numbers, and ratios of tiny ones, overflow
    measure = u[0]
    for _ in range(ROUNDS):
        if 8 * eps * u[-1] > near * measure:
            return None
        times = np.rint(u / measure)
        off = np.abs(u / measure - times) > near
        if not off.any():
            return _shortest(float(np.ldexp(u @ times / (times @ times), exponent)), whole, eps)
        first = int(np.argmax(off))  # all before it are multiples, and make the measure more exact
        if first:
            measure = float(u[:first] @ times[:first] / (times[:first] @ times[:first]))
        measure = abs(float(u[first] - np.rint(u[first] / measure) * measure))
        if measure == 0:
            return None
    return None


def _shortest(measure: float, u: np.ndarray, eps: float) -> float:
    """The measure with the fewest digits whose multiples are these values."""
    for digits in range(1, DIGITS):
        short = float(f"{measure:.{digits}g}")
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # what does not fit is not returned
            if np.all(np.abs(np.rint(u / short) * short - u) <= 4 * eps * u):
                return short
    return measure


def spikes(values: np.ndarray, share: float) -> tuple[float, ...]:
    """Values that carry mass of their own: at least this share of the column, and far above their neighbours.

    They become one more category of the encoding. On a grid the base measure counts, so that
    nothing but the shape of the model depends on it; off it, whatever recurs has mass that no density can hold.

    >>> spikes(np.array([0] * 50 + list(range(1, 51))), share=0.2)
    (0.0,)
    """
    found, times = np.unique(values, return_counts=True)
    if len(found) < 20:
        return ()
    heavy = (times >= share * len(values)) & (times >= 10 * np.median(times))
    return tuple(float(value) for value in found[heavy])


def scattered(values: np.ndarray) -> tuple[float, ...]:
    """All values of a column that lies on no grid and yet has few, most of which repeat; none else.

    A density has nothing to say of such a column, since each of its values has mass.

    >>> len(scattered(np.tile(np.sqrt([2, 3, 5, 7]), 10)))
    4
    >>> scattered(np.sqrt(np.arange(40)))
    ()
    """
    found, times = np.unique(values, return_counts=True)
    if len(found) > FEW or len(found) > len(values) / 2 or np.median(times) < 3:
        return ()
    return tuple(float(value) for value in found)
