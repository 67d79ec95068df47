"""What a person holds fixed: values, ranges and sets, one for all or one a record, brought to a schema."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pushforward.data import Records, Schema, as_records
from pushforward.data.holes import blank, overlay
from pushforward.data.schema import Field, Image, Text
from pushforward.errors import ArgumentError, DataError, one_of
from pushforward.limits import Among, Between, Limit, limit


@dataclass(frozen=True)
class Evidence:
    """What is known of n records.

    Attributes:
        values: n records that hold the fields of which values are known; a missing cell is not known.
        limits: by field, what its cell may be; none of these fields is in `values`.
    """

    values: Records
    limits: Mapping[str, Limit] = field(default_factory=dict)

    @classmethod
    def nothing(cls, schema: Schema, n: int) -> Evidence:
        """No evidence about n records."""
        return cls(blank(schema, n))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields about which something may be known."""
        return (*self.values.names, *self.limits)

    def over(self, schema: Schema) -> Records:
        """The values as records of a whole schema, unknown where nothing is known."""
        return overlay(blank(schema, len(self)), self.values)

    def only(self, schema: Schema, names: Collection[str]) -> Evidence:
        """What is known of some fields."""
        here = [name for name in self.values.names if name in names]
        values = self.values.select(here) if here else blank(schema, len(self))
        return Evidence(values, {name: limit for name, limit in self.limits.items() if name in names})

    def chunks(self, rows: int | None = None) -> Iterator[Evidence]:
        """The evidence in pieces."""
        for values in self.values.chunks(rows):
            yield Evidence(values, self.limits)


def evidence(given: Any, n: int | None, schema: Schema, allowed: Collection[str], why: str) -> Evidence | None:
    """The given cells as evidence about n records; a missing cell is one that is left open.

    Args:
        given: None, a dict of values, columns, ranges and sets, a frame, or Records.
        n: records that are to be drawn; None: as many as there are values, one if they are single.
        schema: of the model.
        allowed: fields that may be given.
        why: what to do about one that may not.

    Raises:
        ArgumentError: a field may not be given, there are not n values, or a range or set holds nothing possible.
        DataError: a value is none of its field's.
    """
    if given is None:
        return None
    columns = _columns(given)
    if not columns:
        return None
    for name in columns:
        if name not in schema:
            raise ArgumentError(f"given={name!r} is not a field of the model; {one_of(str(name), schema.names)}")
        if name not in allowed:
            raise ArgumentError(f"given={name!r} cannot be held fixed; {why}")
    limits = {name: limit(value, schema[name]) for name, value in columns.items() if isinstance(value, Between | Among)}
    part = schema.select(name for name in columns if name not in limits)
    n = _length([columns[field.name] for field in part]) if n is None else n
    if not len(part):
        return Evidence(blank(schema, n), limits)
    spread = {field.name: _spread(columns[field.name], field, n) for field in part}
    return Evidence(as_records(spread, part), limits)


def is_event(data: Any, *, values: bool) -> bool:
    """Whether data is no records but a dict that says of a field what its cell may be.

    Args:
        data: anything.
        values: whether a single value says it too, or ranges and sets only.
    """
    return isinstance(data, Mapping) and any(
        isinstance(cell, Between | Among) or (values and _is_single(cell)) for cell in data.values()
    )


def _is_single(value: Any) -> bool:
    """Whether this is one value, not a column of them."""
    return isinstance(value, str | bytes) or getattr(value, "ndim", None) == 0 or not hasattr(value, "__iter__")


def _length(values: list[Any]) -> int:
    """How many records columns speak of."""
    sizes = [len(v) for v in values if hasattr(v, "__len__") and not isinstance(v, str | bytes) and np.ndim(v) != 0]
    return sizes[0] if sizes else 1


def _columns(given: Any) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    if isinstance(given, Records):
        table = given.table
    elif hasattr(given, "__arrow_c_stream__"):
        table = pa.table(given)
    else:
        raise ArgumentError(f"given={given!r} must be a dict of values or columns, a frame or Records")
    # a frame whose rows were chosen from another brings their numbers along
    return {name: table[name] for name in table.column_names if not name.startswith("__index_level_")}


def _spread(value: Any, field: Field, n: int) -> Any:
    """A value for all as a column of n; a column as it is, if it has n values."""
    if isinstance(field, Image) and not isinstance(value, pa.ChunkedArray | pa.Array):
        pixels = np.asarray(value)
        if pixels.dtype != np.uint8:
            raise DataError(f"{field.name}: a given picture must be uint8, not {pixels.dtype}")
        single = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == field.channels and n != len(pixels))
        value = np.broadcast_to(pixels, (n, *pixels.shape)) if single else pixels
    elif not isinstance(value, pa.ChunkedArray | pa.Array):
        if isinstance(value, np.datetime64 | np.timedelta64):  # whose item() forgets its unit
            return pa.array(np.full(n, value))
        if _is_single(value):
            return _repeated(value.item() if getattr(value, "ndim", None) == 0 else value, field, n)
        value = value if hasattr(value, "__len__") else list(value)
    if len(value) != n:
        raise ArgumentError(f"given={field.name!r} has {len(value)} values for n={n}; give one, or one a record")
    return value


def _repeated(value: Any, field: Field, n: int) -> pa.Array:
    try:
        return pa.array([value] * n, field.arrow_type if value is None or isinstance(field, Text) else None)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        why = " ".join(str(error).split())[:120]
        raise DataError(f"given={field.name!r} is {value!r}, which is no {field.kind} ({why})") from error
