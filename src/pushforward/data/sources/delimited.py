"""Comma- and tab-separated files, by PyArrow's reader."""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from pushforward.data.sources.normal import line, normalise, refuse_twice
from pushforward.data.sources.source import Source
from pushforward.errors import DataError

BLOCK = 1 << 22  # bytes of text that the reader looks at together
UNQUOTED = -1  # a count of lines that need not be known

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
        self.folder = str(path.parent)
        self._delimiter = _delimiter(path)
        self._types: dict[str, pa.DataType] = {} if types is None else types
        self._types.update({name: pa.string() for name in words})
        self._ready = False

    def tables(self) -> Iterator[pa.Table]:
        if not self._ready:
            self.prepare()
        try:
            with self._open() as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def table(self) -> pa.Table:
        table = self._read_quickly()
        if table is None:
            try:
                table = self._read(newlines=True)
            except (pa.ArrowException, OSError) as error:
                raise self._refuse(error) from error
        self._check(table.schema)
        return normalise(table, self.name)

    def _read_quickly(self) -> pa.Table | None:
        """The table, read in blocks that are cut at any line break, if it is certain that no value holds one.

        It is where nothing is quoted, and where every line break ended a row: PyArrow, when it cuts a block
        inside a value, either drops the row or leaves the line break in the value.
        """
        if self.path.suffix.lower() not in (".csv", ".tsv", ".tab"):  # packed, so that its lines cannot be counted
            return None
        with ThreadPoolExecutor(1) as aside:
            counting = aside.submit(_count_lines, self.path)
            try:
                table = self._read(newlines=False)
            except (pa.ArrowException, OSError):
                return None
            lines = counting.result()
        sure = lines == UNQUOTED or (lines == table.num_rows + 1 and not _holds_breaks(table))
        return table if sure else None

    def _read(self, newlines: bool) -> pa.Table:
        options = pa.csv.ReadOptions(block_size=BLOCK)
        return pa.csv.read_csv(self.path, options, self._parse(newlines), self._convert())

    def prepare(self) -> bool:
        before = None if not self._ready else dict(self._types)
        names = self._header()
        while True:  # the streaming reader trusts its first block; where that was wrong, widen and start again
            try:
                with self._open() as reader:
                    self._check(reader.schema)
                    self._types.update({field.name: field.type for field in reader.schema})
                    for _ in reader:
                        pass
                self._ready = True
                return self._types != before
            except (pa.ArrowException, OSError) as error:
                if not self._widen(str(error), names):
                    raise self._refuse(error) from error

    def _header(self) -> list[str]:
        options = pa.csv.ReadOptions(block_size=BLOCK)
        try:
            with pa.csv.open_csv(self.path, options, self._parse(True)) as reader:
                self._check(reader.schema)
                return reader.schema.names
        except (pa.ArrowException, OSError) as error:
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


def _holds_breaks(table: pa.Table) -> bool:
    """Whether a line break is among the characters of any string."""
    columns = (column for column in table.columns if pa.types.is_string(column.type))
    letters = (chunk.buffers()[2] for column in columns for chunk in column.chunks)
    return any(np.any(np.frombuffer(some, np.uint8) == ord("\n")) for some in letters if some)


def _count_lines(path: Path) -> int | None:
    """The lines of a file, `UNQUOTED` where nothing in it is quoted, None where it has other line ends than ours."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b'"') < 0:
            return UNQUOTED
        if content.find(b"\r") >= 0:
            return None
        bytes_ = np.frombuffer(content, np.uint8)
        pieces = (bytes_[start : start + BLOCK] for start in range(0, len(bytes_), BLOCK))
        lines = sum(int(np.count_nonzero(piece == ord("\n"))) for piece in pieces) + int(bytes_[-1] != ord("\n"))
        del bytes_, pieces  # the map cannot be closed while an array looks into it
        return lines
