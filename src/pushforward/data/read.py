"""`read` and `scan`: one door for files, folders, frames, arrays and built-in data sets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from pushforward.data import builtin, pictures
from pushforward.data.conform import conform
from pushforward.data.infer import Said, infer
from pushforward.data.records import ROWS, Records, rows_per_chunk
from pushforward.data.schema import Schema
from pushforward.data.sources import (
    Delimited,
    Files,
    InMemory,
    PictureFolder,
    PlainText,
    Source,
    arrays_source,
    normalise,
    npz,
)
from pushforward.data.summary import ColumnSummary
from pushforward.errors import ArgumentError, DataError, PushforwardError, one_of

FORMS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json", ".arrow", ".feather", ".npz", ".npy", ".txt")


class Scan:
    """Data that is read anew, chunk by chunk, each time it is gone through; made by `scan`.

    Attributes:
        schema: what the columns are, found by one pass over the data.
    """

    def __init__(self, source: Source, schema: Schema, rows: int, size: int | None):
        self._source, self._size = source, size
        self.schema, self.rows = schema, rows

    def __len__(self) -> int:
        return self.rows

    def chunks(self) -> Iterator[Records]:
        """The records in pieces, in order."""
        for table in _rechunk(self._source, rows_per_chunk(self.schema), self._size):
            yield Records(self.schema, conform(table, self.schema, folder=self._source.folder))

    def read(self) -> Records:
        """All of it, in memory."""
        return _join(self.schema, list(self.chunks()))

    def leaving_out(self, names: Collection[str], reason: str) -> Scan:
        """The same data without these fields."""
        none = Records(self.schema, self.schema.arrow.empty_table()).leaving_out(names, reason)
        return Scan(self._source, none.schema, self.rows, self._size)

    def __repr__(self) -> str:
        return f"Scan({self.rows:,} × {list(self.schema.names)} of {self._source.name})"


def read(
    data: Any,
    *,
    text: Collection[str] = (),
    category: Collection[str] = (),
    number: Collection[str] = (),
    image: Collection[str] = (),
    leave_out: Collection[str] = (),
    atoms: Mapping[str, Collection[float]] | None = None,
    resolution: Mapping[str, float] | None = None,
    size: int | None = None,
) -> Records:
    """Read data into memory, with the kinds of its columns inferred or said.

    Args:
        data: a path (CSV, TSV, Parquet, JSON lines, Arrow, NPZ, NPY, text, a folder of those or of pictures),
            the name of a built-in data set, a frame or anything that speaks Arrow, a dict of columns,
            an array or tensor (n, d), or pictures (n, height, width[, channels]) of uint8.
        text, category, number, image, leave_out: names of columns whose kind is said.
        atoms: values of a number that carry mass of their own, by column.
        resolution: the spacing of the grid a number lies on, by column.
        size: pictures are cut to their middle square and scaled to this many pixels.

    Raises:
        DataError: the data cannot be read; the message says what and how to mend it.
        ArgumentError: a name is not a column.

    >>> read({"x": [1.5, 2.5], "y": ["a", "b"]}).schema["y"].describe()
    '2 values: a, b'
    """
    said = Said(text, category, number, image, leave_out, atoms or {}, resolution or {})
    if isinstance(data, Records) and said == Said() and size is None:
        return data
    if isinstance(data, Scan):
        return data.read()
    source = open_source(data)
    if isinstance(source, InMemory | Files | Delimited):
        table = normalise(source.table(), source.name)
        _refuse_empty(table.num_rows, source)
        raw = [table if size is None else _resized(table, source, size)]
    else:
        raw = list(_rechunk(source, ROWS, size))
        _refuse_empty(sum(table.num_rows for table in raw), source)
    schema = _summarise(raw, said, source)
    return _join(schema, [Records(schema, conform(table, schema, folder=source.folder)) for table in raw])


def scan(data: Any, *, size: int | None = None, **said: Any) -> Scan:
    """Read data lazily, chunk by chunk, for what is larger than memory; the words are those of `read`.

    One pass finds the schema; each later pass reads again. Every `fit` takes what this returns.
    """
    if isinstance(data, Scan):
        return data
    words = Said(**said)
    source = open_source(data)
    if isinstance(source, Delimited):
        source.prepare()
    rows = 0

    def counted() -> Iterator[pa.Table]:
        nonlocal rows
        for table in _rechunk(source, ROWS, size):
            rows += table.num_rows
            yield table

    schema = _summarise(counted(), words, source)
    return Scan(source, schema, rows, size)


def open_source(data: Any) -> Source:
    """The source that stands behind what a person names or hands over.

    Raises:
        DataError: it does not exist, or is of a kind that is not known.
    """
    if isinstance(data, str | Path):
        return _open_path(data)
    if isinstance(data, Records):
        return InMemory(data.table, "the records")
    if isinstance(data, pa.RecordBatch):
        return InMemory(pa.Table.from_batches([data]), "the batch")
    if hasattr(data, "__arrow_c_stream__"):
        try:
            return InMemory(pa.table(data), f"the {type(data).__name__}")
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(f"the {type(data).__name__} cannot be read ({' '.join(str(error).split())[:160]})") from error
    if isinstance(data, Mapping):
        if not data:
            raise DataError("the data has no columns; give at least one")
        return arrays_source(data, "the data")
    if hasattr(data, "__array__"):
        return arrays_source({"x": data}, "the array")
    raise DataError(
        f"data is a {type(data).__name__}; it must be a path, a frame, Arrow, Records, a dict of columns or an array"
    )


def _open_path(data: str | Path) -> Source:
    if isinstance(data, str) and builtin.is_name(data):
        table, hints = builtin.load(data)
        return InMemory(table, data, hints=hints)
    path = Path(data)
    if not path.exists():
        known = [*builtin.names(), *(p.name for p in path.parent.iterdir())] if path.parent.is_dir() else builtin.names()
        raise DataError(f"{str(data)!r} is no file, folder or built-in data set; {one_of(path.name, known)}")
    if path.is_dir():
        return _open_folder(path)
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; give a file with at least one row")
    suffixes = [s.lower() for s in path.suffixes]
    kind = next((s for s in reversed(suffixes) if s not in (".gz", ".bz2", ".zst")), "")
    if kind in (".csv", ".tsv", ".tab"):
        return Delimited(path)
    if kind in (".parquet", ".arrow", ".feather", ".jsonl", ".ndjson", ".json"):
        return Files(path, {".parquet": "parquet", ".arrow": "ipc", ".feather": "feather"}.get(kind, "json"))
    if kind in (".npz", ".npy"):
        return npz(path)
    if kind == ".txt":
        return PlainText(path)
    if kind in pictures.ENDINGS:
        table = pa.table({"image": pa.array([{"bytes": None, "path": str(path)}], pictures.STRUCT)})
        return InMemory(table, str(path), hints={"image": "image"})
    raise DataError(f"{path} is of an unknown format {kind or 'without an extension'}; known are {', '.join(FORMS)}")


def _open_folder(path: Path) -> Source:
    files = [p for p in path.rglob("*") if p.is_file()]
    endings = {p.suffix.lower() for p in files}
    if (path / "model.json").exists():
        raise DataError(f"{path} is a saved model, not data; load it with load()")
    if endings & set(pictures.ENDINGS) or (path / "metadata.csv").exists() or (path / "metadata.jsonl").exists():
        return PictureFolder(path)
    for ending, form in ((".parquet", "parquet"), (".csv", "csv"), (".jsonl", "json"), (".arrow", "ipc")):
        if ending in endings:
            return Files(path, form)
    raise DataError(f"folder {path} holds neither pictures nor tables; known are {', '.join(FORMS)} and pictures")


def _rechunk(source: Source, rows: int, size: int | None) -> Iterator[pa.Table]:
    """The tables of a source, normalised, cut to exactly `rows` records each."""
    held: list[pa.Table] = []
    count = 0
    for table in source.tables():
        table = normalise(table, source.name)
        while table.num_rows:
            piece = table.slice(0, rows - count)
            table = table.slice(piece.num_rows)
            held.append(piece)
            count += piece.num_rows
            if count == rows:
                yield _resized(pa.concat_tables(held, promote_options="permissive"), source, size)
                held, count = [], 0
    if held:
        yield _resized(pa.concat_tables(held, promote_options="permissive"), source, size)


def _resized(table: pa.Table, source: Source, size: int | None) -> pa.Table:
    if size is None:
        return table
    if not isinstance(size, int) or size < 1:
        raise ArgumentError(f"size={size!r} is out of range; it must be a whole number of pixels, at least 1")
    for i, field in enumerate(table.schema):
        if pictures.holds(field.type):
            column = table[field.name]
            if isinstance(field.type, pa.FixedShapeTensorType):
                raws: Any = ({"bytes": pictures.png(p), "path": None} for p in pictures.to_pixels(column))
            else:
                raws = (entry.as_py() for entry in column)
            small = [None if raw is None else pictures.resize(raw, field.name, size, source.folder) for raw in raws]
            table = table.set_column(i, field.name, pa.array(small, pictures.STRUCT))
    return table


def _summarise(tables: Any, said: Said, source: Source) -> Schema:
    """One pass over the tables; columns are looked at side by side, since Arrow and NumPy free the interpreter."""
    columns: dict[str, ColumnSummary] = {}
    with ThreadPoolExecutor() as pool:
        for table in tables:
            for name in table.column_names:
                if name not in columns:
                    limit = 2**62 if name in said.category else ColumnSummary.limit
                    columns[name] = ColumnSummary(name, limit=limit)
                    said.check([*columns, *table.column_names])
            for start in range(0, table.num_rows, ROWS):
                piece = table.slice(start, ROWS)
                list(pool.map(lambda n, p=piece: columns[n].observe(p[n], source.folder), piece.column_names))
    _refuse_empty(next((c.rows for c in columns.values()), 0), source)
    return infer(list(columns.values()), said, source.arrays, source.hints)


def _refuse_empty(rows: int, source: Source) -> None:
    if rows == 0:
        raise DataError(f"{source.name} holds no rows; give data with at least one")


def _join(schema: Schema, pieces: list[Records]) -> Records:
    return Records(schema, pa.concat_tables([piece.table for piece in pieces]))


def as_records(data: Any, schema: Schema, *, partial: bool = False) -> Records:
    """Any data as Records of a schema that is already known, such as that of a fitted model.

    Raises:
        PushforwardError: a field is absent, or a cell is none of its values.
    """
    if isinstance(data, Records) and data.schema == schema:
        return data
    if isinstance(data, Scan):
        data = data.read()
    source = open_source(data)
    try:
        table = normalise(source.table(), source.name)
    except pa.ArrowException as error:  # pragma: no cover - sources turn their own errors into ours
        raise PushforwardError(str(error)) from error
    _refuse_empty(table.num_rows, source)
    return Records(schema, conform(table, schema, partial=partial, folder=source.folder))
