"""Data sets by name. A file of this folder is a data set: its `load()` returns raw columns.

``name:split`` asks for one of the splits that a data set declares, such as ``adult:train``.
A module may declare `SPLIT` (the bookkeeping column that names the split), `HINTS` (kinds of columns)
and, in its docstring's first line, what it is. Files are read by their paths: a thread of Arrow may be the last that
holds what it reads from, and when that is a file of Python's and the interpreter is about to end, it aborts.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc

from pushforward.errors import DataError, one_of


def names() -> tuple[str, ...]:
    """The names of all built-in data sets."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def is_name(data: str) -> bool:
    """Whether a string names a built-in data set, with or without a split."""
    return data.partition(":")[0] in names()


def about(name: str) -> str:
    """One line that says what a data set is."""
    return (_module(name).__doc__ or "").strip().splitlines()[0]


def load(data: str) -> tuple[pa.Table, dict[str, str]]:
    """The raw table of a data set and the kinds that it declares.

    Raises:
        DataError: it has no such split.
    """
    name, _, split = data.partition(":")
    module = _module(name)
    table, column = module.load(), getattr(module, "SPLIT", None)
    if split:
        splits = pc.unique(table[column]).to_pylist() if column else []
        if split not in splits:
            raise DataError(f"{name!r} has no split {split!r}; {one_of(split, sorted(splits))}")
        table = table.filter(pc.equal(table[column], split))
    return table, getattr(module, "HINTS", {})


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
