"""The many Arrow types that mean the same, brought to one; and one schema for tables that differ a little."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from pushforward.errors import DataError


def normalise(table: pa.Table, name: str) -> pa.Table:
    """Bring the many Arrow types that mean the same to one, and NaN to a missing cell.

    Raises:
        DataError: two columns have one name, or a column is of a type that cannot be brought to any.
    """
    refuse_twice(table.column_names, name)
    table = table.drop_columns([c for c in table.column_names if c.startswith("__index_level_")])
    columns = {}
    for field in table.schema:
        try:
            columns[field.name] = _normalised(table[field.name])
        except pa.ArrowException as error:
            raise DataError(
                f"column {field.name!r} of {name} holds {field.type}, which cannot be read ({line(error)}); drop it"
            ) from error
    return pa.table(columns)


def refuse_twice(names: list[str], name: str) -> None:
    """Refuse two columns of one name, by that name.

    Raises:
        DataError: a name occurs twice.
    """
    twice = sorted(column for column, times in Counter(names).items() if times > 1)
    if twice:
        raise DataError(f"two columns of {name} are called {twice[0]!r}; rename one")


def line(error: BaseException, most: int = 160) -> str:
    """What another library said went wrong, on one line."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def common(schemas: list[pa.Schema], name: str) -> pa.Schema:
    """The schema that holds for all of these.

    Raises:
        DataError: a column is of types that have nothing in common.
    """
    found: dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            found[field.name] = _wider(found.get(field.name, field.type), field.type, field.name, name)
    return pa.schema([pa.field(column, kind) for column, kind in found.items()])


def to_schema(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """A table with the columns and types of a schema that `common` found; what it lacks is missing.

    Raises:
        DataError: a value cannot be of the common type.
    """
    columns = []
    for field in schema:
        present = field.name in table.column_names
        try:
            columns.append(table[field.name].cast(field.type) if present else pa.nulls(len(table), field.type))
        except pa.ArrowException as error:
            raise DataError(
                f"column {field.name!r} of {name} is not {field.type} everywhere ({line(error)}); make it of one type"
            ) from error
    return pa.table(columns, schema=schema)


def _wider(one: pa.DataType, other: pa.DataType, column: str, name: str) -> pa.DataType:
    if one == other:
        return one
    if any(pa.types.is_string(a) and pa.types.is_timestamp(b) for a, b in ((one, other), (other, one))):
        return pa.string()  # JSON's words that look like dates in one place and not in another
    try:
        schemas = [pa.schema([pa.field(column, kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException as error:
        raise DataError(
            f"column {column!r} of {name} holds {one} in one place and {other} in another; make it one"
        ) from error


def _normalised(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.FixedShapeTensorType):
        chunks = [chunk.storage for chunk in column.chunks]
        return _normalised(pa.chunked_array(chunks, kind.storage_type))
    if pa.types.is_dictionary(kind):
        if not column.num_chunks:
            return _normalised(pa.chunked_array([], kind.value_type))
        # the values are brought to their plain type first: Arrow cannot look up views by index
        return pa.chunked_array(
            [_normalised(pa.chunked_array([c.dictionary])).take(c.indices).combine_chunks() for c in column.chunks]
        )
    if pa.types.is_run_end_encoded(kind):
        return _normalised(column.cast(kind.value_type))
    plain = _plain(kind)
    if plain is not None:
        return _normalised(column.cast(plain, safe=False))
    if pa.types.is_floating(kind):
        total = pc.sum(column).as_py()
        if total is not None and total != total:
            return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return column


def _plain(kind: pa.DataType) -> pa.DataType | None:
    """The type that stands for this one, or None where it stands for itself."""
    if pa.types.is_large_string(kind) or kind == pa.string_view():
        return pa.string()
    if pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_date64(kind):
        return pa.date32()
    return None
