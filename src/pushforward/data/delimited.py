"""Comma- and tab-separated files, by PyArrow's reader."""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from pushforward.data.normal import line, normalise, refuse_twice
from pushforward.data.sources import Source
from pushforward.errors import DataError

BLOCK = 1 << 22  # bytes of text that the reader looks at together

# The types that PyArrow tries in turn on a column, so that a stream arrives at what the whole file would have given.
LADDER = (
    pa.null(),
    pa.int64(),
    pa.bool_(),
    pa.date32(),
    pa.time32("s"),
    pa.timestamp("s"),
    pa.timestamp("ns"),
    pa.timestamp("s", "UTC"),
    pa.timestamp("ns", "UTC"),
    pa.float64(),
    pa.string(),
)


class Delimited(Source):
    """Comma- or tab-separated text, compressed or not.

    Args:
        path: the file.
        words: columns that are read as words, so that the zeros of 01234 survive.
        types: the column types found so far; files of one folder share them.
    """

    def __init__(self, path: Path, words: Collection[str] = (), types: dict[str, pa.DataType] | None = None):
        self.path, self.name, self.words = path, str(path), words
        self._delimiter = _delimiter(path)
        self._types: dict[str, pa.DataType] = {} if types is None else types
        self._types.update({name: pa.string() for name in words})

    def tables(self) -> Iterator[pa.Table]:
        if not self._types.keys() - set(self.words):
            self.prepare()
        try:
            with self._open() as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def table(self) -> pa.Table:
        options = pa.csv.ReadOptions(block_size=BLOCK)
        try:
            table = pa.csv.read_csv(self.path, options, self._parse(_has_quotes(self.path)), self._convert())
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error
        self._check(table.schema)
        return normalise(table, self.name)

    def prepare(self) -> None:
        while True:  # the streaming reader trusts its first block; where that was wrong, widen and start again
            try:
                with self._open() as reader:
                    self._check(reader.schema)
                    self._types.update({field.name: field.type for field in reader.schema})
                    names = reader.schema.names
                    for _ in reader:
                        pass
                return
            except (pa.ArrowException, OSError) as error:
                if not self._widen(str(error), names):
                    raise self._refuse(error) from error

    def _open(self, threads: bool = True) -> pa.csv.CSVStreamingReader:
        options = pa.csv.ReadOptions(block_size=BLOCK, use_threads=threads)
        return pa.csv.open_csv(self.path, options, self._parse(True), self._convert())

    def _parse(self, quotes: bool) -> pa.csv.ParseOptions:
        return pa.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=quotes)

    def _convert(self) -> pa.csv.ConvertOptions:
        return pa.csv.ConvertOptions(strings_can_be_null=True, column_types=self._types or None)

    def _check(self, schema: pa.Schema) -> None:
        try:
            refuse_twice(schema.names, self.name)
        except UnicodeDecodeError as error:
            raise DataError(f"the header of {self.name} is not UTF-8 text; save the file as UTF-8") from error
        for field in schema:
            if pa.types.is_binary(field.type):  # what PyArrow makes of bytes that are no text
                raise DataError(f"column {field.name!r} of {self.name} is not UTF-8 text; save the file as UTF-8")

    def _widen(self, message: str, names: list[str]) -> bool:
        """Move the column that an error names one rung up the ladder; False where that cannot help."""
        if "In CSV column #" not in message:
            return False
        name = names[int(message.split("In CSV column #")[1].split(":")[0])]
        kind = self._types[name]
        if kind not in LADDER[:-1]:
            return False
        self._types[name] = LADDER[LADDER.index(kind) + 1]
        return True

    def _refuse(self, error: Exception) -> DataError:
        message = line(error)
        if "Empty CSV" in message:
            return DataError(f"{self.name} is empty; give a file with a header and at least one row")
        if "UTF8" in message:
            return DataError(f"{self.name} is not UTF-8 text ({message}); save it as UTF-8")
        if "Expected" in message and "columns, got" in message:
            return DataError(f"{self.name} cannot be read as delimited text ({self._ragged(message)}); mend that row")
        return DataError(f"{self.name} cannot be read as delimited text ({message})")

    def _ragged(self, message: str) -> str:
        """The same message with the number of the row, which only a reader of one thread knows."""
        try:
            with self._open(threads=False) as reader:
                for _ in reader:
                    pass
        except (pa.ArrowException, OSError) as error:
            return line(error)
        return message


def _delimiter(path: Path) -> str:
    """What divides the columns of a file, judged by its header."""
    try:
        with pa.input_stream(str(path)) as stream:
            start = stream.read(65_536)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be opened ({line(error)})") from error
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is UTF-16 text; save it as UTF-8")
    if ".tsv" in path.suffixes or ".tab" in path.suffixes:
        return "\t"
    head = start.decode("utf-8", "ignore").lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t|", key=head.count)  # the first wins where none occurs


def _has_quotes(path: Path) -> bool:
    """Whether a line break could stand inside a value; where none can, the reader cuts blocks much faster."""
    if path.suffix.lower() not in (".csv", ".tsv", ".tab"):  # compressed
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b'"') >= 0
