"""`read` and `scan`: one door for files, folders, frames, arrays and built-in data sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from pushforward.data import pictures
from pushforward.data.conform import conform
from pushforward.data.infer import Said, infer
from pushforward.data.records import Records, rows_per_chunk
from pushforward.data.schema import Image, Schema, Text
from pushforward.data.sources.normal import normalise
from pushforward.data.sources.open import open_source
from pushforward.data.sources.source import Source
from pushforward.data.summary import ROWS, ColumnSummary
from pushforward.errors import ArgumentError, DataError

PICTURES = 1024  # rows with pictures that are looked at together


class Scan:
    """Data that is read anew, chunk by chunk, each time it is gone through; made by `scan`.

    Attributes:
        schema: what the columns are, found by one pass over the data.
    """

    def __init__(self, source: Source, schema: Schema, rows: int, size: int | None, image: Collection[str]):
        self._source, self._size, self._image = source, size, image
        self.schema, self.rows = schema, rows

    def __len__(self) -> int:
        return self.rows

    def chunks(self) -> Iterator[Records]:
        """The records in pieces, in order."""
        for table in _rechunk(self._source, rows_per_chunk(self.schema), self._size, self._image):
            yield Records(self.schema, conform(table, self.schema, folder=self._source.folder))

    def read(self) -> Records:
        """All of it, in memory."""
        return Records(self.schema, pa.concat_tables([chunk.table for chunk in self.chunks()]))

    def under(self, schema: Schema) -> Scan:
        """The same data under a schema that allows for what was seen of it, and more."""
        return Scan(self._source, schema, self.rows, self._size, self._image)

    def leaving_out(self, names: Collection[str], reason: str) -> Scan:
        """The same data without these fields."""
        none = Records(self.schema, self.schema.arrow.empty_table()).leaving_out(names, reason)
        return Scan(self._source, none.schema, self.rows, self._size, self._image)

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
        text, category, number, image, leave_out: names of columns whose kind is said. An `image` may be a column
            of paths, relative to the file that names them.
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
    _check_size(size)
    if isinstance(data, Records) and said == Said() and size is None:
        return data
    if isinstance(data, Scan):
        if said != Said() or size is not None:
            raise ArgumentError("the data was already scanned; say what its columns are to scan() instead")
        return data.read()
    source = open_source(data, words={*said.text, *said.category, *said.image})
    table = source.table()
    table = _resized(table, source, size, said.image)
    schema, _ = _summarise(lambda: [table], said, source)
    return Records(schema, conform(table, schema, folder=source.folder, seen=True))


def scan(data: Any, *, size: int | None = None, **said: Any) -> Scan:
    """Read data lazily, chunk by chunk, for what is larger than memory; the words are those of `read`.

    One pass finds the schema; each later pass reads again. Every `fit` takes what this returns.
    """
    if isinstance(data, Scan) and not said and size is None:
        return data
    if isinstance(data, Scan):
        raise ArgumentError("the data was already scanned; say what its columns are to that scan() instead")
    words = Said(**said)
    _check_size(size)
    source = open_source(data, words={*words.text, *words.category, *words.image})
    source.prepare()
    schema, rows = _summarise(lambda: _rechunk(source, None, size, words.image), words, source)
    return Scan(source, schema, rows, size, words.image)


def _rechunk(source: Source, rows: int | None, size: int | None, image: Collection[str]) -> Iterator[pa.Table]:
    """The tables of a source, normalised, cut to exactly `rows` records each, or to what is looked at together."""
    held: list[pa.Table] = []
    count = 0
    for table in source.tables():
        table = normalise(table, source.name)
        rows = rows or _together(table)
        while table.num_rows:
            piece = table.slice(0, rows - count)
            table = table.slice(piece.num_rows)
            held.append(piece)
            count += piece.num_rows
            if count == rows:
                yield _resized(pa.concat_tables(held), source, size, image)
                held, count = [], 0
    if held:
        yield _resized(pa.concat_tables(held), source, size, image)


def _together(table: pa.Table) -> int:
    """How many rows of a table are looked at together: fewer where they hold pictures, still packed."""
    return PICTURES if any(pictures.holds(field.type) for field in table.schema) else ROWS


def _check_size(size: int | None) -> None:
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 8192):
        raise ArgumentError(f"size={size!r} is out of range; it must be a whole number of pixels, 1 to 8192")


def _resized(table: pa.Table, source: Source, size: int | None, image: Collection[str]) -> pa.Table:
    if size is None:
        return table
    for i, field in enumerate(table.schema):
        if pictures.holds(field.type) or field.name in image:
            column = pictures.from_paths(table[field.name])
            if isinstance(field.type, pa.FixedShapeTensorType):
                raws: Any = ({"bytes": pictures.png(p), "path": None} for p in pictures.to_pixels(column))
            else:
                raws = (entry.as_py() for entry in column)
            small = [None if raw is None else pictures.resize(raw, field.name, size, source.folder) for raw in raws]
            table = table.set_column(i, field.name, pa.array(small, pictures.STRUCT))
    return table


def _summarise(tables: Callable[[], Iterable[pa.Table]], said: Said, source: Source) -> tuple[Schema, int]:
    """The schema of what `tables` gives each time it is called, and how many rows that are.

    One pass is enough, except for whole numbers beyond 2^53: whether they are few takes a second look at them.
    """
    columns = _observed(tables(), said, source, ())
    rows = next((column.rows for column in columns.values()), 0)
    _refuse_empty(rows, source)
    beyond = [name for name, column in columns.items() if column.beyond and not column.listed]
    if beyond:
        columns |= _observed(tables(), said, source, beyond)
    return infer(list(columns.values()), said, source), rows


def _observed(
    tables: Iterable[pa.Table], said: Said, source: Source, listed: Collection[str]
) -> dict[str, ColumnSummary]:
    """Summaries of the columns, or of those that shall be `listed`, looked at side by side on all cores."""
    columns: dict[str, ColumnSummary] = {}
    with ThreadPoolExecutor() as pool:
        for table in tables:
            if not columns:
                said.check(table.column_names)
                names = listed or table.column_names
                columns = {name: _summary_of(name, table, said, source, name in listed) for name in names}
            work = [pool.submit(c.observe, table[c.name], source.folder) for c in columns.values()]
            for done in work:
                done.result()
    return columns


def _summary_of(name: str, table: pa.Table, said: Said, source: Source, listed: bool) -> ColumnSummary:
    category = name in said.category or source.hints.get(name) == "category"
    return ColumnSummary(
        name,
        limit=None if category else ColumnSummary.limit,
        listed=listed or category,
        piece=_together(table),
        paths=name in said.image,
    )


def _refuse_empty(rows: int, source: Source) -> None:
    if rows == 0:
        raise DataError(f"{source.name} holds no rows; give data with at least one")


def as_records(data: Any, schema: Schema, *, partial: bool = False) -> Records:
    """Any data as Records of a schema that is already known, such as that of a fitted model.

    Raises:
        PushforwardError: a field is absent, or a cell is none of its values.
    """
    if isinstance(data, Records) and data.schema == schema:
        return data
    if isinstance(data, Scan):
        data = data.read()
    words = [field.name for field in schema if isinstance(field, Image) or field.arrow_type == pa.string()]
    source = open_source(data, words)
    table = source.table()
    _refuse_empty(table.num_rows, source)
    return Records(schema, conform(table, schema, partial=partial, folder=source.folder))


def as_part(data: Any, schema: Schema) -> Records:
    """Any data as Records of those fields of a schema that it has; a list of words is the first text of the schema.

    Raises:
        PushforwardError: it has none of them, or a cell is none of its field's values.

    >>> people = read({"name": ["Ada L", "Alan T"], "age": [36, 41]}, text=["name"])
    >>> as_part({"age": [3]}, people.schema).names, as_part(["Kurt G"], people.schema).names
    (('age',), ('name',))
    """
    if isinstance(data, Records) and data.schema == schema:
        return data
    if isinstance(data, Scan):
        data = data.read()
    if isinstance(data, list | tuple) and all(isinstance(word, str) for word in data) and schema.of_kind(Text):
        data = {schema.of_kind(Text)[0].name: list(data)}
    words = [field.name for field in schema if isinstance(field, Image) or field.arrow_type == pa.string()]
    source = open_source(data, words)
    table = source.table()
    _refuse_empty(table.num_rows, source)
    there = [name for name in schema.names if name in table.column_names]
    part = schema.select(there) if there else schema
    return Records(part, conform(table, part, folder=source.folder))
