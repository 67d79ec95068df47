"""Where raw tables come from: the contract of a source, and the one that is already in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from pushforward.data.normal import common, normalise, to_schema
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

    def prepare(self) -> None:
        """Find the types that hold for the whole source, so that a later pass need not look ahead."""


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
        self._keys = _partitions(root, files)
        self._schema: pa.Schema | None = None

    def tables(self) -> Iterator[pa.Table]:
        self.prepare()
        assert self._schema is not None
        for source, keys in zip(self._sources, self._keys, strict=True):
            for table in source.tables():
                yield to_schema(_with_keys(normalise(table, source.name), keys), self._schema)

    def prepare(self) -> None:
        if self._schema is not None:
            return
        for source in [*self._sources, *self._sources]:  # a later file may widen a type that the files share
            source.prepare()
        schemas = []
        for source, keys in zip(self._sources, self._keys, strict=True):
            first = next(iter(source.tables()), None)
            if first is not None:
                schemas.append(_with_keys(normalise(first.slice(0, 0), source.name), keys).schema)
        self._schema = common(schemas, self.name)


def declared(schema: pa.Schema) -> dict[str, str]:
    """Kinds that a schema says itself: numbers as a dictionary, and what `datasets` marked, are categories."""
    import json

    kinds = {
        field.name: "category"
        for field in schema
        if pa.types.is_dictionary(field.type) and not pa.types.is_temporal(field.type.value_type)
        if pa.types.is_primitive(field.type.value_type)
    }
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        marks = {name: entry["_type"] for name, entry in features.items() if isinstance(entry, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):  # metadata is a courtesy, not a contract
        return kinds
    known = {"Image": "image", "ClassLabel": "category"}
    return kinds | {name: known[mark] for name, mark in marks.items() if mark in known and name in schema.names}


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
