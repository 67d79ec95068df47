"""Where raw tables come from: one small class a kind of source, each giving Arrow tables chunk by chunk."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.json
import pyarrow.parquet

from pushforward.data import pictures
from pushforward.errors import DataError

BLOCK = 1 << 22  # bytes of text that a reader looks at together
NPZ_BYTES = 1 << 30  # an archive that unpacks to more than this and to 100 × its size is a bomb


class Source(ABC):
    """Raw tables, as often as asked.

    Attributes:
        name: how messages call the source.
        arrays: names of columns that came as arrays, which are never put on a grid.
        hints: kinds that the source itself declares, by column.
        folder: what the paths of pictures are relative to.
    """

    name: str
    arrays: Collection[str] = ()
    hints: Mapping[str, str] = {}
    folder: str | None = None

    @abstractmethod
    def tables(self) -> Iterator[pa.Table]:
        """The tables, in order, never more than a few held at once."""

    def table(self) -> pa.Table:
        """All of it at once."""
        tables = list(self.tables())
        if not tables:
            raise DataError(f"{self.name} holds no rows; give a file with a header and at least one row")
        return pa.concat_tables(tables, promote_options="permissive")


class InMemory(Source):
    """A table that is already there."""

    def __init__(self, table: pa.Table, name: str, arrays: Collection[str] = (), hints: Mapping[str, str] = {}):  # noqa: B006
        self._table, self.name, self.arrays, self.hints = table, name, arrays, hints

    def tables(self) -> Iterator[pa.Table]:
        yield self._table


class Delimited(Source):
    """Comma- or tab-separated text, compressed or not, by PyArrow's reader."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self._parse = pa.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
        self._types: dict[str, pa.DataType] = {}

    def tables(self) -> Iterator[pa.Table]:
        while True:  # the streaming reader trusts its first block; where that was wrong, widen and start again
            sent = 0
            try:
                options = pa.csv.ReadOptions(block_size=BLOCK)
                with pa.csv.open_csv(self.path, options, self._parse, self._convert()) as reader:
                    for batch in reader:
                        sent += batch.num_rows
                        yield pa.Table.from_batches([batch])
                return
            except pa.ArrowInvalid as error:
                if sent or not self._widen(str(error)):
                    raise self._refuse(error) from error

    def table(self) -> pa.Table:
        try:
            return pa.csv.read_csv(self.path, None, self._parse, self._convert())
        except pa.ArrowInvalid as error:
            raise self._refuse(error) from error

    def prepare(self) -> None:
        """Find the column types that hold for the whole file, before chunks of it are handed out."""
        while True:
            try:
                options = pa.csv.ReadOptions(block_size=BLOCK)
                with pa.csv.open_csv(self.path, options, self._parse, self._convert()) as reader:
                    self._types = {field.name: field.type for field in reader.schema}
                    for _ in reader:
                        pass
                return
            except pa.ArrowInvalid as error:
                if not self._widen(str(error)):
                    raise self._refuse(error) from error

    def _convert(self) -> pa.csv.ConvertOptions:
        return pa.csv.ConvertOptions(strings_can_be_null=True, column_types=self._types or None)

    def _widen(self, message: str) -> bool:
        if "In CSV column #" not in message or not self._types:
            return False
        name = list(self._types)[int(message.split("In CSV column #")[1].split(":")[0])]
        kind = self._types[name]
        if pa.types.is_string(kind):
            return False
        self._types[name] = (
            pa.int64() if pa.types.is_null(kind) else pa.float64() if pa.types.is_integer(kind) else pa.string()
        )
        return True

    def _refuse(self, error: Exception) -> DataError:
        message = " ".join(str(error).split())
        if "Empty CSV" in message:
            return DataError(f"{self.name} is empty; give a file with a header and at least one row")
        if "invalid UTF8" in message:
            return DataError(f"{self.name} is not UTF-8 text ({message[:120]}); save it as UTF-8")
        return DataError(f"{self.name} cannot be read as delimited text ({message[:160]}); mend that row")


class Files(Source):
    """Parquet, Arrow and JSON-lines files, or a folder of such files with partitions."""

    def __init__(self, path: Path, form: str):
        self.path, self.name, self.form = path, str(path), form
        self.hints = self._declared()

    def tables(self) -> Iterator[pa.Table]:
        try:
            if self.form == "parquet" and self.path.is_file():
                # row group by row group: a dataset scanner reads ahead and holds many of them
                with pa.parquet.ParquetFile(self.path, pre_buffer=False) as file:
                    for batch in file.iter_batches(batch_size=65_536, use_threads=False):
                        yield pa.Table.from_batches([batch])
                return
            for batch in self._dataset().to_batches(batch_readahead=1, fragment_readahead=1):
                yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def table(self) -> pa.Table:
        try:
            return self._dataset().to_table()
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error

    def _refuse(self, error: Exception) -> DataError:
        return DataError(f"{self.name} cannot be read as {self.form} ({' '.join(str(error).split())[:160]})")

    def _dataset(self) -> pa.dataset.Dataset:
        return pa.dataset.dataset(self.path, format=self.form, partitioning="hive")

    def _declared(self) -> dict[str, str]:
        """Columns that the `datasets` library marked as pictures."""
        if self.form != "parquet" or not self.path.is_file():
            return {}
        try:
            metadata = pa.parquet.read_schema(self.path).metadata or {}
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(error) from error
        import json

        features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
        return {name: "image" for name, entry in features.items() if (entry or {}).get("_type") == "Image"}


class PictureFolder(Source):
    """A folder of pictures: class sub-folders become `label`, `metadata.csv` or `.jsonl` adds columns."""

    def __init__(self, path: Path):
        self.path, self.name, self.folder = path, str(path), str(path)
        self.hints = {"image": "image", "label": "category"}

    def tables(self) -> Iterator[pa.Table]:
        metadata = next((self.path / f for f in ("metadata.csv", "metadata.jsonl") if (self.path / f).exists()), None)
        table = self._described(metadata) if metadata else self._walked()
        for start in range(0, table.num_rows, 4096):
            yield table.slice(start, 4096)

    def _walked(self) -> pa.Table:
        found = sorted(p for p in self.path.rglob("*") if p.suffix.lower() in pictures.ENDINGS)
        paths = [p.relative_to(self.path) for p in found]
        columns = {"image": _picture_column([str(p) for p in paths])}
        if all(len(p.parts) > 1 for p in paths):
            columns["label"] = pa.array([p.parts[-2] for p in paths])
        return pa.table(columns)

    def _described(self, metadata: Path) -> pa.Table:
        source = Delimited(metadata) if metadata.suffix == ".csv" else Files(metadata, "json")
        table = source.table()
        if "file_name" not in table.column_names:
            raise DataError(f"{metadata} has no column 'file_name'; it must say which picture each row describes")
        names = table["file_name"].cast(pa.string()).to_pylist()
        gone = [name for name in names if name is None or not (self.path / name).is_file()]
        if gone:
            raise DataError(f"{metadata} names {len(gone)} files that do not exist ({', '.join(map(str, gone[:3]))})")
        table = table.drop_columns(["file_name"])
        return table.add_column(0, "image", _picture_column(names))


class PlainText(Source):
    """A text file: one record a paragraph where blank lines divide it, else one a line."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self.hints = {"text": "text"}

    def tables(self) -> Iterator[pa.Table]:
        try:
            with self.path.open(encoding="utf-8") as lines:
                divided = any(not line.strip() for line in lines)
            batch: list[str] = []
            for record in self._records(divided):
                batch.append(record)
                if len(batch) == 65_536:
                    yield pa.table({"text": batch})
                    batch = []
            if batch:
                yield pa.table({"text": batch})
        except UnicodeDecodeError as error:
            raise DataError(f"{self.name} is not UTF-8 text ({error}); save it as UTF-8") from error

    def _records(self, divided: bool) -> Iterator[str]:
        with self.path.open(encoding="utf-8") as lines:
            paragraph: list[str] = []
            for line in lines:
                if line.strip():
                    paragraph.append(line.rstrip("\n"))
                if paragraph and (not divided or not line.strip()):
                    yield "\n".join(paragraph)
                    paragraph = []
            if paragraph:
                yield "\n".join(paragraph)


def npz(path: Path) -> Source:
    """The arrays of an NPZ or NPY file; pickled objects and archives that unpack beyond reason are refused."""
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > NPZ_BYTES and unpacked > 100 * path.stat().st_size:
                raise DataError(f"{path} would unpack to {unpacked / 2**30:.1f} GiB; it is refused before it does")
            with np.load(path, allow_pickle=False) as arrays:
                return arrays_source({name: arrays[name] for name in arrays.files}, str(path))
        return arrays_source({"x": np.load(path, allow_pickle=False)}, str(path))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        why = "it holds pickled objects, which could run code" if "allow_pickle" in str(error) else str(error)
        raise DataError(f"{path} cannot be read ({why}); save plain number arrays") from error


def arrays_source(columns: Mapping[str, Any], name: str) -> Source:
    """Columns that are arrays, lists or Arrow, as one table."""
    out: dict[str, pa.Array | pa.ChunkedArray] = {}
    arrays: list[str] = []
    for key, column in columns.items():
        if not isinstance(key, str):
            raise DataError(f"column name {key!r} is a {type(key).__name__}; it must be a word")
        for label, piece in _columns(key, column, name):
            if label in out:
                raise DataError(f"two columns of {name} are called {label!r}; rename one")
            out[label] = piece
            if hasattr(column, "__array__") and not hasattr(column, "__arrow_c_stream__"):
                arrays.append(label)
    sizes = {label: len(piece) for label, piece in out.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"columns of {name} differ in length ({', '.join(f'{k}: {v}' for k, v in sizes.items())})")
    return InMemory(pa.table(out), name, arrays)


def _columns(key: str, column: Any, name: str) -> Iterator[tuple[str, pa.Array | pa.ChunkedArray]]:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        yield key, column
        return
    if isinstance(column, list | tuple) and column and hasattr(column[0], "getbands"):  # Pillow pictures
        yield key, pa.array([{"bytes": _png(p), "path": None} for p in column], pictures.STRUCT)
        return
    if hasattr(column, "detach"):
        column = column.detach().cpu().numpy()
    if not hasattr(column, "__array__"):
        try:
            yield key, pa.array(column)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise DataError(f"column {key!r} of {name} cannot be read ({' '.join(str(error).split())[:120]})") from error
        return
    array = np.asarray(column)
    if array.ndim in (3, 4) and array.dtype == np.uint8:
        yield ("image" if key == "x" else key), pictures.to_arrow(array if array.ndim == 4 else array[..., None])
    elif array.ndim == 2:
        for i in range(array.shape[1]):
            yield f"{key}{i}", _plain(np.ascontiguousarray(array[:, i]), key, name)
    elif array.ndim == 1:
        yield key, _plain(array, key, name)
    else:
        raise DataError(
            f"column {key!r} of {name} has shape {array.shape} and type {array.dtype}; "
            "it must be (n,), (n, d), or (n, height, width[, channels]) of uint8"
        )


def _plain(array: np.ndarray, key: str, name: str) -> pa.Array:
    if array.dtype.kind == "c" or array.dtype.kind == "V":
        raise DataError(f"column {key!r} of {name} is of type {array.dtype}; give real numbers")
    try:
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        return pa.array(array.tolist() if array.dtype.kind == "O" else np.ascontiguousarray(array))
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise DataError(f"column {key!r} of {name} cannot be read ({' '.join(str(error).split())[:120]})") from error


def normalise(table: pa.Table, name: str) -> pa.Table:
    """Bring the many Arrow types that mean the same to one, and NaN to a missing cell."""
    twice = {column for column in table.column_names if table.column_names.count(column) > 1}
    if twice:
        raise DataError(f"two columns of {name} are called {sorted(twice)[0]!r}; rename one")
    table = table.drop_columns([c for c in table.column_names if c.startswith("__index_level_")])
    return pa.table({field.name: _normalised(table[field.name]) for field in table.schema})


def _normalised(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _normalised(column.cast(kind.value_type))
    if pa.types.is_large_string(kind) or kind == pa.string_view():
        return column.cast(pa.string())
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_time(kind) and kind.unit == "ns":
        return column.cast(pa.time64("us"), safe=False)
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return column.cast(pa.duration("us"), safe=False)
    if pa.types.is_date64(kind):
        return column.cast(pa.date32())
    if pa.types.is_floating(kind):
        total = pc.sum(column).as_py()
        if total is not None and total != total:
            return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return column


def _delimiter(path: Path) -> str:
    if ".tsv" in path.suffixes or ".tab" in path.suffixes:
        return "\t"
    try:
        with pa.input_stream(str(path)) as stream:
            head = stream.read(65_536).decode("utf-8", "ignore").split("\n", 1)[0]
    except OSError as error:
        raise DataError(f"{path} cannot be opened ({' '.join(str(error).split())[:120]})") from error
    return max(",;\t|", key=head.count)  # the first wins where none occurs


def _picture_column(paths: list[str]) -> pa.Array:
    return pa.array([{"bytes": None, "path": path} for path in paths], pictures.STRUCT)


def _png(picture: Any) -> bytes:
    import io

    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
