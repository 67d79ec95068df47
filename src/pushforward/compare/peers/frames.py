"""Records as frames without holes, which is what other packages take, and back.

None of the peers takes holes in numbers, and not all take them in categories. They are shown a category with the
level ``(hole)``, and a number with the median in its holes beside a column that says where these are; both are turned
back into holes afterwards. Whole numbers, and numbers on a grid, are rounded to it: else one decimal would tell all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pushforward.data import Category, Number, Records, Schema
from pushforward.data.encodings.cells import as_floats

if TYPE_CHECKING:
    import pandas as pd

HOLE = "(hole)"
MISSES = " is a hole"  # what is added to the name of a number for the column that says where it is missing


def filled(records: Records) -> pd.DataFrame:
    """The records as a frame of floats and words without holes; see the module.

    >>> import pushforward as pf
    >>> filled(pf.read({"age": [31, 44, None], "town": ["Ulm", "Bonn", None]})).columns.tolist()
    ['age', 'age is a hole', 'town']
    """
    import pandas as pd

    out: dict[str, Any] = {}
    for field in records.schema:
        column = records.column(field.name)
        if isinstance(field, Category):
            out[field.name] = [HOLE if value is None else str(value) for value in column.to_pylist()]
            continue
        values = as_floats(column).astype(np.float64) + 0.0  # no negative zeros
        hole = np.isnan(values)
        out[field.name] = np.where(hole, np.nanmedian(values) if not hole.all() else 0.0, values)
        if hole.any():
            out[field.name + MISSES] = np.where(hole, "yes", "no")
    return pd.DataFrame(out)


def words_of(table: pd.DataFrame) -> list[str]:
    """The columns that hold words."""
    return [name for name in table if not np.issubdtype(np.asarray(table[name]).dtype, np.number)]


def emptied(table: pd.DataFrame, schema: Schema) -> Records:
    """The records that such a frame stands for, with the types of the schema."""
    columns = {}
    for field in schema:
        if isinstance(field, Category):
            known = {str(value): value for value in field.values}
            values = [known.get(str(word)) for word in table[field.name]]
            columns[field.name] = pa.array(values, field.arrow_type)
        elif isinstance(field, Number):
            numbers = table[field.name].to_numpy(np.float64)
            hole = np.isnan(numbers)
            if field.name + MISSES in table:
                hole = hole | (table[field.name + MISSES] == "yes").to_numpy()
            columns[field.name] = _numbers(numbers, hole, field)
    return Records(schema, pa.table(columns))


def _numbers(values: np.ndarray, hole: np.ndarray, field: Number) -> pa.Array:
    """Numbers on the grid of their field, in its type."""
    if field.resolution is not None:
        values = np.round(values / field.resolution) * field.resolution
    if field.decimals is not None:
        values = np.round(values, field.decimals)
    if not field.integral:
        return pa.array(values, field.arrow_type, mask=hole)
    whole = np.round(np.where(hole, 0.0, values)).astype(np.int64)
    storage = pa.int32() if field.arrow_type.bit_width == 32 else pa.int64()
    return pc.cast(pa.array(whole, mask=hole).cast(storage), field.arrow_type)
