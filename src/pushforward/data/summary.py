"""What inference needs to know of a column, gathered chunk by chunk so that it never holds the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import pictures
from pushforward.errors import DataError

ROWS = 65_536  # rows that are looked at together, however they arrive
SAMPLE = 4096  # numbers of each such piece that are kept as examples (repetition, grids, spikes)
SENTENCES = 256  # strings of each such piece whose words are counted
LEVELS = 1000  # different values beyond which a column of words is a key, not a category
DECIMALS = 6  # digits after the point that are looked for


@dataclass
class ColumnSummary:
    """Counts, bounds and examples of one column; `observe` adds a chunk.

    Attributes:
        limit: different values beyond which `levels` is given up; None for a column that is said to be a category.
        levels: the different words, whole numbers and truths seen, or None where they exceed the limit.
        words, sentences: the words counted in a sample of the strings, and how many strings that was.
    """

    name: str
    limit: int | None = LEVELS
    type: pa.DataType | None = None
    rows: int = 0
    holes: int = 0
    low: float = math.inf
    high: float = -math.inf
    decimals: int | None = 0
    longest: int = 0
    levels: set[Any] | None = field(default_factory=set)
    words: int = 0
    sentences: int = 0
    samples: list[np.ndarray] = field(default_factory=list)
    shapes: set[tuple[int, int, int]] = field(default_factory=set)

    @property
    def filled(self) -> int:
        """Cells that hold a value."""
        return self.rows - self.holes

    @property
    def examples(self) -> np.ndarray:
        """A sample of the numbers, dates and times as they are stored."""
        return np.concatenate(self.samples) if self.samples else np.empty(0)

    def observe(self, column: pa.ChunkedArray, folder: str | None = None) -> None:
        """Add a chunk.

        Raises:
            DataError: an infinite value, a picture that cannot be read, or a type that earlier chunks did not have.
        """
        self.rows += len(column)
        self.holes += column.null_count
        if pa.types.is_null(column.type):
            return
        self.type = column.type if self.type is None else self._common(column.type)
        if column.null_count == len(column):
            return
        if pictures.holds(column.type):
            self.shapes |= pictures.shapes(column, self.name, folder)
            return
        for piece in _pieces(column):
            if pa.types.is_boolean(piece.type):
                self._add_levels(piece)
            elif pa.types.is_string(piece.type):
                self._observe_words(piece)
            elif is_number(piece.type) and piece.null_count < len(piece):
                self._observe_numbers(piece)

    def _common(self, other: pa.DataType) -> pa.DataType:
        if other == self.type:
            return other
        try:
            schemas = [pa.schema([pa.field("x", kind)]) for kind in (self.type, other)]
            return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
        except pa.ArrowException as error:
            raise DataError(
                f"column {self.name!r} holds {self.type} in one part of the data and {other} in another; make them one"
            ) from error

    def _observe_words(self, column: pa.ChunkedArray) -> None:
        self._add_levels(column)
        if self.levels is None:
            self.longest = max(self.longest, pc.max(pc.utf8_length(column)).as_py() or 0)
        else:
            self.longest = max(map(len, self.levels), default=0)
        examples = thin(column, SENTENCES).drop_null().to_pylist()
        self.words += sum(len(example.split()) for example in examples)
        self.sentences += len(examples)

    def _observe_numbers(self, column: pa.ChunkedArray) -> None:
        values = filled_values(column)
        low, high = values.min().item(), values.max().item()
        if not (math.isfinite(low) and math.isfinite(high)):
            raise DataError(
                f"column {self.name!r} holds infinite values; replace them by a number or by a missing cell"
            )
        self.low, self.high = min(self.low, low), max(self.high, high)
        if pa.types.is_floating(column.type):
            if self.decimals is not None:
                self.decimals = decimals_of(values, self.decimals)
        if pa.types.is_integer(column.type) or self.limit is None:
            self._add_levels(column)
        if len(self.samples) < 64:
            self.samples.append(as_storage(thin(column).drop_null()).to_numpy())

    def _add_levels(self, column: pa.ChunkedArray) -> None:
        if self.levels is None:
            return
        seen = column.unique().drop_null()
        if self.limit is None or len(seen) <= self.limit:
            self.levels.update(seen.to_pylist())
        if self.limit is not None and max(len(self.levels), len(seen)) > self.limit:
            self.longest = max((len(level) for level in self.levels if isinstance(level, str)), default=0)
            self.levels = None


def _pieces(column: pa.ChunkedArray) -> Iterator[pa.ChunkedArray]:
    for start in range(0, len(column), ROWS):
        yield column.slice(start, ROWS)


def thin(column: pa.ChunkedArray, most: int = SAMPLE) -> pa.ChunkedArray:
    """Every so-manieth value, at most `most` of them: the same ones whoever reads the piece."""
    step = -(-len(column) // most)
    return column if step <= 1 else column.take(pa.array(np.arange(0, len(column), step)))


def filled_values(column: pa.ChunkedArray) -> np.ndarray:
    """The numbers of a column as they are stored, with its first value in place of the holes."""
    column = as_storage(column)
    if column.null_count:
        # a value that is there anyway moves neither bounds nor decimals, and is cheaper than dropping the holes
        column = pc.fill_null(column, column.drop_null()[0])
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
    for digits in range(least, DECIMALS + 1):
        if np.array_equal(np.round(head, digits), head) and np.array_equal(np.round(values, digits), values):
            return digits
    return None
