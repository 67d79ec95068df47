"""From what was seen of the columns to a schema: kinds are inferred, and can be said."""

from __future__ import annotations

import math
import numbers
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pushforward.data import pictures
from pushforward.data.schema import Category, Field, Image, LeftOut, Number, Schema, Text
from pushforward.data.sources.source import Source
from pushforward.data.spacing import common_measure, scattered, spikes
from pushforward.data.summary import EXACT, LEVELS, ColumnSummary, is_number
from pushforward.errors import ArgumentError, DataError, one_of

TEXT_NAMES = {"text", "caption", "description", "prompt", "title", "comment", "review"}
KEY_NAMES = {"", "id", "key", "index", "row", "rowid", "uuid", "guid", "unnamed: 0", "__index_level_0__"}
ON = 0.2  # share of a column from which on a value is an atom, on a grid, where numbers recur anyway
OFF = 0.01  # the same off it
DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}


@dataclass(frozen=True)
class Said:
    """What a person says about columns, in the words of `read`."""

    text: Collection[str] = ()
    category: Collection[str] = ()
    number: Collection[str] = ()
    image: Collection[str] = ()
    leave_out: Collection[str] = ()
    atoms: Mapping[str, Collection[float]] = field(default_factory=dict)
    resolution: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in ("text", "category", "number", "image", "leave_out"):
            value = getattr(self, word)
            if isinstance(value, str):  # one name is as good as a list of one
                object.__setattr__(self, word, (value,))
            elif not isinstance(value, Collection):
                raise ArgumentError(f"{word}={value!r} is a {type(value).__name__}; it must be a list of column names")
        self._check_numbers()
        kinds = Counter(name for word in ("text", "category", "number", "image") for name in getattr(self, word))
        twice = [name for name, times in kinds.items() if times > 1]
        if twice:
            raise ArgumentError(f"column {twice[0]!r} is said to be of two kinds; say one")

    def _check_numbers(self) -> None:
        for word in ("atoms", "resolution"):
            value = getattr(self, word)
            if not isinstance(value, Mapping):
                raise ArgumentError(f"{word}={value!r} is a {type(value).__name__}; it must be a dict by column")
        for name, atoms in self.atoms.items():
            if not isinstance(atoms, Collection) or not all(_is_finite(atom) for atom in atoms):
                raise ArgumentError(f"atoms of {name!r} are {atoms!r}; they must be a list of finite numbers")
        for name, step in self.resolution.items():
            if not _is_finite(step) or step <= 0:
                raise ArgumentError(f"resolution of {name!r} is {step!r}; it must be a number greater than 0")

    def kind(self, name: str) -> str | None:
        """The kind said for a column, if any."""
        return next((word for word in ("text", "category", "number", "image") if name in getattr(self, word)), None)

    def check(self, names: Collection[str]) -> None:
        """Refuse names that are not columns, by name."""
        for word in ("text", "category", "number", "image", "leave_out", "atoms", "resolution"):
            for name in getattr(self, word):
                if name not in names:
                    raise ArgumentError(f"{word}={name!r} is not a column; {one_of(str(name), names)}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def infer(columns: list[ColumnSummary], said: Said, source: Source) -> Schema:
    """The schema of columns that were summarised.

    Args:
        columns: the summaries, in order.
        said: what a person said about them; it wins over everything.
        source: what it declares of its columns: arrays, kinds, bookkeeping (``"left out: why"``).

    Raises:
        DataError: nothing is left to model, or a column cannot be what it was said to be.
    """
    said.check([column.name for column in columns])
    fields: list[Field] = []
    left_out: list[LeftOut] = []
    for column in columns:
        entry = _decide(column, said, source)
        (left_out if isinstance(entry, LeftOut) else fields).append(entry)  # type: ignore[arg-type]
    if not fields:
        why = "; ".join(f"{column.name}: {column.reason}" for column in left_out[:4])
        raise DataError(f"no column is left to model ({why}); name one with category=, text= or number=")
    return Schema(tuple(fields), tuple(left_out))


def _decide(column: ColumnSummary, said: Said, source: Source) -> Field | LeftOut:
    hint = source.hints.get(column.name)
    if column.name in said.leave_out:
        return LeftOut(column.name, "as asked")
    spoken = said.kind(column.name)
    if spoken is None and hint and hint.startswith("left out: "):
        return LeftOut(column.name, hint.removeprefix("left out: "))
    if hint and not _fits(hint, column.type):  # what a file says of itself may have been true of an earlier column
        hint = None
    kind = spoken or hint or _guess(column)
    if column.filled == 0:
        if spoken:
            raise DataError(f"column {column.name!r} is all missing; it cannot be learned as {spoken}, leave it out")
        return LeftOut(column.name, "all its cells are missing")
    if kind.startswith("left out: "):
        return LeftOut(column.name, kind.removeprefix("left out: "))
    match kind:
        case "image":
            return _image(column)
        case "text":
            return _text(column)
        case "category":
            return _category(column, column.name in source.words)
        case _:
            return _number(column, said, column.name not in source.arrays)


def _fits(hint: str, kind: pa.DataType | None) -> bool:
    """Whether a column of this type could be of the kind that its source declares."""
    if kind is None:
        return False
    match hint:
        case "image":
            return pictures.holds(kind)
        case "text":
            return pa.types.is_string(kind)
        case "number":
            return is_number(kind)
        case _:
            return pa.types.is_string(kind) or pa.types.is_boolean(kind) or _is_plain(kind)


def _is_plain(kind: pa.DataType) -> bool:
    return is_number(kind) and not pa.types.is_temporal(kind)


def _guess(column: ColumnSummary) -> str:
    kind = column.type
    if kind is None:
        return "left out: all its cells are missing"
    if pictures.holds(kind):
        return "image"
    if pa.types.is_boolean(kind):
        return "category"
    if pa.types.is_string(kind):
        return _guess_words(column)
    if not is_number(kind):
        return f"left out: it holds {kind}, which is not a number, category, picture or text"
    if pa.types.is_integer(kind):
        if _is_key(column.name) and column.high - column.low == column.rows - 1 and column.rows > 1:
            return "left out: it counts the rows"
        if column.beyond:
            if column.levels is None or len(column.levels) > column.filled / 2:
                return "left out: whole numbers beyond 2^53 that identify rows"
            return "category"  # kept exact, since they are never computed with
    return "number"


def _guess_words(column: ColumnSummary) -> str:
    if column.name.lower() in TEXT_NAMES and (column.levels is None or len(column.levels) > column.filled / 10):
        return "text"
    if column.levels is not None and len(column.levels) < 20:
        return "category"
    if column.levels is None or len(column.levels) > column.filled / 2:
        if column.spoken >= 4:
            return "text"
        if column.levels is not None and len(column.levels) == column.filled:
            return f"left out: its {column.filled:,} values are all different, so it identifies rows"
        count = f"{len(column.levels):,}" if column.levels is not None else f"more than {LEVELS:,}"
        return f"left out: {count} different values in {column.filled:,} rows, which is a key rather than a category"
    return "category"


def _is_key(name: str) -> bool:
    name = name.strip().lower()
    return name in KEY_NAMES or name.endswith(("_id", " id", "-id"))


def _image(column: ColumnSummary) -> Field:
    if not column.shapes:
        raise DataError(f"column {column.name!r} holds {column.type}, not pictures")
    if column.holes:
        raise DataError(f"column {column.name!r} lacks {column.holes} pictures; leave those rows out")
    sizes = {(height, width) for height, width, _ in column.shapes}
    if len(sizes) > 1:
        some = ", ".join(f"{height}×{width}" for height, width in sorted(sizes)[:4])
        raise DataError(f"column {column.name!r} holds pictures of {len(sizes)} sizes ({some}); say size=32 or another")
    ((height, width),) = sizes
    channels = max(shape[2] for shape in column.shapes)  # grey among coloured becomes coloured
    return Image(name=column.name, channels=channels, height=height, width=width)


def _text(column: ColumnSummary) -> Field:
    if column.type is None or not pa.types.is_string(column.type):
        raise DataError(f"column {column.name!r} holds {column.type}, not text; make it words before reading it")
    return Text(name=column.name, missing=column.holes > 0, longest=column.length)


def _category(column: ColumnSummary, words: bool) -> Field:
    kind = column.type
    if column.levels is None or kind is None or not (is_number(kind) or pa.types.is_string(kind) or kind == pa.bool_()):
        raise DataError(f"column {column.name!r} holds {kind}, which cannot be a category")
    if pa.types.is_temporal(kind):
        raise DataError(f"column {column.name!r} holds {kind}; make it a number, or words before reading it")
    values, name = (_retyped(column.levels) if words else None) or (column.levels, str(kind))
    return Category(name=column.name, missing=column.holes > 0, values=tuple(sorted(values)), type=name)


def _retyped(levels: Collection[str]) -> tuple[Collection[Any], str] | None:
    """Levels that were read as words, as the whole numbers or truths that write them exactly so; else None."""
    if {level.lower() for level in levels} <= {"true", "false"}:
        return {level.lower() == "true" for level in levels}, "bool"
    if all(len(level) < 19 and level.removeprefix("-").isdecimal() and str(int(level)) == level for level in levels):
        return {int(level) for level in levels}, "int64"
    return None


def _number(column: ColumnSummary, said: Said, gridded: bool) -> Field:
    kind = column.type
    if kind is None or not is_number(kind):
        raise DataError(f"column {column.name!r} holds {kind}, which cannot be a number; say category= or text=")
    span = column.high - column.low if pa.types.is_temporal(kind) else max(abs(column.low), abs(column.high))
    if not pa.types.is_floating(kind) and span > EXACT:
        raise DataError(
            f"column {column.name!r} holds whole numbers beyond 2^53, which are not exact as numbers; "
            f"say category={column.name!r} or leave_out={column.name!r}"
        )
    examples = column.examples
    decimals = column.decimals if gridded and pa.types.is_floating(kind) else None
    resolution = said.resolution.get(column.name) or _resolution(column, examples, gridded)
    atoms = tuple(float(a) for a in said.atoms.get(column.name, ()))
    if not atoms and gridded:
        atoms = spikes(examples, ON) if resolution else scattered(examples) or spikes(examples, OFF)
    return Number(
        name=column.name,
        missing=column.holes > 0,
        type=str(kind),
        resolution=resolution,
        decimals=decimals,
        low=column.low,
        high=column.high,
        atoms=atoms,
    )


def _resolution(column: ColumnSummary, examples: np.ndarray, gridded: bool) -> float | None:
    kind = column.type
    if isinstance(kind, pa.TimestampType):  # the type is finer than most clocks: find the grid in use
        day = DAY[kind.unit]
        steps = (day, day // 24, day // 1440, day // 86_400)
        return float(next((step for step in steps if step >= 1 and not np.any(examples % step)), 1))
    if not pa.types.is_floating(kind):
        return 1.0
    if not gridded or len(np.unique(examples)) > len(examples) / 2:
        return None
    return common_measure(examples) if column.decimals is None else 10.0**-column.decimals
