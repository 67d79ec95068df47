"""One column of drawn records over that of real ones: a step line over bars, or a dot beside each level's bar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pushforward.compare.report.charts.marks import label, line, mark, picture
from pushforward.compare.report.elements import Safe, el
from pushforward.compare.report.words import clipped, number

WIDTH, HEIGHT = 176.0, 92.0
BINS, LEVELS = 24, 10
FEWER = 7  # levels that are shown where there are more than that
ROW, NAMES = 15.0, 62.0  # pixels of a level, and of its name


def edges(real: np.ndarray) -> np.ndarray:
    """Where bins begin and end: what real numbers span but for a few; whole numbers, if few, have a bin each."""
    known = real[np.isfinite(real)]
    if not len(known):
        return np.array([0.0, 1.0])
    values = np.unique(known)
    if 1 < len(values) <= BINS and np.allclose(steps := np.diff(values), steps[0]):
        half = steps[0] / 2
        return np.append(values - half, values[-1] + half)
    low, high = np.quantile(known, [0.005, 0.995])
    low, high = (low, high) if high > low else (values[0] - 0.5, values[-1] + 0.5)
    return np.linspace(low, high, BINS + 1)


def _ends(real: np.ndarray, bins: np.ndarray) -> tuple[float, float]:
    """The numbers at both ends of the bins: those that are in them, where a bin has one number."""
    inside = real[(real >= bins[0]) & (real <= bins[-1])]
    if 0 < len(np.unique(inside)) <= BINS:
        return float(inside.min()), float(inside.max())
    return float(bins[0]), float(bins[-1])


def shares(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The share of numbers in each bin; those beyond are in the first and last."""
    known = values[np.isfinite(values)]
    counts, _ = np.histogram(np.clip(known, bins[0], bins[-1]), bins)
    return counts / max(1, len(known))


def numbers(
    real: np.ndarray,
    drawn: np.ndarray,
    words: str,
    said: Callable[[float], str] = number,
    bins: np.ndarray | None = None,
) -> Safe:
    """Drawn numbers as a line over bars of real ones.

    Args:
        real, drawn: (n,) and (m,) numbers; NaN where there is none.
        words: what is seen, for who cannot see it.
        said: how a number is written.
        bins: their edges; default: of `edges`.
    """
    bins = edges(real) if bins is None else bins
    ours, theirs = shares(drawn, bins), shares(real, bins)
    top, floor = max(ours.max(), theirs.max(), 1e-9), HEIGHT - 16
    x = np.interp(bins, [bins[0], bins[-1]], [2, WIDTH - 2])
    bars, steps = (floor - (floor - 6) * part / top for part in (theirs, ours))
    area = f"M2 {floor}" + "".join(f"V{y:.1f}H{b:.1f}" for y, b in zip(bars, x[1:], strict=True)) + f"V{floor}z"
    step = (
        f"M{x[0]:.1f} {floor}" + "".join(f"V{y:.1f}H{b:.1f}" for y, b in zip(steps, x[1:], strict=True)) + f"V{floor}"
    )
    first, last = _ends(real, bins)
    ends = [label(2, HEIGHT - 3, said(first), "start", "tick"), label(WIDTH - 2, HEIGHT - 3, said(last), "end", "tick")]
    parts = [
        el("path", d=area, class_="real"),
        el("path", d=step, class_="outline"),
        line(2, floor, WIDTH - 2, floor, "axis"),
    ]
    return picture(WIDTH, HEIGHT, parts, ends, words=words)


def levels(real: np.ndarray, drawn: np.ndarray, names: tuple[str, ...], words: str, shape: int = 0) -> Safe:
    """The share of each level among drawn records as a dot, over a bar of that among real ones.

    Args:
        real, drawn: (n,) and (m,) numbers of levels; -1 where there is none.
        names: of levels; the most frequent ones are shown, and the rest as one.
        words: what is seen, for who cannot see it.
        shape: of the dot.
    """
    shown = _most(real, drawn, names)
    top = max(max(r, d) for _, r, d in shown) or 1.0
    parts: list[Safe] = []
    for i, (name, theirs, ours) in enumerate(shown):
        middle, span = ROW * i + ROW / 2, WIDTH - NAMES - 10
        parts += [
            label(NAMES - 5, middle + 3.5, clipped(name, 10), "end", "tick"),
            el("rect", x=NAMES, y=middle - 4.5, width=span * theirs / top, height=9.0, class_="real"),
            line(NAMES, middle - 4.5, NAMES, middle + 4.5, "axis"),
            mark(NAMES + span * ours / top, middle, shape, 3.4),
        ]
    return picture(WIDTH, ROW * len(shown), parts, words=words)


def _most(real: np.ndarray, drawn: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, float, float]]:
    """(name, share among real, among drawn) of the most frequent levels, of all others, and of holes."""
    theirs, ours = (np.bincount(part + 1, minlength=len(names) + 1) / max(1, len(part)) for part in (real, drawn))
    order = np.argsort(-theirs[1:], kind="stable")
    room = LEVELS if len(names) <= LEVELS else FEWER
    out = [(names[i], float(theirs[i + 1]), float(ours[i + 1])) for i in order[:room]]
    if rest := list(order[room:] + 1):
        out.append((f"{len(rest)} more", float(theirs[rest].sum()), float(ours[rest].sum())))
    if theirs[0] or ours[0]:
        out.append(("missing", float(theirs[0]), float(ours[0])))
    return out
