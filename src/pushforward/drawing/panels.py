"""Which numbers of a training share a panel, how wide its axis is, and how a line is smoothed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Line = tuple[np.ndarray, np.ndarray]  # steps and values

APART = 6.0  # times its own range, that a number without a prefix may be stretched over in a panel with others
STILL = 0.3  # of its own size, below which the range of a number is not asked after
DECADES = 1.7  # that positive values go over, from which their axis is logarithmic
WINDOWS = 40  # means that a line is smoothed to
SHARES = 0.4  # that values between 0 and 1 go over, from which they are taken for shares of a whole
STRAY = 1.3  # times the range of nearly all values, beyond which the outermost may leave the panel
RUSH = 0.03  # share of a run, at whose beginning values may fall so fast that they would flatten all that follows


@dataclass(frozen=True)
class Panel:
    """A few lines on shared axes.

    Attributes:
        title: what stands above them.
        lines: by what stands beside each.
    """

    title: str
    lines: dict[str, Line]


def panels(numbers: Mapping[str, Line]) -> list[Panel]:
    """Numbers by panel: ``accuracy/real`` and ``accuracy/fake`` in one called ``accuracy``, plain names together.

    Plain names whose ranges have nothing to do with one another get panels of their own: else a line would be flat.

    >>> line = (np.arange(3), np.array([1.0, 2.0, 3.0]))
    >>> [(p.title, list(p.lines)) for p in panels({"a": line, "b/x": line, "c": line, "b/y": line})]
    [('loss', ['a', 'c']), ('b', ['x', 'y'])]
    """
    plain: list[dict[str, Line]] = []
    prefixed: dict[str, dict[str, Line]] = {}
    for name, line in numbers.items():
        prefix, slash, rest = name.partition("/")
        if slash:
            prefixed.setdefault(prefix, {})[rest] = line
        else:
            home = next((lines for lines in plain if _alike([*lines.values(), line])), None)
            if home is None:
                plain.append(home := {})
            home[name] = line
    shared = [Panel(next(iter(lines)) if len(lines) == 1 else "loss", lines) for lines in plain]
    return shared + [Panel(prefix, lines) for prefix, lines in prefixed.items()]


def _alike(lines: list[Line]) -> bool:
    """Whether lines can share an axis: none is flat for it that is not nearly so by itself."""
    ranges = np.array([middle(values) for _, values in lines])
    own = np.maximum(ranges[:, 1] - ranges[:, 0], STILL * np.abs(ranges).max(1))
    return bool(ranges[:, 1].max() - ranges[:, 0].min() <= APART * own.min())


def middle(values: np.ndarray) -> tuple[float, float]:
    """The range of the finite values without the first few and the outermost few of them."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 0.0
    low, high = np.quantile(finite[int(RUSH * len(finite)) :], [0.01, 0.99])
    return float(low), float(high)


def logarithmic(lines: Mapping[str, Line]) -> bool:
    """Whether an axis of decades serves: all values are above zero, and go over some."""
    values = np.concatenate([v[np.isfinite(v)] for _, v in lines.values()])
    if not len(values) or values.min() <= 0:
        return False
    low, high = middle(values)
    return bool(np.log10(high / low) > DECADES)


def limits(lines: Mapping[str, Line], log: bool = False) -> tuple[float, float] | None:
    """Where an axis begins and ends, if not at the outermost values.

    Shares are shown from 0 to 1. What rushes down at the beginning of a run, and single points far from all others,
    may leave the panel.
    """
    found = {name: (at[np.isfinite(v)], v[np.isfinite(v)]) for name, (at, v) in lines.items() if np.isfinite(v).any()}
    if not found:
        return None
    values = [np.log(v) if log else v for _, v in found.values()]
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    inner = [middle(v) for v in values]
    inner_low, inner_high = min(r[0] for r in inner), max(r[1] for r in inner)
    if not log and low >= 0 and high <= 1 and high - low > SHARES and inner_high > 0.5:
        return -0.03, 1.03
    room = inner_high - inner_low
    if not (room > 0 and high - low > STRAY * room):
        return None
    means = [smooth(line)[0][1] for line in found.values()]
    means = [np.log(m) if log else m for m in means]
    ends = [min(float(m.min()) for m in means), max(float(m.max()) for m in means)]
    low, high = max(min(ends[0], inner_low), inner_low - room), min(max(ends[1], inner_high), inner_high + room)
    edge = 0.05 * (high - low)
    ends = [low - edge, high + edge]
    return (float(np.exp(ends[0])), float(np.exp(ends[1]))) if log else (ends[0], ends[1])


def smooth(line: Line) -> tuple[Line, int]:
    """The running mean of a line, and over how many points it goes; 1 where the line is as it is.

    >>> smooth((np.arange(4), np.array([1.0, 2.0, 3.0, 4.0])))[1]
    1
    """
    steps, values = line
    window = len(values) // WINDOWS
    if window < 3 or not np.isfinite(values).all():
        return line, 1
    window += 1 - window % 2
    sums = np.cumsum(np.concatenate([[0.0], values]))
    centre = np.arange(len(values))
    first = np.maximum(centre - window // 2, 0)
    last = np.minimum(centre + np.minimum(centre, window // 2), len(values) - 1)  # a steep start is not blurred
    return (steps, (sums[last + 1] - sums[first]) / (last + 1 - first)), window
