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

SAMPLE = 4096  # values a chunk contributes to what is judged by example (repetition, decimals, words)
LEVELS = 1000  # different values beyond which a column of words is a key, not a category
DECIMALS = 6  # digits after the point that are looked for


@dataclass
class ColumnSummary:
    """Counts, bounds and examples of one column; `observe` adds a chunk."""

    name: str
    type: pa.DataType | None = None
    rows: int = 0
    holes: int = 0
    low: float = math.inf
    high: float = -math.inf
    decimals: int | None = 0
    longest: int = 0
    levels: set[Any] | None = field(default_factory=set)
    limit: int = LEVELS  # a column said to be a category has none
    examples: list[Any] = field(default_factory=list)
    shapes: set[tuple[int, int, int]] = field(default_factory=set)

    @property
    def filled(self) -> int:
        """Cells that hold a value."""
        return self.rows - self.holes

    def observe(self, column: pa.ChunkedArray, folder: str | None = None) -> None:
        """Add a chunk.

        Raises:
            DataError: an infinite value, or a picture that cannot be read.
        """
        self.rows += len(column)
        self.holes += column.null_count
        if pa.types.is_null(column.type):
            return
        self.type = column.type
        if column.null_count == len(column):
            return
        if pictures.holds(column.type):
            self.shapes |= pictures.shapes(column, self.name, folder)
        elif pa.types.is_boolean(column.type):
            self._add_levels(column)
        elif pa.types.is_string(column.type):
            self._add_levels(column)
            self.longest = max(self.longest, pc.max(pc.utf8_length(column)).as_py())
            self._add_examples(column)
        elif is_number(column.type):
            self._observe_numbers(column)

    def _observe_numbers(self, column: pa.ChunkedArray) -> None:
        bounds = pc.min_max(as_storage(column))
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if not (math.isfinite(low) and math.isfinite(high)):
            raise DataError(
                f"column {self.name!r} holds infinite values; replace them by a number or by a missing cell"
            )
        self.low, self.high = min(self.low, low), max(self.high, high)
        if pa.types.is_floating(column.type) and self.decimals is not None:
            self.decimals = decimals_of(column.drop_null().to_numpy(), self.decimals)
        if not pa.types.is_floating(column.type) and self.levels is not None:
            self._add_levels(column, sample=self.limit == LEVELS)
        elif self.limit != LEVELS:
            self._add_levels(column)
        self._add_examples(column)

    def _add_levels(self, column: pa.ChunkedArray, sample: bool = False) -> None:
        if self.levels is None:
            return
        seen = (thin(column) if sample else column).unique().drop_null().to_pylist()
        self.levels.update(seen)
        if len(self.levels) > self.limit:
            self.levels = None

    def _add_examples(self, column: pa.ChunkedArray) -> None:
        if len(self.examples) < 64 * SAMPLE:
            self.examples.extend(thin(as_storage(column)).drop_null().to_pylist())


def thin(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Every so-manieth value, at most `SAMPLE` of them: the same ones whoever reads the chunk."""
    step = -(-len(column) // SAMPLE)
    return column if step <= 1 else column.take(pa.array(np.arange(0, len(column), step)))


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type is a number, a date or a time."""
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
