"""Bring raw columns to a schema: cast what can be cast, refuse by name what cannot."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import pictures
from pushforward.data.schema import Category, Field, Image, Number, Schema, Text
from pushforward.data.summary import is_number
from pushforward.errors import DataError, one_of

LOOKED = 10_000  # cells of a column that cannot be cast, among which one is looked for that is at fault
EXAMPLES = (
    (pa.types.is_boolean, "true or false"),
    (pa.types.is_integer, "a whole number"),
    (pa.types.is_floating, "a number"),
    (pa.types.is_date, "a date such as 2026-11-28"),
    (pa.types.is_timestamp, "a time such as 2026-11-28 09:30"),
    (pa.types.is_time, "a time of the day such as 09:30:00"),
    (pa.types.is_duration, "a whole number of its units"),
    (pa.types.is_string, "words"),
)


def conform(
    table: pa.Table, schema: Schema, *, partial: bool = False, folder: str | None = None, seen: bool = False
) -> pa.Table:
    """The columns of `schema`, with its types, out of a raw table.

    Args:
        table: raw columns; those that the schema lacks are passed over.
        schema: what is wanted.
        partial: whether fields that are absent, pictures apart, may stand as all missing.
        folder: what paths of pictures are relative to.
        seen: whether the schema was inferred from this very table, so that no value can be strange to it.

    Raises:
        DataError: a field is absent, or a cell cannot be a value of its field.
    """
    columns: dict[str, Any] = {}
    if not set(schema.names) & set(table.column_names):
        first = schema.names[0]
        raise DataError(f"field {first!r} is not in the data, nor is any other; {one_of(first, table.column_names)}")
    for field in schema:
        if field.name in table.column_names:
            columns[field.name] = _column(table[field.name], field, folder, seen)
        elif partial and not isinstance(field, Image):
            columns[field.name] = pa.nulls(table.num_rows, field.arrow_type)
        else:
            raise DataError(f"field {field.name!r} is not in the data; {one_of(field.name, table.column_names)}")
    return pa.table(columns, schema=schema.arrow)


def _column(column: pa.ChunkedArray, field: Field, folder: str | None, seen: bool) -> pa.ChunkedArray | pa.Array:
    match field:
        case Image():
            column = pictures.from_paths(column)
            if not pictures.holds(column.type):
                raise DataError(f"field {field.name!r} must hold pictures, not {column.type}; name the right column")
            return pictures.decode(column, field.name, field.shape, folder)
        case Category():
            return _cast(column, field) if seen else _category(column, field)
        case Number():
            return _cast(column, field) if seen else _number(column, field)
        case Text():
            return _cast(column, field)
    raise AssertionError(field)


def _cast(column: pa.ChunkedArray, field: Field) -> pa.ChunkedArray:
    kind = field.arrow_type
    if column.type == kind:
        return column
    try:
        if pa.types.is_boolean(kind) and is_number(column.type):
            _refuse_strange(column, pa.array([0, 1]).cast(column.type), field)
        return _as(column, kind)
    except pa.ArrowException as error:
        raise _refused(column, field) from error


def _refused(column: pa.ChunkedArray, field: Field) -> DataError:
    """What to say of a column that cannot be cast: its first value that is none of the field's."""
    kind, values = field.arrow_type, column.drop_null()
    looked = range(min(len(values), LOOKED))
    value = values[next((i for i in looked if not _fits(values.slice(i, 1), kind)), 0)].as_py()
    if isinstance(field, Category):
        return DataError(
            f"{field.name}={value!r} was not among the values seen at fit; {one_of(str(value), map(str, field.values))}"
        )
    example = next((example for holds, example in EXAMPLES if holds(kind)), f"a value of type {kind}")
    return DataError(f"{field.name}={value!r} is none of its values ({field.describe()}); give {example}")


def _fits(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        _as(column, kind)
    except pa.ArrowException:
        return False
    return True


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return (_spoken(column, kind) if pa.types.is_string(column.type) else column).cast(kind)


def _spoken(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Words in the form from which Arrow casts them to `kind`."""
    if pa.types.is_boolean(kind):
        return pc.utf8_lower(column)
    if pa.types.is_duration(kind):
        return column.cast(pa.int64())
    if pa.types.is_time(kind):  # of some day, since Arrow casts words to times only with one
        return pc.binary_join_element_wise("1970-01-01", column, " ").cast(pa.timestamp(kind.unit))
    return column


def _category(column: pa.ChunkedArray, field: Category) -> pa.ChunkedArray:
    column = _cast(column, field)
    _refuse_strange(column, pa.array(field.values, field.arrow_type), field)
    return column


def _refuse_strange(column: pa.ChunkedArray, known: pa.Array, field: Field) -> None:
    strange = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=known)))
    if pc.any(strange).as_py():
        value = column.filter(strange)[0].as_py()
        values = map(str, field.values if isinstance(field, Category) else known.to_pylist())
        raise DataError(f"{field.name}={value!r} was not among the values seen at fit; {one_of(str(value), values)}")


def _number(column: pa.ChunkedArray, field: Number) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):  # NaN first, since no whole number could stand for it
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    column = _cast(column, field)
    if pa.types.is_floating(column.type) and pc.any(pc.is_inf(column)).as_py():
        raise DataError(f"field {field.name!r} holds infinite values; replace them by a number or a missing cell")
    return column
