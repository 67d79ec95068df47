"""Judges of any field: what one field of a record is, by its others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pushforward.data import Category, Image, Number, Records
from pushforward.errors import ArgumentError, UnmeasurableError
from pushforward.metrics.boosting import classifier, design, regressor, side_by_side
from pushforward.metrics.judge import STEPS, as_tensor, over, trained
from pushforward.metrics.nearest import pixels
from pushforward.metrics.rows import Rows, rows

FEWEST = 20  # records to learn from
MOST_CLASSES = 100


@dataclass(frozen=True, eq=False)
class Answers:
    """What a judge says of a field of n records, whose truth is known.

    Attributes:
        truth: (n,) the numbers, or codes of levels.
        levels: as words; none of a number.
        said: (n,) numbers, or (n, levels) how likely each level is.
    """

    truth: np.ndarray
    said: np.ndarray
    levels: tuple[str, ...] = ()

    @property
    def right(self) -> np.ndarray:
        """(n,) bool: where the likeliest level is the true one."""
        return self.said.argmax(1) == self.truth


def learned(shown: Records, asked: list[Records], field: str, *, seed: int = 0, steps: int = STEPS) -> list[Answers]:
    """Let a judge learn a field from some records, and ask it about others.

    A network, where there are pictures and the field is a category; else boosted trees on all other fields that are
    no pictures. Records in which the field is a hole do not take part.

    Args:
        shown: what it learns from.
        asked: data sets of the same fields.
        field: a category or a number.
        seed: of the judge.
        steps: of a network.

    Raises:
        ArgumentError: the field does not exist, or is a picture or a text.
        UnmeasurableError: there are too few records, classes or fields to learn from.
    """
    kind = shown.schema[field]
    if not isinstance(kind, Category | Number):
        raise ArgumentError(f"field={field!r} is {kind.kind}; it must be a category or a number")
    known = [part[part.column(field).is_valid().to_numpy()] for part in (shown, *asked)]
    if len(known[0]) < FEWEST:
        raise UnmeasurableError(f"there are {len(known[0])} records to learn {field!r} from; it takes {FEWEST}")
    if min(map(len, known)) == 0:
        raise UnmeasurableError(f"{field!r} is a hole in every record that was asked about")
    tables = rows(*known)
    if isinstance(kind, Number):
        return _numbers(tables, field, seed)
    truths = [table.codes[field] for table in tables]
    present = np.unique(truths[0])
    if not 2 <= len(present) <= MOST_CLASSES:
        raise UnmeasurableError(
            f"{field!r} has {len(present)} levels among the records to learn from; it takes 2 to {MOST_CLASSES}"
        )
    if shown.schema.of_kind(Image):
        said = _of_pictures(known, truths[0], len(tables[0].levels[field]), seed, steps)
    else:
        said = _of_rows(tables, field, truths[0], present, seed)
    return [Answers(truth, part, tables[0].levels[field]) for truth, part in zip(truths[1:], said, strict=True)]


def _numbers(tables: tuple[Rows, ...], field: str, seed: int) -> list[Answers]:
    features = [design(table.without([field])) for table in tables]
    truths = [table.numbers[field] for table in tables]
    judge = regressor(features[0].categorical, seed)
    (said,) = side_by_side(lambda x: [judge.fit(x, truths[0]).predict(f.x) for f in features[1:]], [features[0].x])
    return [Answers(truth, part) for truth, part in zip(truths[1:], said, strict=True)]


def _of_rows(
    tables: tuple[Rows, ...], field: str, label: np.ndarray, present: np.ndarray, seed: int
) -> list[np.ndarray]:
    features = [design(table.without([field])) for table in tables]
    judge = classifier(features[0].categorical, seed, rows=len(label), classes=len(present))
    (chances,) = side_by_side(lambda x: [judge.fit(x, label).predict_proba(f.x) for f in features[1:]], [features[0].x])
    out = [np.zeros((len(chance), len(tables[0].levels[field]))) for chance in chances]
    for said, chance in zip(out, chances, strict=True):
        said[:, present] = chance
    return out


def _of_pictures(parts: list[Records], label: np.ndarray, levels: int, seed: int, steps: int) -> list[np.ndarray]:
    images = [as_tensor(pixels(part)) for part in parts]
    judge = trained(images[0], torch.from_numpy(label), levels, seed=200 + seed, steps=steps)
    return [over(judge, x).softmax(1).numpy() for x in images[1:]]
