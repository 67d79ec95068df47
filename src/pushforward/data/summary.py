"""What inference needs to know of a column, gathered chunk by chunk so that it never holds the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import pictures
from pushforward.errors import DataError

ROWS = 65_536  # rows of a piece
STRIDE = 16  # pieces that are looked at together where they are there
SAMPLED = 64  # pieces of which numbers are kept
SAMPLE = 4096  # numbers of each such piece that are kept as examples (repetition, grids, spikes)
SENTENCES = 256  # strings of each such piece that are kept where there are too many to keep all
EXACT = 2**53  # whole numbers up to here are exact in float64, in which they are modelled
LEVELS = 1000  # different values beyond which a column of words is a key, not a category
DECIMALS = 6  # digits after the point that are looked for


@dataclass
class ColumnSummary:
    """Counts, bounds and examples of one column; `observe` adds a chunk.

    Attributes:
        limit: different values beyond which `levels` is given up; None for a column that is said to be a category.
        listed: whether the different numbers are kept as well.
        levels: the different words and truths (and numbers) seen, or None where they exceed the limit.
        piece: rows that are looked at together, however they arrive.
        paths: whether words are the paths of pictures.
        sentences: a sample of the strings, where they exceed the limit.
    """

    name: str
    limit: int | None = LEVELS
    listed: bool = False
    piece: int = ROWS
    paths: bool = False
    type: pa.DataType | None = None
    rows: int = 0
    holes: int = 0
    low: float = math.inf
    high: float = -math.inf
    decimals: int | None = 0
    longest: int = 0
    levels: set[Any] | None = field(default_factory=set)
    sentences: list[str] = field(default_factory=list)
    samples: list[np.ndarray] = field(default_factory=list)
    shapes: set[tuple[int, int, int]] = field(default_factory=set)

    @property
    def filled(self) -> int:
        """Cells that hold a value."""
        return self.rows - self.holes

    @property
    def beyond(self) -> bool:
        """Whether these are whole numbers that are not exact in float64."""
        whole = self.type is not None and pa.types.is_integer(self.type)
        return whole and self.filled > 0 and max(abs(self.low), abs(self.high)) > EXACT

    @property
    def length(self) -> int:
        """The characters of the longest string."""
        return max((len(level) for level in self.levels or () if isinstance(level, str)), default=self.longest)

    @property
    def spoken(self) -> float:
        """The mean number of words in a string."""
        some = self.sentences if self.levels is None else [level for level in self.levels if isinstance(level, str)]
        return sum(len(sentence.split()) for sentence in some) / max(1, len(some))

    @property
    def examples(self) -> np.ndarray:
        """A sample of the numbers, dates and times as they are stored."""
        return np.concatenate(self.samples) if self.samples else np.empty(0)

    def observe(self, column: pa.ChunkedArray, folder: str | None = None) -> None:
        """Add a chunk.

        Raises:
            DataError: an infinite value, or a picture that cannot be read.
        """
        before = self.rows
        self.rows += len(column)
        self.holes += column.null_count
        if pa.types.is_null(column.type):
            return
        if self.paths:
            column = pictures.from_paths(column)
        self.type = column.type
        if column.null_count == len(column):
            return
        if pictures.holds(column.type):
            self.shapes |= pictures.shapes(column, self.name, folder)
            return
        numbers = is_number(column.type)
        step = self.piece * (STRIDE if numbers else 1)
        for start in range(0, len(column), step):
            part = column.slice(start, step)
            if pa.types.is_boolean(part.type):
                self._add_levels(part)
            elif pa.types.is_string(part.type):
                self._observe_words(part)
            elif numbers and part.null_count < len(part):
                self._observe_numbers(part, sample=before + start < SAMPLED * self.piece)

    def _observe_words(self, column: pa.ChunkedArray) -> None:
        self._add_levels(column)
        if self.levels is None:  # too many to know them all: look at some
            self.longest = max(self.longest, pc.max(pc.utf8_length(column)).as_py() or 0)
            self.sentences += thin(column, self.piece, SENTENCES).drop_null().to_pylist()

    def _observe_numbers(self, column: pa.ChunkedArray, sample: bool) -> None:
        values = filled_values(column)
        low, high = values.min().item(), values.max().item()
        if not (math.isfinite(low) and math.isfinite(high)):
            raise DataError(
                f"column {self.name!r} holds infinite values; replace them by a number or by a missing cell"
            )
        self.low, self.high = min(self.low, low), max(self.high, high)
        if pa.types.is_floating(column.type) and self.decimals is not None:
            self.decimals = decimals_of(values, self.decimals)
        if self.listed:
            self._add_levels(column)
        if sample:
            self.samples.append(as_storage(thin(column, self.piece, SAMPLE).drop_null()).to_numpy())

    def _add_levels(self, column: pa.ChunkedArray) -> None:
        for part in (column.slice(0, self.piece), column.slice(self.piece)):  # most keys show in the first piece
            if self.levels is None:
                return
            seen = part.unique().drop_null()
            if self.limit is None or len(seen) <= self.limit:
                self.levels.update(seen.to_pylist())
            if self.limit is not None and max(len(self.levels), len(seen)) > self.limit:
                self.longest = self.length
                self.levels = None


def thin(column: pa.ChunkedArray, piece: int, most: int) -> pa.ChunkedArray:
    """Every so-manieth value, at most `most` of each piece: the same ones however the pieces arrive."""
    rows = []
    for start in range(0, len(column), piece):
        stop = min(start + piece, len(column))
        rows.append(np.arange(start, stop, -(-(stop - start) // most)))
    return column.take(pa.array(np.concatenate(rows)))


def filled_values(column: pa.ChunkedArray) -> np.ndarray:
    """The numbers of a column as they are stored, with its first value in place of the holes."""
    column = as_storage(column)
    if column.null_count:
        # a value that is there anyway moves neither bounds nor decimals, and is cheaper than dropping the holes
        column = pc.fill_null(column, pc.first(column))
    return column.to_numpy()


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type is a number, a date or a time."""
    if pa.types.is_interval(kind):
        return False
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind)


def as_storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates and times as the whole numbers they are stored as; other columns as they are."""
    if not pa.types.is_temporal(column.type):
        return column
    return column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())


def decimals_of(values: np.ndarray, least: int = 0) -> int | None:
    """The number of decimals, at least `least`, that write all values exactly; None beyond six.

    >>> decimals_of(np.array([1.5, 2.25]))
    2
    """
    head = values[:256]
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows when it is scaled has no such digits
        for digits in range(least, DECIMALS + 1):
            if np.array_equal(np.round(head, digits), head) and np.array_equal(np.round(values, digits), values):
                return digits
    return None
