"""Records of which only some is known: making holes, and laying what is known over what was drawn."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data.records import Records
from pushforward.data.schema import Image, Schema


def blank(schema: Schema, n: int) -> Records:
    """n records of which nothing is known."""
    return Records(schema, pa.table({f.name: pa.nulls(n, f.arrow_type) for f in schema}, schema=schema.arrow))


def hide(records: Records, names: Collection[str]) -> Records:
    """The records with these fields unknown."""
    columns = {
        f.name: pa.nulls(len(records), f.arrow_type) if f.name in names else records.column(f.name)
        for f in records.schema
    }
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))


def exchange(records: Records, other: Records, names: Collection[str]) -> Records:
    """The records with these fields taken from `other`."""
    columns = {f.name: (other if f.name in names else records).column(f.name) for f in records.schema}
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))


def overlay(base: Records, known: Records) -> Records:
    """`base`, with every cell that `known` holds taken from there; `known` may lack fields."""
    columns = {}
    for field in base.schema:
        below = base.column(field.name)
        above = known.column(field.name) if field.name in known.names else None
        if above is None or above.null_count == len(above):
            columns[field.name] = below
        elif above.null_count == 0:
            columns[field.name] = above
        elif isinstance(field, Image):
            row = np.arange(len(above))
            which = np.where(above.is_valid().to_numpy(), row, row + len(above))
            columns[field.name] = pa.chunked_array([*above.chunks, *below.chunks]).take(pa.array(which))
        else:
            columns[field.name] = pc.coalesce(above, below)
    return Records(base.schema, pa.table(columns, schema=base.schema.arrow))
