"""Records as files: whole or not at all, in the format of the extension."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from pushforward.data import pictures
from pushforward.data.records import Records
from pushforward.data.schema import Category, Image, Number
from pushforward.data.sources.arrays import MISSING
from pushforward.data.sources.normal import line
from pushforward.data.summary import as_storage
from pushforward.errors import ArgumentError

OURS = re.compile(r"\d{4,}\.png")  # the names of the pictures in a folder that `write` made
EXACT = 2**53  # beyond this many steps of the last digit, a float has no such digit
TEXT_BYTES = 1 << 30  # NumPy gives each text the room of the longest: more than this is refused


def write(records: Records, path: Path) -> Path:
    """Write records in the format of the extension; what stood at `path` stays until the new file is whole.

    CSV, TSV and JSON lines hold numbers with the digits of their fields, missing cells empty (CSV) or null,
    and dates in ISO form. Words that CSV readers take for missing, such as ``NA``, come back as missing.
    Parquet holds pictures as PNG bytes, as the `datasets` library does, and the kinds of the fields.
    NPZ holds plain arrays: where a category or text has holes, ``<name>_missing`` says which. PNG is a
    contact sheet. Without an extension, a folder of PNG files with a ``metadata.csv``, which `read` takes back.

    Raises:
        ArgumentError: the extension is unknown, the format cannot hold these fields, the folder around `path`
            does not exist, or what stands at `path` is not ours to replace.
    """
    if not path.parent.is_dir():
        raise ArgumentError(f"{path} cannot be written since the folder {path.parent} does not exist; make it first")
    try:
        if not path.suffix:
            return _write_folder(records, path)
        writer = WRITERS.get(path.suffix.lower())
        if writer is None:
            raise ArgumentError(
                f"{path} has an extension that cannot be written; use {', '.join(WRITERS)}, or none for a folder of PNG"
            )
        if path.is_dir():
            raise ArgumentError(f"{path} is a folder; name a file")
        return whole(path, lambda file: writer(records, file))
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written ({line(error)}); choose another place") from error


def _synced(folder: Path) -> None:
    """Push what was written in a folder to the disk: all at once, since one by one takes a hundred times as long."""
    if hasattr(os, "sync"):  # not on Windows
        os.sync()
    else:  # pragma: no cover
        for file in folder.iterdir():
            with file.open("rb+") as content:
                os.fsync(content.fileno())


def write_text(file: IO[bytes], text: str) -> None:
    """Text as UTF-8, in a file that `whole` writes."""
    file.write(text.encode())


def whole(path: Path, content: Callable[[IO[bytes]], None]) -> Path:
    """Write a file aside, push it to the disk and put it in place."""
    aside = _aside(path)
    try:
        with aside.open("xb") as file:
            content(file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def _csv(records: Records, file: IO[bytes], delimiter: str = ",") -> None:
    _refuse_pictures(records, "CSV")
    table = _digits(records, _decimal_text)
    if table.num_columns == 1 and table[0].null_count:  # an empty line would be no row: write the hole as ""
        table = pa.table({table.column_names[0]: pc.fill_null(table[0].cast(pa.string()), "")})
    pa.csv.write_csv(table, file, pa.csv.WriteOptions(delimiter=delimiter))


def _tsv(records: Records, file: IO[bytes]) -> None:
    _csv(records, file, "\t")


def _jsonl(records: Records, file: IO[bytes]) -> None:
    _refuse_pictures(records, "JSON lines")
    table = _digits(records, lambda column, digits: pc.round(column, digits))
    for i, column in enumerate(table.columns):
        if pa.types.is_duration(column.type):
            table = table.set_column(i, table.column_names[i], as_storage(column))
        elif pa.types.is_temporal(column.type):
            table = table.set_column(i, table.column_names[i], column.cast(pa.string()))
    for batch in table.to_batches(max_chunksize=4096):
        file.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in batch.to_pylist())


def _parquet(records: Records, file: IO[bytes]) -> None:
    columns, features = {}, {}
    for field in records.schema:
        column = records.table[field.name]
        if isinstance(field, Image):
            _refuse_channels(field, "Parquet")
            packed = [{"bytes": pictures.png(p), "path": None} for p in pictures.to_pixels(column)]
            columns[field.name] = pa.array(packed, pictures.STRUCT)
            features[field.name] = {"_type": "Image"}
        else:
            columns[field.name] = column
            features[field.name] = {"dtype": _feature(field.arrow_type), "_type": "Value"}
    kinds = {field.name: field.kind for field in records.schema}
    metadata = {"huggingface": json.dumps({"info": {"features": features}}), "pushforward": json.dumps(kinds)}
    pa.parquet.write_table(pa.table(columns).replace_schema_metadata(metadata), file, compression="zstd")


def _npz(records: Records, file: IO[bytes]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for field in records.schema:
        column = records.table[field.name]
        if pa.types.is_time(column.type):  # NumPy has no time of day
            column = column.cast(pa.string())
        if column.null_count and (isinstance(field, Category) or pa.types.is_string(column.type)):
            arrays[field.name + MISSING] = column.is_null().to_numpy()
            column = pc.fill_null(column, "" if pa.types.is_string(column.type) else pa.scalar(0).cast(column.type))
        arrays[field.name] = _array(records, field.name, column)
    if len(arrays) < len(records.schema) or any(name + MISSING in records.names for name in records.names):
        raise ArgumentError(f"a field's name ends in {MISSING!r}, which NPZ files use for holes; save as .parquet")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _array(records: Records, name: str, column: pa.ChunkedArray) -> np.ndarray:
    field = records.schema[name]
    if isinstance(field, Image):
        pixels = pictures.to_pixels(column)
        return pixels[..., 0] if field.channels == 1 else pixels
    if column.null_count and pa.types.is_integer(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_string(column.type):
        longest = pc.max(pc.utf8_length(column)).as_py() or 1
        if 4 * longest * len(column) > TEXT_BYTES:
            raise ArgumentError(
                f"field {name!r} has texts of {longest:,} characters, too long for NPZ; save as .parquet"
            )
        return np.asarray(column.to_pylist(), dtype=np.str_)
    return column.to_numpy()


def _png(records: Records, file: IO[bytes]) -> None:
    records.sheet().save(file, "PNG")


WRITERS: dict[str, Callable[[Records, IO[bytes]], None]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".npz": _npz,
    ".png": _png,
}


def _write_folder(records: Records, path: Path) -> Path:
    """A folder of PNG files with a table that describes them, built aside and put in place as one."""
    images = records.schema.of_kind(Image)
    if len(images) != 1:
        what = (
            "no pictures; add an extension such as .csv" if not images else "pictures in several fields; use .parquet"
        )
        raise ArgumentError(f"{path} would be a folder of pictures, but the records have {what}")
    _refuse_channels(images[0], "PNG")
    if "file_name" in records.names:
        raise ArgumentError("field 'file_name' would clash with the names of the pictures; save as .parquet")
    if path.exists():
        _refuse_foreign(path)
    aside, before = _aside(path), _aside(path)
    aside.mkdir()
    try:
        width = max(4, len(str(len(records) - 1)))
        names = [f"{row:0{width}}.png" for row in range(len(records))]
        for name, pixels in zip(names, pictures.to_pixels(records.column(images[0].name)), strict=True):
            (aside / name).write_bytes(pictures.png(pixels))
        _metadata(records.without([images[0].name]), names, aside / "metadata.csv")
        _synced(aside)
        if path.exists():
            path.rename(before)
        aside.rename(path)
    finally:
        if before.exists() and not path.exists():
            before.rename(path)
        shutil.rmtree(before, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
    return path


def _metadata(records: Records, names: list[str], file: Path) -> None:
    table = _digits(records, _decimal_text) if len(records.schema) else pa.table({})
    columns = {"file_name": pa.array(names, pa.string())} | {name: table[name] for name in table.column_names}
    pa.csv.write_csv(pa.table(columns), file)


def _refuse_foreign(path: Path) -> None:
    if not path.is_dir():
        raise ArgumentError(f"{path} exists and is a file; add an extension, or choose another name for the folder")
    strange = sorted(p.name for p in path.iterdir() if not OURS.fullmatch(p.name) and p.name != "metadata.csv")
    if strange or (any(path.iterdir()) and not (path / "metadata.csv").exists()):
        some = f" ({', '.join(strange[:3])})" if strange else ""
        raise ArgumentError(f"{path} exists and holds files that save() did not write{some}; choose another folder")


def _refuse_pictures(records: Records, form: str) -> None:
    for field in records.schema.of_kind(Image):
        raise ArgumentError(
            f"{form} cannot hold the pictures of {field.name!r}; save as .parquet, .npz, or a folder without extension"
        )


def _refuse_channels(field: Image, form: str) -> None:
    if field.channels not in (1, 3):
        raise ArgumentError(
            f"{form} cannot hold the {field.channels} channels of {field.name!r}, only 1 or 3; save as .npz"
        )


def _digits(records: Records, rounded: Callable[[pa.ChunkedArray, int], pa.ChunkedArray]) -> pa.Table:
    """The table, floats with a number of digits `rounded` to it."""
    table = records.table
    for i, field in enumerate(records.schema):
        column = table[field.name]
        if not isinstance(field, Number) or not pa.types.is_floating(column.type) or column.null_count == len(column):
            continue
        column = pc.add(column, pa.scalar(0.0, column.type))  # -0.0 becomes 0.0
        digits = field.decimals
        if digits is None and pc.all(pc.equal(pc.floor(column), column)).as_py():
            digits = 0  # so that they are read back as floats, not as whole numbers
        if digits is not None and pc.max(pc.abs(column)).as_py() * 10**digits < EXACT:
            column = rounded(column, digits)
        table = table.set_column(i, field.name, column)
    return table


def _decimal_text(column: pa.ChunkedArray, digits: int) -> pa.ChunkedArray:
    """Floats as decimals of exactly this many digits, at least one."""
    return pc.round(column, digits).cast(pa.decimal128(19, max(1, digits)))


def _feature(kind: pa.DataType) -> str:
    """What the `datasets` library calls an Arrow type."""
    return {"double": "float64", "float": "float32", "date32[day]": "date32"}.get(str(kind), str(kind))
