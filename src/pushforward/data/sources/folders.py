"""Folders of pictures, and plain text."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pushforward.data import pictures
from pushforward.data.sources.delimited import Delimited
from pushforward.data.sources.files import JsonLines
from pushforward.data.sources.normal import refuse_twice
from pushforward.data.sources.source import Source
from pushforward.errors import DataError

ROWS = 4096  # pictures of a table


class PictureFolder(Source):
    """A folder of pictures: class sub-folders become `label`, `metadata.csv` or `.jsonl` adds columns."""

    def __init__(self, path: Path, words: Collection[str] = ()):
        self.path, self.name, self.folder, self.words = path, str(path), str(path), words
        self.hints = {"image": "image"}

    def tables(self) -> Iterator[pa.Table]:
        table = self.table()
        for start in range(0, table.num_rows, ROWS):
            yield table.slice(start, ROWS)

    def table(self) -> pa.Table:
        metadata = next((self.path / f for f in ("metadata.csv", "metadata.jsonl") if (self.path / f).exists()), None)
        return self._described(metadata) if metadata else self._walked()

    def _walked(self) -> pa.Table:
        found = sorted(p for p in self.path.rglob("*") if p.suffix.lower() in pictures.ENDINGS)
        paths = [p.relative_to(self.path) for p in found]
        columns = {"image": _column([str(p) for p in paths])}
        if all(len(p.parts) > 1 for p in paths):
            columns["label"] = pa.array([p.parts[-2] for p in paths])
            self.hints = {"image": "image", "label": "category"}
        return pa.table(columns)

    def _described(self, metadata: Path) -> pa.Table:
        source = Delimited(metadata, self.words) if metadata.suffix == ".csv" else JsonLines(metadata)
        table = source.table()
        if "file_name" not in table.column_names:
            raise DataError(f"{metadata} has no column 'file_name'; it must say which picture each row describes")
        names = [None if name is None else str(name) for name in table["file_name"].to_pylist()]
        gone = [name for name in names if name is None or not self._inside(name)]
        if gone:
            some = ", ".join(map(repr, gone[:3])) + (", …" if len(gone) > 3 else "")
            raise DataError(
                f"{metadata} names {len(gone)} pictures that are not in the folder: {some}; mend those rows"
            )
        table = table.drop_columns(["file_name"])
        if "label" in table.column_names and not pa.types.is_floating(table["label"].type):
            self.hints = {"image": "image", "label": "category"}
        refuse_twice(["image", *table.column_names], f"{metadata} and its pictures")
        return table.add_column(0, "image", _column([str(name) for name in names]))

    def _inside(self, name: str) -> bool:
        """Whether a name is a file of this folder, and no path that leads out of it."""
        within = not Path(name).is_absolute() and not os.path.normpath(name).startswith("..")
        try:
            return within and (self.path / name).is_file()
        except (OSError, ValueError):  # too long, or with a null byte
            return False


class PlainText(Source):
    """A text file: one record a paragraph where blank lines divide it, else one a line."""

    def __init__(self, path: Path):
        self.path, self.name = path, str(path)
        self.hints = {"text": "text"}

    def tables(self) -> Iterator[pa.Table]:
        try:
            records = self._records(self._divided())
            while batch := list(islice(records, 65_536)):
                yield pa.table({"text": batch})
        except UnicodeDecodeError as error:
            raise DataError(f"{self.name} is not UTF-8 text ({error}); save it as UTF-8") from error
        except OSError as error:
            raise DataError(f"{self.name} cannot be opened ({error})") from error

    def _divided(self) -> bool:
        """Whether a blank line stands between lines that are not."""
        with self.path.open(encoding="utf-8-sig") as lines:
            begun = blank = False
            for text in lines:
                if text.strip() and blank:
                    return True
                begun = begun or bool(text.strip())
                blank = begun and not text.strip()
        return False

    def _records(self, divided: bool) -> Iterator[str]:
        with self.path.open(encoding="utf-8-sig") as lines:
            paragraph: list[str] = []
            for text in lines:
                if text.strip():
                    paragraph.append(text.rstrip("\n"))
                if paragraph and (not divided or not text.strip()):
                    yield "\n".join(paragraph)
                    paragraph = []
            if paragraph:
                yield "\n".join(paragraph)


def _column(paths: list[str]) -> pa.Array:
    return pa.array([{"bytes": None, "path": path} for path in paths], pictures.STRUCT)
