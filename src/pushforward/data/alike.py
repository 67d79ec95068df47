"""Two data sets brought to one schema, or refused by the name of the field that stands in the way."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from pushforward.data.read import Scan
from pushforward.data.records import Records
from pushforward.data.schema import Category, Field, Image, Number, Schema, Text
from pushforward.errors import DataError, one_of


def alike(one: Records | Scan, other: Records | Scan) -> tuple[Records | Scan, Records | Scan]:
    """Both, with fields that allow for what was seen in either: holes, ranges, levels that one of them lacks.

    >>> import pushforward as pf
    >>> one, other = alike(pf.read({"x": [1, 2, None]}), pf.read({"x": [0.5, 7.5]}))
    >>> one.schema == other.schema, one.schema["x"].describe(), one.schema["x"].missing
    (True, '0.5 to 7.5', True)

    Raises:
        DataError: a field is in one of them alone, is of another kind, size or type, or both have levels that the
            other has not got.
    """
    schema = shared(one.schema, other.schema)
    return under(one, schema), under(other, schema)


def shared(one: Schema, other: Schema) -> Schema:
    """The schema that records of both follow, in the order of the one.

    Raises:
        DataError: there is none.
    """
    for name in other.names:
        if name not in one:
            raise DataError(f"field {name!r} of to= is not in the data; leave it out ({one_of(name, one.names)})")
    return Schema(tuple(_both(field, other) for field in one), one.left_out)


def under(data: Records | Scan, schema: Schema) -> Records | Scan:
    """The same data under a schema that allows for it."""
    return data.under(schema) if isinstance(data, Scan) else Records(schema, data.table)


def _both(field: Field, schema: Schema) -> Field:
    if field.name not in schema:
        raise DataError(f"field {field.name!r} is not in to=; leave it out ({one_of(field.name, schema.names)})")
    twin = schema[field.name]
    if type(field) is not type(twin):
        raise DataError(
            f"field {field.name!r} is a {field.kind} in the data and a {twin.kind} in to=; say which it is to be, "
            f"with pf.read(…, {field.kind}=[{field.name!r}])"
        )
    missing = field.missing or twin.missing
    match field, twin:
        case Number(), Number():
            return dataclasses.replace(_numbers(field, twin), missing=missing)
        case Category(), Category():
            return dataclasses.replace(_categories(field, twin), missing=missing)
        case Image(), Image():
            if field.shape != twin.shape:
                raise DataError(
                    f"pictures of {field.name!r} are {field.describe()} in the data and {twin.describe()} in to=; "
                    "bring them to one size with pf.read(…, size=N)"
                )
            return dataclasses.replace(field, missing=missing)
        case Text(), Text():
            return dataclasses.replace(field, missing=missing, longest=max(field.longest, twin.longest))
    raise AssertionError(field)


def _numbers(field: Number, twin: Number) -> Number:
    if field.type != twin.type:
        for temporal in (f for f in (field, twin) if pa.types.is_temporal(f.arrow_type)):
            raise DataError(
                f"field {field.name!r} is {field.type} in the data and {twin.type} in to=; make both {temporal.type}"
            )
    floats = not (field.integral and twin.integral)
    same = field.resolution == twin.resolution
    return dataclasses.replace(
        field,
        type=field.type if field.type == twin.type else "double" if floats else "int64",
        resolution=field.resolution if same else None if floats else 1.0,
        decimals=None if field.decimals is None or twin.decimals is None else max(field.decimals, twin.decimals),
        low=min(field.low, twin.low),
        high=max(field.high, twin.high),
        atoms=tuple(sorted({*field.atoms, *twin.atoms})),
    )


def _categories(field: Category, twin: Category) -> Category:
    if field.type != twin.type:
        raise DataError(
            f"levels of {field.name!r} are {field.type} in the data and {twin.type} in to=; bring them together"
        )
    one, other = set(field.values), set(twin.values)
    if one - other and other - one:
        alone = (sorted(map(str, rest))[0] for rest in (one - other, other - one))
        raise DataError(
            f"field {field.name!r} has other levels in to=: {next(alone)!r} is in the data alone, {next(alone)!r} in "
            "to= alone; give it the same levels, or leave it out"
        )
    return field if one >= other else twin
