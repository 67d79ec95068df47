"""Records and how much each of them counts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pyarrow as pa

from pushforward.data.read import Scan
from pushforward.data.records import Records
from pushforward.errors import ArgumentError, DataError


def weighed(data: Records | Scan, weights: Any) -> tuple[Records | Scan, np.ndarray | None]:
    """The data and (n,) weights, said as numbers or as the name of a column, which is then no field any more.

    Raises:
        ArgumentError: they are no numbers, or not one a record.
        DataError: one is negative or not finite, or all are 0.
    """
    if weights is None:
        return data, None
    if isinstance(weights, str):
        column = data.schema[weights].name
        values = np.concatenate([chunk.to_numpy()[column] for chunk in data.chunks()])
        data = data.leaving_out([column], "the weights of the records")
    else:
        values = np.asarray(weights)
    try:
        values = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError("weights must be numbers, one a record, or the name of a column of them") from error
    if values.shape != (len(data),):
        raise ArgumentError(f"weights have shape {values.shape}; there are {len(data)} records and each needs one")
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
        raise DataError("weights must be finite and at least 0, and not all 0")
    return data, values


def digest(data: Records | Scan, weights: np.ndarray | None) -> str:
    """A hash of the schema, the first chunk and the weights: what tells one data set from another."""
    table = next(iter(data.chunks())).table.combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    whole = hashlib.sha256(json.dumps(data.schema.to_json(), default=str).encode())
    whole.update(sink.getvalue())
    whole.update(b"" if weights is None else weights.tobytes())
    return whole.hexdigest()
