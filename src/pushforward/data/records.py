"""Records: an Arrow table with a schema that knows what its columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pushforward.data import pictures
from pushforward.data.conform import conform
from pushforward.data.schema import Category, Image, LeftOut, Schema
from pushforward.data.summary import ROWS
from pushforward.errors import ArgumentError

if TYPE_CHECKING:
    import pandas
    from PIL import Image as Pillow

CHUNK_BYTES = 1 << 26  # bytes of pixels in a chunk, where those decide


class Records:
    """Rows of one schema, immutable, in memory.

    They speak the Arrow PyCapsule protocol, so pandas, polars, DuckDB, PyArrow and `datasets` take
    them as they are.

    >>> import pushforward as pf
    >>> people = pf.read({"age": [31, 44, None], "town": ["Ulm", "Bonn", "Ulm"]})
    >>> len(people), people.schema.names
    (3, ('age', 'town'))
    >>> people[:2].to_numpy()["age"]
    array([31, 44])
    """

    __slots__ = ("schema", "table")

    def __init__(self, schema: Schema, table: pa.Table):
        self.schema = schema
        self.table = table if table.schema.equals(schema.arrow) else conform(table, schema)

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return self.schema.names

    def __getitem__(self, rows: slice | int | np.ndarray | Sequence[int]) -> Records:
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            return Records(self.schema, self.table.slice(start, max(0, stop - start)))
        if isinstance(rows, slice):
            return self.take(range(*rows.indices(len(self))))
        if isinstance(rows, str):
            raise ArgumentError(f"records[{rows!r}] is a name; rows are sliced, columns are in to_numpy()")
        if isinstance(rows, int | np.integer):
            return self.take([int(rows)])
        index = np.asarray(rows)
        if index.dtype == bool and index.shape != (len(self),):
            raise ArgumentError(
                f"a mask of shape {index.shape} does not fit {len(self)} records; give one truth a record"
            )
        return self.take(np.flatnonzero(index) if index.dtype == bool else index)

    def take(self, rows: Iterable[int]) -> Records:
        """The records of these positions, in this order; negative ones count from the end."""
        index = rows if isinstance(rows, np.ndarray) else np.asarray(list(rows))
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise ArgumentError(
                f"rows of type {index.dtype} and shape {index.shape} name no records; give whole numbers"
            )
        index = index.astype(np.int64)
        beyond = index[(index < -len(self)) | (index >= len(self))]
        if beyond.size:
            raise ArgumentError(f"rows={beyond[0]} is out of range; there are {len(self)} records")
        return Records(self.schema, self.table.take(pa.array(np.where(index < 0, index + len(self), index))))

    def select(self, names: Iterable[str]) -> Records:
        """These fields only, in the order of the schema."""
        schema = self.schema.select(names)
        return Records(schema, self.table.select(list(schema.names)))

    def without(self, names: Iterable[str]) -> Records:
        """All fields but these."""
        return self.select(self.schema.without(names).names)

    def concat(self, *others: Records) -> Records:
        """These records and then those, brought to this schema.

        Raises:
            DataError: the others lack a field, or hold what this schema does not know.
        """
        tables = [other.table if other.schema == self.schema else conform(other.table, self.schema) for other in others]
        return Records(self.schema, pa.concat_tables([self.table, *tables]))

    def split(self, fraction: float, *, seed: int = 0) -> tuple[Records, Records]:
        """A random `fraction` of the records, and the rest.

        Raises:
            ArgumentError: `fraction` is not between 0 and 1.
        """
        if not 0 < fraction < 1:
            raise ArgumentError(f"fraction={fraction!r} is out of range; it must be between 0 and 1")
        order = np.random.default_rng(seed).permutation(len(self))
        first = round(fraction * len(self))
        return self.take(np.sort(order[:first])), self.take(np.sort(order[first:]))

    def chunks(self, rows: int | None = None) -> Iterator[Records]:
        """The records in pieces, the same ones that `scan` of the same source gives."""
        size = rows or rows_per_chunk(self.schema)
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def column(self, name: str) -> pa.ChunkedArray:
        """One column as Arrow."""
        return self.table[self.schema[name].name]

    def to_numpy(self) -> dict[str, np.ndarray]:
        """The columns as arrays.

        Missing numbers are NaN, missing categories and texts None; grey pictures are (n, height, width).
        """
        out: dict[str, np.ndarray] = {}
        for field in self.schema:
            column = self.table[field.name]
            if isinstance(field, Image):
                pixels = pictures.to_pixels(column)
                out[field.name] = pixels[..., 0] if field.channels == 1 else pixels
            elif isinstance(field, Category) and column.null_count:
                out[field.name] = np.asarray(column.to_pylist(), dtype=object)
            elif column.null_count and pa.types.is_integer(column.type):
                out[field.name] = column.cast(pa.float64()).to_numpy()
            else:
                out[field.name] = column.to_numpy()
        return out

    def to_pandas(self) -> pandas.DataFrame:
        """The columns as a pandas frame; whole numbers with holes keep their type (``Int64``)."""
        import pandas

        nullable = {
            f.arrow_type: getattr(pandas, f"{str(f.arrow_type).replace('u', 'U').replace('int', 'Int')}Dtype")()
            for f in self.schema
            if f.missing and pa.types.is_integer(f.arrow_type)
        }
        plain = self.select([f.name for f in self.schema if not isinstance(f, Image)]) if len(self.schema) else self
        frame = plain.table.to_pandas(types_mapper=nullable.get)
        for position, field in enumerate(self.schema):
            if isinstance(field, Image):
                frame.insert(position, field.name, list(pictures.to_pixels(self.table[field.name])))
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def save(self, path: str | Path) -> Path:
        """Write the records, whole or not at all, in the format of the extension.

        CSV, TSV, Parquet, JSON lines, NPZ, a PNG contact sheet, or, without an extension, a folder of PNG files.

        Raises:
            ArgumentError: the extension is unknown, or the format cannot hold these fields.
        """
        from pushforward.data.write import write

        return write(self, Path(path))

    def sheet(self, columns: int | None = None) -> Pillow.Image:
        """The pictures side by side on one contact sheet, in order, `columns` a row."""
        from pushforward.data.sheet import contact_sheet

        return contact_sheet(self, columns)

    def leaving_out(self, names: Iterable[str], reason: str) -> Records:
        """All fields but these, which the schema then lists as left out."""
        kept = self.without(names)
        dropped = tuple(LeftOut(name, reason) for name in self.schema.select(names).names)
        return Records(Schema(kept.schema.fields, self.schema.left_out + dropped), kept.table)

    def __repr__(self) -> str:
        fields = ", ".join(f"{field.name}: {field.kind}" for field in self.schema)
        return f"Records({len(self):,} × [{fields}])"

    def _repr_html_(self) -> str:
        from pushforward.data.sheet import to_html

        return to_html(self)


def rows_per_chunk(schema: Schema) -> int:
    """Records in a chunk: fewer where pictures are large."""
    pixels = sum(int(np.prod(field.shape)) for field in schema.fields if isinstance(field, Image))
    return min(ROWS, max(1, CHUNK_BYTES // pixels)) if pixels else ROWS
