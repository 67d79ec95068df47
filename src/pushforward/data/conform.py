"""Bring raw columns to a schema: cast what can be cast, refuse by name what cannot."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import pictures
from pushforward.data.schema import Category, Field, Image, Number, Schema, Text
from pushforward.errors import DataError, one_of


def conform(table: pa.Table, schema: Schema, *, partial: bool = False, folder: str | None = None) -> pa.Table:
    """The columns of `schema`, with its types, out of a raw table.

    Args:
        table: raw columns; those that the schema lacks are passed over.
        schema: what is wanted.
        partial: whether numbers and categories that are absent may stand as all missing.
        folder: what paths of pictures are relative to.

    Raises:
        DataError: a field is absent, or a cell cannot be a value of its field.
    """
    columns: dict[str, Any] = {}
    for field in schema:
        if field.name in table.column_names:
            columns[field.name] = _column(table[field.name], field, folder)
        elif partial and not isinstance(field, Image):
            columns[field.name] = pa.nulls(table.num_rows, field.arrow_type)
        else:
            raise DataError(f"field {field.name!r} is not in the data; {one_of(field.name, table.column_names)}")
    return pa.table(columns, schema=schema.arrow)


def _column(column: pa.ChunkedArray, field: Field, folder: str | None) -> pa.ChunkedArray | pa.Array:
    match field:
        case Image():
            if not pictures.holds(column.type):
                raise DataError(f"field {field.name!r} must hold pictures, not {column.type}")
            return pictures.decode(column, field.name, field.shape, folder)
        case Category():
            return _category(column, field)
        case Number():
            return _number(column, field)
        case Text():
            return _cast(column, field)
    raise AssertionError(field)


def _cast(column: pa.ChunkedArray, field: Field) -> pa.ChunkedArray:
    if column.type == field.arrow_type:
        return column
    try:
        if pa.types.is_string(column.type) and pa.types.is_boolean(field.arrow_type):
            column = pc.utf8_lower(column)
        return column.cast(field.arrow_type)
    except pa.ArrowException as error:
        why = " ".join(str(error).split())[:120]
        raise DataError(f"field {field.name!r} must hold {field.arrow_type} ({field.describe()}); {why}") from error


def _category(column: pa.ChunkedArray, field: Category) -> pa.ChunkedArray:
    column = _cast(column, field)
    known = pa.array(field.values, field.arrow_type)
    strange = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=known)))
    if pc.any(strange).as_py():
        value = column.filter(strange)[0].as_py()
        raise DataError(
            f"{field.name}={value!r} was not among the values seen at fit; {one_of(str(value), map(str, field.values))}"
        )
    return column


def _number(column: pa.ChunkedArray, field: Number) -> pa.ChunkedArray:
    column = _cast(column, field)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        if pc.any(pc.is_inf(column)).as_py():
            raise DataError(f"field {field.name!r} holds infinite values; replace them by a number or a missing cell")
    return column
