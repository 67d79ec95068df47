"""Parquet, Arrow and JSON-lines files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

from pushforward.data import pictures
from pushforward.data.sources.normal import common, line, normalise
from pushforward.data.sources.source import Source, declared
from pushforward.errors import DataError

ROWS, PICTURES = 65_536, 1024  # rows of a batch, without and with pictures
BUFFER = 1 << 20  # bytes of a column that are read at a time
PIECE = 1 << 24  # bytes of JSON lines that are parsed together
DATES = (pa.date32(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us", "UTC"))  # tried in turn on words


class Parquet(Source):
    """A Parquet file, read batch by batch, of which never more than a buffer a column is held."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self.folder = str(path.parent)
        try:
            self._schema = pa.parquet.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error
        self.hints = declared(self._schema)

    def tables(self) -> Iterator[pa.Table]:
        rows = PICTURES if any(pictures.holds(field.type) for field in self._schema) else ROWS
        try:
            # with a buffer, columns are streamed page by page; without, a whole row group is held
            with pa.parquet.ParquetFile(self.path, pre_buffer=False, buffer_size=BUFFER) as file:
                for batch in file.iter_batches(batch_size=rows, use_threads=False):
                    yield _valid(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def table(self) -> pa.Table:
        try:
            with pa.parquet.ParquetFile(self.path) as file:
                return normalise(_valid(file.read()), self.name)
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def _refuse(self, error: Exception) -> DataError:
        return DataError(f"{self.name} cannot be read as Parquet ({line(error)}); copy or write it again")


class Ipc(Source):
    """An Arrow file or stream, also called Feather."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self.folder = str(path.parent)
        self.hints = declared(next(self._batches(), pa.table({})).schema)

    def tables(self) -> Iterator[pa.Table]:
        return self._batches()

    def _batches(self) -> Iterator[pa.Table]:
        try:
            with pa.memory_map(str(self.path)) as content:
                if content.read(6) == b"ARROW1":
                    file = pa.ipc.open_file(content)
                    for i in range(file.num_record_batches):
                        yield _valid(pa.Table.from_batches([file.get_batch(i)]))
                else:
                    content.seek(0)
                    for batch in pa.ipc.open_stream(content):
                        yield _valid(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.name} cannot be read as Arrow ({line(error)}); copy or write it again") from error


class JsonLines(Source):
    """One JSON object a line; words that are dates or times throughout are read as such."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self.folder = str(path.parent)
        self._schema: pa.Schema | None = None  # as JSON has it: dates are words
        self._rungs: dict[str, int] = {}

    def tables(self) -> Iterator[pa.Table]:
        self.prepare()
        for piece in self._parsed():
            yield self._dated(piece)

    def table(self) -> pa.Table:
        self._schema = _worded(common([piece.schema for piece in self._parsed()], self.name))
        pieces = list(self._parsed())
        self._climb(pieces)
        return normalise(pa.concat_tables(map(self._dated, pieces)) if pieces else pa.table({}), self.name)

    def prepare(self) -> bool:
        if self._schema is None:
            self._schema = _worded(common([piece.schema for piece in self._parsed()], self.name))
            self._climb(self._parsed())
        return False

    def _climb(self, pieces: Iterable[pa.Table]) -> None:
        """Find for each column of words the first type of `DATES` that all of them are; none for most."""
        assert self._schema is not None
        self._rungs = {field.name: 0 for field in self._schema if pa.types.is_string(field.type)}
        for piece in pieces:
            for name, rung in self._rungs.items():
                while rung < len(DATES) and not _can_be(piece[name], DATES[rung]):
                    rung += 1
                self._rungs[name] = rung
            if all(rung == len(DATES) for rung in self._rungs.values()):
                return

    def _dated(self, piece: pa.Table) -> pa.Table:
        for i, field in enumerate(piece.schema):
            rung = self._rungs.get(field.name, len(DATES))
            if rung < len(DATES):
                piece = piece.set_column(i, field.name, piece[field.name].cast(DATES[rung]))
        return piece

    def _parsed(self) -> Iterator[pa.Table]:
        known = pa.json.ParseOptions(explicit_schema=self._schema)
        for text in self._pieces():
            try:
                table = pa.json.read_json(pa.BufferReader(text), pa.json.ReadOptions(block_size=len(text) + 1), known)
                yield _valid(table)
            except (pa.ArrowException, OSError) as error:
                raise DataError(
                    f"{self.name} cannot be read as JSON lines ({line(error)}); write one object a line"
                ) from error

    def _pieces(self) -> Iterator[bytes]:
        """The file, cut at line ends."""
        try:
            with pa.input_stream(str(self.path)) as stream:
                held = b""
                while block := stream.read(PIECE):
                    lines, end, rest = block.rpartition(b"\n")
                    if end:
                        held, block = rest, held + lines
                        if block.strip():
                            yield block
                    else:
                        held += rest
                if held.strip():
                    yield held
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.name} cannot be opened ({line(error)})") from error


def _worded(schema: pa.Schema) -> pa.Schema:
    """The schema with words for the dates that PyArrow finds, since it does not say how fine they were written."""
    return pa.schema([pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema])


def _can_be(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        column.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _valid(table: pa.Table) -> pa.Table:
    """The table, once it is certain that its strings are text and its offsets lie inside it."""
    table.validate(full=True)
    return table
