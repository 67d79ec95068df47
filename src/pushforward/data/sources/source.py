"""Where raw tables come from: the contract of a source, and the one that is already in memory."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from pushforward.data.schema import KINDS
from pushforward.data.sources.normal import common, normalise, to_schema
from pushforward.errors import DataError

NONE: Mapping[str, str] = MappingProxyType({})


class Source(ABC):
    """Raw tables, as often as asked.

    Attributes:
        name: how messages call the source.
        arrays: names of columns that came as arrays, which are never put on a grid.
        hints: kinds that the source itself declares, by column.
        words: names of columns that were asked for as words, though what they hold may be numbers.
        folder: what the paths of pictures are relative to.
    """

    name: str
    arrays: Collection[str] = ()
    hints: Mapping[str, str] = NONE
    words: Collection[str] = ()
    folder: str | None = None

    @abstractmethod
    def tables(self) -> Iterator[pa.Table]:
        """The tables, in order and all of one schema, never more than a few held at once."""

    def table(self) -> pa.Table:
        """All of it at once, as `normalise` leaves it."""
        tables = [normalise(table, self.name) for table in self.tables()]
        if not tables:
            raise DataError(f"{self.name} holds no rows; give data with at least one")
        return pa.concat_tables(tables)

    def prepare(self) -> bool:
        """Find the types that hold for the whole source before any table is handed out; True where they changed."""
        return False


class InMemory(Source):
    """A table that is already there."""

    def __init__(self, table: pa.Table, name: str, arrays: Collection[str] = (), hints: Mapping[str, str] = NONE):
        self._table, self.name, self.arrays = table, name, arrays
        self.hints = {**declared(table.schema), **hints}

    def tables(self) -> Iterator[pa.Table]:
        yield self._table


class Several(Source):
    """The files of a folder, one after the other; ``key=value`` folders above a file become columns."""

    def __init__(self, root: Path, files: list[Path], sources: list[Source]):
        self.name, self._sources = str(root), sources
        self.hints = {name: kind for source in sources for name, kind in source.hints.items()}
        self.words = {name for source in sources for name in source.words}
        self.folder = str(root)
        self._keys = _partitions(root, files)
        self._schema: pa.Schema | None = None

    def tables(self) -> Iterator[pa.Table]:
        self.prepare()
        assert self._schema is not None
        for source, keys in zip(self._sources, self._keys, strict=True):
            for table in source.tables():
                yield to_schema(_with_keys(normalise(table, source.name), keys), self._schema, self.name)

    def prepare(self) -> bool:
        if self._schema is not None:
            return False
        changed = True
        while changed:  # a later file may widen a type that all share
            changed = False
            for source in self._sources:
                changed = source.prepare() or changed
        schemas = []
        for source, keys in zip(self._sources, self._keys, strict=True):
            first = next(iter(source.tables()), None)
            if first is not None:
                schemas.append(_with_keys(normalise(first.slice(0, 0), source.name), keys).schema)
        self._schema = common(schemas, self.name)
        return True


def declared(schema: pa.Schema) -> dict[str, str]:
    """Kinds that a schema says itself: numbers in a dictionary are categories, and its metadata may name others."""
    kinds = {
        field.name: "category"
        for field in schema
        if pa.types.is_dictionary(field.type)
        and pa.types.is_primitive(field.type.value_type)
        and not pa.types.is_temporal(field.type.value_type)
    }
    for said in (_of_datasets, _of_ours):
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # metadata is a courtesy, not a contract
            kinds |= {name: kind for name, kind in said(schema.metadata or {}).items() if name in schema.names}
    return kinds


def _of_datasets(metadata: Mapping[bytes, bytes]) -> dict[str, str]:
    """What the `datasets` library notes in the files that it writes."""
    known = {"Image": "image", "ClassLabel": "category"}
    features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    marks = {name: entry["_type"] for name, entry in features.items() if isinstance(entry, dict)}
    return {name: known[mark] for name, mark in marks.items() if mark in known}


def _of_ours(metadata: Mapping[bytes, bytes]) -> dict[str, str]:
    """What `Records.save` notes."""
    kinds = json.loads(metadata.get(b"pushforward", b"{}"))
    return {name: kind for name, kind in kinds.items() if kind in KINDS}


def _partitions(root: Path, files: list[Path]) -> list[dict[str, pa.Scalar]]:
    """The keys that the folders above each file say, as whole numbers where all of them are."""
    from urllib.parse import unquote

    said = [dict(part.split("=", 1) for part in f.relative_to(root).parts[:-1] if "=" in part) for f in files]
    found: list[dict[str, pa.Scalar]] = [{} for _ in files]
    for name in {name for keys in said for name in keys}:
        values = [None if name not in keys else _key(unquote(keys[name])) for keys in said]
        whole = all(value is None or value.lstrip("-").isdecimal() for value in values)
        for keys, value in zip(found, values, strict=True):
            kind = pa.int64() if whole else pa.string()
            keys[name] = pa.scalar(int(value) if whole and value is not None else value, kind)
    return found


def _key(value: str) -> str | None:
    return None if value == "__HIVE_DEFAULT_PARTITION__" else value


def _with_keys(table: pa.Table, keys: Mapping[str, pa.Scalar]) -> pa.Table:
    for name, value in keys.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.repeat(value, table.num_rows))
    return table
