"""4,000 drawings of one or two coloured shapes, 32×32, with captions; the split test holds out combinations."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow
from PIL import ImageDraw

from pushforward.data import pictures

SPLIT = "split"
HINTS = {
    "image": "image",
    "caption": "text",
    "split": "left out: bookkeeping; ask for shapes:train or shapes:test",
}

COLOURS = {
    "red": (222, 45, 48),
    "orange": (247, 134, 29),
    "yellow": (247, 207, 49),
    "green": (63, 163, 77),
    "blue": (45, 101, 205),
    "purple": (136, 66, 173),
    "pink": (243, 140, 186),
    "black": (45, 45, 50),
}
SHAPES = ("circle", "square", "triangle", "cross")
SIZES = {"small": 7 / 32, "large": 13 / 32}  # diameters, as parts of the picture's side
EDGE, GAP = 1 / 32, 2 / 32  # white that is kept around the shapes and between them
JITTER = 3 / 32  # how far two shapes stray from their common line
FINE = 4  # times finer than its pixels that a picture is drawn, so that its edges are smooth
ROWS, SIDE, HELD_OUT = 4_000, 32, 0.15


@dataclass(frozen=True)
class Thing:
    """A shape; `x` and `y` are its middle, from the left and from the top, as parts of the picture's side."""

    colour: str
    shape: str
    size: str
    x: float = 0.5
    y: float = 0.5

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it is, wherever it stands."""
        return (self.colour, self.shape, self.size)

    @property
    def name(self) -> str:
        """It in words."""
        return f"a {self.size} {self.colour} {self.shape}"


def caption(things: Sequence[Thing]) -> str:
    """One or two things in words, the second by where the first stands from it.

    >>> caption([Thing("red", "circle", "small", 0.2, 0.5), Thing("blue", "square", "large", 0.7, 0.4)])
    'a small red circle left of a large blue square'
    """
    if len(things) == 1:
        return things[0].name
    first, second = things
    return f"{first.name} {relation(first, second)} {second.name}"


def relation(first: Thing, second: Thing) -> str:
    """Where the first thing stands from the second, by the direction in which they are further apart."""
    across, down = first.x - second.x, first.y - second.y
    if abs(across) >= abs(down):
        return "left of" if across < 0 else "right of"
    return "above" if down < 0 else "below"


def draw(things: Sequence[Thing], side: int = SIDE) -> np.ndarray:
    """The things on white, as (side, side, 3) pixels."""
    canvas = Pillow.new("RGB", (side * FINE, side * FINE), "white")
    pen = ImageDraw.Draw(canvas)
    for thing in things:
        _draw_one(pen, thing, side * FINE)
    return np.asarray(canvas.reduce(FINE))


def _draw_one(pen: ImageDraw.ImageDraw, thing: Thing, side: int) -> None:
    x, y, r = thing.x * side, thing.y * side, SIZES[thing.size] * side / 2
    colour = COLOURS[thing.colour]
    match thing.shape:
        case "circle":
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        case "square":
            pen.rectangle((x - 0.9 * r, y - 0.9 * r, x + 0.9 * r, y + 0.9 * r), fill=colour)
        case "triangle":
            pen.polygon([(x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r)], fill=colour)
        case "cross":
            pen.rectangle((x - r, y - 0.32 * r, x + r, y + 0.32 * r), fill=colour)
            pen.rectangle((x - 0.32 * r, y - r, x + 0.32 * r, y + r), fill=colour)


def scene(rng: np.random.Generator) -> tuple[Thing, ...]:
    """One thing, or two that do not touch and differ in what they are, at random places."""
    kinds = rng.choice(len(KINDS), size=1 if rng.random() < 1 / 3 else 2, replace=False)
    if len(kinds) == 1:
        x, y = rng.uniform(0.35, 0.65, 2)
        return (replace(Thing(*KINDS[kinds[0]]), x=x, y=y),)
    first, second = (Thing(*KINDS[kind]) for kind in kinds)
    along = _along(rng, SIZES[first.size], SIZES[second.size])
    across = 0.5 + rng.uniform(-JITTER, JITTER, 2)
    if rng.random() < 0.5:  # the second stands before the first as often as behind it
        along = (1 - along[0], 1 - along[1])
    places = list(zip(along, across, strict=True))
    if rng.random() < 0.5:
        places = [(y, x) for x, y in places]
    return tuple(replace(thing, x=x, y=y) for thing, (x, y) in zip((first, second), places, strict=True))


def _along(rng: np.random.Generator, first: float, second: float) -> tuple[float, float]:
    """The middles of two things on one line, with the white around and between them dealt out at random."""
    spare = 1 - 2 * EDGE - GAP - first - second
    before, between = np.sort(rng.uniform(0.15, 0.85, 2)) * spare
    start = EDGE + before + first / 2
    return start, start + first / 2 + GAP + (between - before) + second / 2


KINDS = tuple(itertools.product(COLOURS, SHAPES, SIZES))


def held_out() -> frozenset[tuple[str, str, str]]:
    """The combinations of colour, shape and size that no picture of the split train shows."""
    order = np.random.default_rng(0).permutation(len(KINDS))
    return frozenset(KINDS[i] for i in order[: round(HELD_OUT * len(KINDS))])


@functools.cache
def load() -> pa.Table:
    """The raw table."""
    rng = np.random.default_rng(0)
    scenes = [scene(rng) for _ in range(ROWS)]
    unseen = held_out()
    return pa.table(
        {
            "image": pictures.to_arrow(np.stack([draw(things) for things in scenes])),
            "caption": pa.array([caption(things) for things in scenes]),
            "split": pa.array(["test" if any(t.kind in unseen for t in things) else "train" for things in scenes]),
        }
    )
