"""A number with its interval, on the scale of its column."""

from __future__ import annotations

import math

from pushforward.compare.report.charts.marks import line, mark, picture
from pushforward.compare.report.charts.scale import Scale, around
from pushforward.compare.report.elements import Safe, el
from pushforward.metrics import Measured

WIDTH, HEIGHT = 84.0, 16.0


def column(found: list[Measured], width: float = WIDTH) -> Scale:
    """The scale of a column: it holds all numbers, the nearer ends of intervals, and what is ideal."""
    values = [one.value for one in found]
    scale = around(values, 0, 1, logs=True, margin=0)
    ends = [end for one in found for end in (one.low, one.high) if math.isfinite(end)]
    ideals = {one.ideal for one in found if math.isfinite(one.ideal)}
    inside = [end for end in ends if not scale.log or end > 0]
    span = (scale.high - scale.low) or max((one.high - one.low for one in found), default=0.0) or 1.0
    kept = [end for end in inside if scale.log or scale.low - span <= end <= scale.high + span]
    kept += [one for one in ideals if not scale.log or one > 0]
    return around(
        [value for value in values if not scale.beyond(value)] + kept, 5, width - 5, logs=scale.log, margin=0.04
    )


def whisker(found: Measured, scale: Scale, words: str, shape: int = 0, *, open_: bool = False) -> Safe:
    """A dot with its interval, beside a faint line where it would be best.

    Args:
        words: what the number is, for who cannot see it.
        shape: of the mark.
        open_: whether the mark is hollow, for what is a bound or an estimate.
    """
    middle = HEIGHT / 2
    best = math.isfinite(found.ideal) and not scale.beyond(found.ideal)
    parts = [line(scale(found.ideal), 0, scale(found.ideal), HEIGHT, "ideal")] if best else []
    side = scale.beyond(found.value)
    if side:
        tip = scale.stop + 4 if side > 0 else scale.start - 4
        parts.append(el("path", d=f"M{tip:.1f} {middle}l{-7 * side} -4v8z", class_="mark"))
    else:
        parts.append(line(scale(found.low), middle, scale(found.high), middle, "whisker"))
        parts.append(mark(scale(found.value), middle, shape, 3.6, "mark open" if open_ else "mark"))
    return picture(scale.stop + 5, HEIGHT, parts, words=words, class_="whiskers", fluid=False)
