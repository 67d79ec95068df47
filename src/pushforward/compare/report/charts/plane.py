"""Models as points of a plane, each with its interval and its name beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pushforward.compare.report.charts.marks import below, beside, label, line, mark, picture
from pushforward.compare.report.charts.scale import around
from pushforward.compare.report.elements import Safe, el
from pushforward.compare.report.words import number
from pushforward.metrics import Measured

WIDTH, HEIGHT = 440.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 34.0, 46.0
LINE, LETTER = 13.5, 6.5  # pixels of a name: from line to line, and a letter


@dataclass(frozen=True)
class Point:
    """A model: its name, colour and shape, what it costs, and how good it is."""

    name: str
    colour: str
    shape: int
    x: float
    y: Measured


def plane(points: list[Point], across: str, up: str, words: str, said: Callable[[float], str] = number) -> Safe:
    """Cost, by its logarithm, across; quality up.

    Args:
        across, up: what the axes show.
        words: what is seen, for who cannot see it.
        said: how a cost is written.
    """
    x = around((p.x for p in points), LEFT + 14, WIDTH - RIGHT - 14, logs=True, margin=0.1, decades=1)
    ends = [end for p in points for end in (p.y.value, p.y.low, p.y.high) if math.isfinite(end)]
    ideals = [p.y.ideal for p in points if math.isfinite(p.y.ideal)]
    y = around(ends + ideals[:1], HEIGHT - BOTTOM - 6, TOP + 6, logs=True)
    parts = [*below(x, HEIGHT - BOTTOM, LEFT, across, said), *beside(y, LEFT, WIDTH - LEFT - RIGHT, up)]
    if ideals:
        best = y(ideals[0])
        parts += [
            line(LEFT, best, WIDTH - RIGHT, best, "ideal"),
            label(WIDTH - RIGHT, best - 5, "ideal", "end", "tick"),
        ]
    names = _names([(x(p.x), y(p.y.value), p.name) for p in points])
    for p, (at_x, at_y, anchor) in zip(points, names, strict=True):
        here_x, here_y = x(p.x), y(p.y.value)
        whisker = [line(here_x, y(p.y.low), here_x, y(p.y.high), "whisker"), mark(here_x, here_y, p.shape, 4.6)]
        lead = [line(here_x, here_y, at_x, at_y, "lead")] if abs(at_y - here_y) > LINE / 2 else []
        parts.append(el("g", lead, whisker, label(at_x, at_y + 3.5, p.name, anchor), class_=p.colour))
    return picture(WIDTH, HEIGHT, parts, words=words)


def _names(places: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Where names stand and how they are aligned: beside their points, moved up or down where others stand already."""
    taken: list[tuple[float, float, float]] = [(px - 6, px + 6, py) for px, py, _ in places]
    out: dict[int, tuple[float, float, str]] = {}
    for i in sorted(range(len(places)), key=lambda i: places[i][1]):
        px, py, name = places[i]
        width = LETTER * len(name)
        right = px + 9 + width < WIDTH - RIGHT
        left, end = (px + 9, px + 9 + width) if right else (px - 9 - width, px - 9)
        tries = [py + sign * step * LINE / 2 for step in range(40) for sign in (1, -1)]
        free = (
            at for at in tries
            if TOP <= at <= HEIGHT - BOTTOM - 6
            and not any(a < end and left < b and abs(at - c) < LINE - 1 for a, b, c in taken)
        )  # fmt: skip
        at = next(free, py)
        taken.append((left, end, at))
        out[i] = (px + 9 if right else px - 9, at, "start" if right else "end")
    return [out[i] for i in range(len(places))]
