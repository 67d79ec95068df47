"""The small data sets that a family is held to its contract on, where nobody says others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Example:
    """Data, and which of its fields are conditions.

    Attributes:
        name: how messages call it.
        data: anything that `read` takes.
        given: what `fit` is given.
    """

    name: str
    data: Any
    given: tuple[str, ...] = ()


def examples() -> list[Example]:
    """Numbers, a table with holes, the same given a field of it, pictures given a label or with captions, sentences."""
    return [
        Example("numbers", numbers()),
        Example("table", table()),
        Example("table given group", table(), ("group",)),
        Example("pictures given label", pictures(), ("label",)),
        Example("captions", captions()),
        Example("sentences", sentences()),
        Example("sentences given label", sentences(), ("label",)),
    ]


def numbers(n: int = 48) -> np.ndarray:
    """(n, 3) floats that hang together."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -0.7], [0.0, 0.0, 2.0]]) + [5, 0, -2]


def table(n: int = 64) -> dict[str, Any]:
    """A float with holes, whole numbers, words with holes, truths, and a float without."""
    rng = np.random.default_rng(1)
    group = rng.integers(0, 3, n)
    return {
        "height": np.where(rng.random(n) < 0.25, np.nan, 160 + 10 * group + 5 * rng.standard_normal(n)),
        "count": rng.poisson(4 + 3 * group),
        "group": [
            None if hole else ("red", "green", "blue")[g] for g, hole in zip(group, rng.random(n) < 0.2, strict=True)
        ],
        "flag": rng.random(n) < 0.4,
        "weight": 50 + 20 * group + 6 * rng.standard_normal(n),
    }


def pictures(n: int = 32) -> dict[str, Any]:
    """Grey pictures of a bright square on a dark ground, up or down as their label says."""
    rng = np.random.default_rng(2)
    down = rng.integers(0, 2, n)
    pixels = rng.integers(0, 40, (n, 8, 8))
    for picture, low in zip(pixels, down, strict=True):
        row, column = rng.integers(0, 2), rng.integers(0, 5)
        picture[row + 4 * low : row + 4 * low + 3, column : column + 3] += 200
    return {"image": pixels.astype(np.uint8), "label": np.array(["up", "down"])[down]}


def captions(n: int = 32) -> dict[str, Any]:
    """The pictures of `pictures` with a sentence that says where the square is; two have none."""
    drawn = pictures(n)
    columns = drawn["image"].astype(int).sum(1).argmax(1)
    sides = np.where(columns < 4, "left", "right")
    words = [f"a square {label} {side}" for label, side in zip(drawn["label"], sides, strict=True)]
    return {"image": drawn["image"], "caption": [None, *words[1:-1], None]}


def sentences(n: int = 40) -> dict[str, Any]:
    """Short sentences about the sea or the woods, as their label says; some labels are not known."""
    rng = np.random.default_rng(3)
    words = {"sea": ("fish", "boat", "moon"), "woods": ("fox", "owl", "moon")}  # the moon is over both
    labels = rng.choice(list(words), n).tolist()
    texts = [f"the {rng.choice(words[label])} {rng.choice(['waits', 'is old', 'sings'])}" for label in labels]
    return {"label": [None if rng.random() < 0.1 else label for label in labels], "text": texts}
