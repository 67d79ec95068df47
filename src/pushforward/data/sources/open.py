"""From what a person names or hands over to the source that stands behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pushforward.data import builtin, pictures
from pushforward.data.records import Records
from pushforward.data.sources.arrays import arrays_source, numpy_file
from pushforward.data.sources.delimited import Delimited
from pushforward.data.sources.files import Ipc, JsonLines, Parquet
from pushforward.data.sources.folders import PictureFolder, PlainText
from pushforward.data.sources.normal import line
from pushforward.data.sources.source import InMemory, Several, Source
from pushforward.errors import DataError, one_of

PACKED = (".gz", ".bz2", ".zst", ".lz4")  # endings that stand behind the one that says the format
DELIMITED = (".csv", ".tsv", ".tab")
TABLES = (".parquet", *DELIMITED, ".jsonl", ".ndjson", ".arrow", ".feather")  # what a folder may hold, the first first
FORMS = (*TABLES, ".json", ".npz", ".npy", ".txt")


def open_source(data: Any, words: Collection[str] = ()) -> Source:
    """The source that stands behind what a person names or hands over.

    Args:
        data: a path, the name of a built-in data set, a frame, Arrow, Records, a dict of columns or an array.
        words: columns that text files are asked to give as words.

    Raises:
        DataError: it does not exist, or is of a kind that is not known.
    """
    if isinstance(data, str | Path):
        return _open_path(data, words)
    if isinstance(data, Records):
        return InMemory(data.table, "the records")
    if isinstance(data, pa.RecordBatch):
        return InMemory(pa.Table.from_batches([data]), "the batch")
    if hasattr(data, "__arrow_c_stream__"):
        return _open_frame(data)
    if isinstance(data, Mapping):
        if not data:
            raise DataError("the data has no columns; give at least one")
        return arrays_source(data, "the data")
    if hasattr(data, "__array__"):
        return arrays_source({"x": data}, "the array")
    raise DataError(
        f"data is a {type(data).__name__}; it must be a path, a frame, Arrow, Records, a dict of columns or an array"
    )


def _open_frame(data: Any) -> Source:
    name = f"the {type(data).__name__}"
    labels = [str(label) for label in getattr(data, "columns", ())] if hasattr(data, "iloc") else []
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise DataError(f"two columns of {name} are called {twice!r}; rename one")
    try:
        return InMemory(pa.table(data), name)
    except Exception as error:  # a stranger's implementation of the protocol may raise anything
        if labels:  # column by column, to name the one that cannot be read, or to find pixels in it
            return arrays_source({str(label): column for label, column in data.items()}, name)
        raise DataError(f"{name} cannot be read as Arrow ({line(error)}); give a table or a dict of columns") from error


def _open_path(data: str | Path, words: Collection[str]) -> Source:
    if isinstance(data, str) and builtin.is_name(data):
        table, hints = builtin.load(data)
        return InMemory(table, data, hints=hints)
    path = Path(data)
    try:
        return _open_existing(path, words)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        why = getattr(error, "strerror", None) or line(error)
        raise DataError(f"{_short(path)} cannot be opened ({why}); check the path and who may read it") from error


def _open_existing(path: Path, words: Collection[str]) -> Source:
    if not path.exists():
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        cure = one_of(path.name, [*builtin.names(), *near])
        raise DataError(f"{_short(path)} is no file, folder or built-in data set; {cure}")
    if path.is_dir():
        return _open_folder(path, words)
    if not path.is_file():
        raise DataError(f"{path} is no plain file; write its content to one first")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; give a file with at least one row")
    return _open_file(path, words)


def _open_file(path: Path, words: Collection[str]) -> Source:
    form = _form(path)
    if form in DELIMITED:
        return Delimited(path, words)
    if form == ".parquet":
        return Parquet(path)
    if form in (".jsonl", ".ndjson", ".json"):
        return JsonLines(path)
    if form in (".arrow", ".feather"):
        return Ipc(path)
    if form in (".npz", ".npy"):
        return numpy_file(path)
    if form == ".txt":
        return PlainText(path)
    if form in pictures.ENDINGS:
        table = pa.table({"image": pa.array([{"bytes": None, "path": str(path)}], pictures.STRUCT)})
        return InMemory(table, str(path), hints={"image": "image"})
    raise DataError(f"{path} is of an unknown format {form or 'without an extension'}; known are {', '.join(FORMS)}")


def _short(path: Path) -> str:
    text = str(path)
    return repr(text if len(text) <= 200 else f"{text[:100]}…{text[-100:]}")


def _form(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), "")


def _open_folder(path: Path, words: Collection[str]) -> Source:
    if (path / "model.json").exists():
        raise DataError(f"{path} is a saved model, not data; load it with load()")
    files = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
    forms = {_form(p) for p in files}
    if forms & set(pictures.ENDINGS) or (path / "metadata.csv").exists() or (path / "metadata.jsonl").exists():
        return PictureFolder(path, words)
    form = next((form for form in TABLES if form in forms), None)
    if form is None:
        raise DataError(f"folder {path} holds neither pictures nor tables; known are {', '.join(FORMS)} and pictures")
    chosen = [p for p in files if _form(p) == form and p.stat().st_size]
    if not chosen:
        raise DataError(f"the {form} files of {path} are empty; give files with at least one row")
    types: dict[str, pa.DataType] = {}
    sources = [Delimited(p, words, types) if form in DELIMITED else _open_file(p, words) for p in chosen]
    return Several(path, chosen, sources)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) and "=" not in part for part in path.parts)
