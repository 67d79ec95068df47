"""Rows of a table as arrays that several data sets share: numbers, codes of levels, counts of hashed words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import Category, Image, Number, Records, Text
from pushforward.data.encodings.cells import as_floats
from pushforward.data.encodings.tokens import features
from pushforward.errors import DataError, UnmeasurableError

BUCKETS = 64  # that words of a text are counted in


@dataclass(frozen=True, eq=False)
class Rows:
    """n rows, field by field.

    Attributes:
        names: of the fields, in order.
        numbers: by field (n,) float64, dates and times as Arrow stores them; NaN where there is none.
        codes: by field (n,) int64 numbers of levels; -1 where there is none.
        levels: by field the levels, as words, that any of the data sets that share the codes knows.
        texts: by field (n, BUCKETS) float32 counts of words, pairs of words and n-grams, hashed.
    """

    names: tuple[str, ...]
    numbers: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]
    levels: dict[str, tuple[str, ...]]
    texts: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len((self.numbers | self.codes | self.texts)[self.names[0]])

    def __getitem__(self, index: np.ndarray | slice) -> Rows:
        numbers, codes, texts = (
            {name: values[index] for name, values in part.items()} for part in (self.numbers, self.codes, self.texts)
        )
        return Rows(self.names, numbers, codes, self.levels, texts)

    def without(self, names: Collection[str]) -> Rows:
        """All fields but these.

        Raises:
            UnmeasurableError: none is left.
        """
        kept = tuple(name for name in self.names if name not in names)
        if not kept:
            raise UnmeasurableError(f"no field is left beside {', '.join(map(repr, names))}; it takes another one")
        numbers, codes, texts = (
            {name: values for name, values in part.items() if name in kept}
            for part in (self.numbers, self.codes, self.texts)
        )
        return Rows(kept, numbers, codes, self.levels, texts)


def rows(*parts: Records) -> tuple[Rows, ...]:
    """Data sets of the same fields as arrays that may be compared; pictures are passed over.

    >>> import pushforward as pf
    >>> one, other = rows(pf.read({"town": ["Ulm", "Bonn"]}), pf.read({"town": ["Ulm", "Kiel"]}))
    >>> one.codes["town"].tolist(), other.codes["town"].tolist()
    ([2, 0], [2, 1])

    Raises:
        DataError: a field is in one of them alone, or of another kind.
        UnmeasurableError: there is no number, category or text.
    """
    first = parts[0].schema
    for other in (part.schema for part in parts[1:]):
        if {f.name: f.kind for f in first} != {f.name: f.kind for f in other}:
            raise DataError(f"records have fields {first.names} and {other.names}; they must be of the same fields")
    names = tuple(f.name for f in first if not isinstance(f, Image))
    if not names:
        raise UnmeasurableError("there is no number, category or text, only pictures; it takes fields of a row")
    out = [Rows(names, {}, {}, {}, {}) for _ in parts]
    for name in names:
        values = _levels(name, parts) if isinstance(first[name], Category) else []
        for part, found in zip(parts, out, strict=True):
            column = part.column(name)
            if isinstance(first[name], Category):
                codes = pc.index_in(pc.cast(column, pa.string()), value_set=pa.array(values, pa.string()))
                found.codes[name] = codes.fill_null(-1).to_numpy().astype(np.int64)
                found.levels[name] = tuple(values)
            elif isinstance(first[name], Number):
                found.numbers[name] = as_floats(column).astype(np.float64) + 0.0  # no negative zeros
            elif isinstance(first[name], Text):
                found.texts[name] = _counts(column)
    return tuple(out)


def _levels(name: str, parts: tuple[Records, ...]) -> list[str]:
    """Those that any of the data sets knows, as words."""
    found: set[str] = set()
    for part in parts:
        field = part.schema[name]
        assert isinstance(field, Category)
        found |= set(pc.cast(pa.array(field.values, field.arrow_type), pa.string()).to_pylist())
    return sorted(found)


def _counts(column: pa.ChunkedArray) -> np.ndarray:
    out = np.zeros((len(column), BUCKETS), np.float32)
    for row, text in enumerate(column.to_pylist()):
        np.add.at(out[row], np.asarray(features(text), int) % BUCKETS, 1)
    return out


def subset(records: Records, n: int, seed: int) -> Records:
    """At most n records, chosen at random, in their order."""
    if len(records) <= n:
        return records
    return records.take(np.sort(np.random.default_rng(seed).choice(len(records), n, replace=False)))
