"""What a picture of the built-in data set `shapes` shows, read from its pixels without anything learned."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from scipy import ndimage

from pushforward.data.builtin.shapes import COLOURS, SHAPES, SIDE, SIZES, Thing, draw, relation

SPECK = 10  # pixels, below which a patch is dirt: the smallest thing, a small cross, has 26
HALF = 0.5  # how much of its colour a pixel has that belongs to a thing
CORE = 0.8  # and one that is no edge
PURE = 0.6  # share of the core of a thing that has to have its colour
MISFIT = 0.15  # share of the squares of a thing that its likeness may leave
PHASES = 4  # places within a pixel, each way, at which likenesses are drawn
REACH = 2  # pixels around its middle at which a thing is looked for
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
BLOB = "blob"  # the shape of what is like no drawing
GRAMMAR = re.compile(r"a (\w+) (\w+) (\w+)(?: (left of|right of|above|below) a (\w+) (\w+) (\w+))?")
INKS = 255.0 - np.array(list(COLOURS.values()), float)  # (colours, 3) what they take from white

Kind = tuple[str, str, str]


def parse(pixels: np.ndarray) -> tuple[Thing, ...]:
    """The things that a picture shows, from left to right.

    Patches of ink are told apart. The colour of each is the one that most of its core is nearest to; its shape and size
    are those of the drawing that leaves the least squares of how much of that colour is where. What is like no drawing,
    or has no one colour, is a ``blob``.

    Args:
        pixels: (32, 32, 3) uint8.

    >>> things = (Thing("red", "circle", "small", 0.25, 0.5), Thing("blue", "cross", "large", 0.7, 0.4))
    >>> [thing.name for thing in parse(draw(things))]
    ['a small red circle', 'a large blue cross']
    """
    ink = 255.0 - np.asarray(pixels, float)
    much = ink @ INKS.T / np.square(INKS).sum(1)  # (side, side, colours)
    rest = np.square(ink[:, :, None] - much[..., None] * INKS).sum(-1)
    nearest = rest.argmin(-1)
    labels, many = ndimage.label(np.take_along_axis(much, nearest[..., None], -1)[..., 0] >= HALF)
    patches = [labels == i for i in range(1, many + 1)]
    found = [_thing(much, nearest, patch) for patch in patches if patch.sum() >= SPECK]
    return tuple(sorted(found, key=lambda thing: thing.x))


def met(caption: str, pixels: np.ndarray) -> bool:
    """Whether a picture shows what a caption of the data set says: these things, so related, and nothing else.

    Args:
        caption: in the words of the data set.
        pixels: (32, 32, 3) uint8.

    >>> picture = draw([Thing("red", "circle", "small", 0.25, 0.5), Thing("blue", "cross", "large", 0.7, 0.4)])
    >>> met("a large blue cross right of a small red circle", picture), met("a small red circle", picture)
    (True, False)
    """
    kinds, way = told(caption)
    things = parse(pixels)
    shown = [thing.kind for thing in things]
    if not kinds or len(shown) != len(kinds):
        return False
    if len(kinds) == 1:
        return shown == list(kinds)
    return any(
        [one.kind, other.kind] == list(kinds) and relation(one, other) == way for one, other in (things, things[::-1])
    )


def attribute_f1(found: Sequence[str], true: Sequence[str]) -> float:
    """2 |A ∩ B| / (|A| + |B|) over the attributes of all captions: size, colour and shape of each thing, and relation.

    Which thing is named first does not matter: they are paired as they fit best. A caption outside the grammar of the
    data set has no attributes.

    Args:
        found, true: captions, one each of a picture.

    >>> round(attribute_f1(["a small red circle"], ["a large red circle"]), 4)
    0.6667
    """
    shared = said = 0
    for one, other in zip(map(told, found), map(told, true), strict=True):
        shared += max(_shared(one, other), _shared(_turned(one), other))
        said += sum(3 * len(kinds) + (way is not None) for kinds, way in (one, other))
    return 2 * shared / max(said, 1)


def told(caption: str) -> tuple[tuple[Kind, ...], str | None]:
    """What a caption names, as (colour, shape, size), and how two are related; nothing if it is outside the grammar.

    >>> told("a small red circle")
    ((('red', 'circle', 'small'),), None)
    """
    said = GRAMMAR.fullmatch(caption)
    if said is None:
        return (), None
    words = [word for word in said.groups() if word is not None]
    way = words.pop(3) if len(words) > 3 else None
    kinds = tuple((words[i + 1], words[i + 2], words[i]) for i in range(0, len(words), 3))
    able = all(colour in COLOURS and shape in SHAPES and size in SIZES for colour, shape, size in kinds)
    return (kinds, way) if able else ((), None)


def _turned(said: tuple[tuple[Kind, ...], str | None]) -> tuple[tuple[Kind, ...], str | None]:
    kinds, way = said
    return kinds[::-1], None if way is None else OPPOSITE[way]


def _shared(one: tuple[tuple[Kind, ...], str | None], other: tuple[tuple[Kind, ...], str | None]) -> int:
    kinds = sum(a == b for pair in zip(one[0], other[0], strict=False) for a, b in zip(*pair, strict=True))
    return kinds + (one[1] is not None and one[1] == other[1])


def _thing(much: np.ndarray, nearest: np.ndarray, patch: np.ndarray) -> Thing:
    """What a patch is.

    Args:
        much: (side, side, colours) how much of each colour a pixel has.
        nearest: (side, side) the colour that explains it best.
        patch: (side, side) bool.
    """
    own = np.take_along_axis(much, nearest[..., None], -1)[..., 0]
    core = patch & (own >= min(CORE, np.quantile(own[patch], 0.5)))
    votes = np.bincount(nearest[core], minlength=len(COLOURS))
    colour = int(votes.argmax())
    cover = np.clip(much[..., colour], 0, 1) * ndimage.binary_dilation(patch, np.ones((3, 3)))
    kind, (row, column), misfit = _likest(cover)
    size, shape = kind
    if misfit > MISFIT or votes[colour] < PURE * votes.sum():
        shape = BLOB
    return Thing(list(COLOURS)[colour], shape, size, (column + 0.5) / SIDE, (row + 0.5) / SIDE)


def _likest(cover: np.ndarray) -> tuple[tuple[str, str], tuple[float, float], float]:
    """Size and shape of the drawing that is nearest to this much ink, where its middle is, and the misfit."""
    kinds, drawings, squares = _likenesses()
    side = drawings.shape[-1]
    at = np.rint(ndimage.center_of_mass(cover)).astype(int)
    around = np.pad(cover, side)
    steps = list(itertools.product(range(-REACH, REACH + 1), repeat=2))
    corners = [at + step + side - side // 2 for step in steps]
    windows = np.stack([around[r : r + side, c : c + side] for r, c in corners]).reshape(len(steps), -1)
    errors = np.square(cover).sum() - 2 * windows @ drawings.reshape(len(drawings), -1).T + squares
    step, best = np.unravel_index(errors.argmin(), errors.shape)
    size, shape, row, column = kinds[best]
    middle = at + steps[step] + np.array([row, column])
    return (size, shape), tuple(middle), float(errors[step, best] / squares[best])


@cache
def _likenesses() -> tuple[list[tuple[str, str, float, float]], np.ndarray, np.ndarray]:
    """Drawings of all shapes and sizes around the middle of a window, a bit off it; how far; and their squares."""
    offsets = (np.arange(PHASES) + 0.5) / PHASES - 0.5
    side = SIDE // 2 + 3
    kinds = [(*kind, row, column) for kind in itertools.product(SIZES, SHAPES) for row in offsets for column in offsets]
    black = Thing("black", SHAPES[0], "small")
    drawn = []
    for size, shape, row, column in kinds:
        place = {"x": (side // 2 + 0.5 + column) / SIDE, "y": (side // 2 + 0.5 + row) / SIDE}
        picture = draw([replace(black, shape=shape, size=size, **place)])[:side, :side]
        drawn.append((255.0 - picture[..., 0]) / (255 - COLOURS["black"][0]))
    drawings = np.stack(drawn)
    return kinds, drawings, np.square(drawings).sum((1, 2))
