"""The words of `read` as options: what a person says about the columns of data."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from annotated_types import Ge

from pushforward.cli.help import Option
from pushforward.cli.options import of_parameters
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from pushforward.data import Records, Scan, Schema

SECTION = "Data"
_KINDS = {
    "text": "this column is free text",
    "category": "this column is a category",
    "number": "this column is a number",
    "image": "this column is a picture",
    "leave_out": "pass over this column",
}


class Pair(click.ParamType):
    """``COLUMN=VALUE`` with a number for the value."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The column and the number.

        Raises:
            ArgumentError: it has no ``=``, or no number behind it.
        """
        column, sign, number = str(value).rpartition("=")
        word = param.name if param is not None else "value"
        try:
            if not (sign and column):
                raise ValueError
            return column, float(number)
        except ValueError:
            raise ArgumentError(f"{word}={value!r} must be COLUMN=VALUE with a number, such as income=0") from None


def options() -> list[Option]:
    """The options of a command that reads data whose columns it does not know yet."""
    kinds = [
        Option([f"--{name.replace('_', '-')}"], multiple=True, metavar="COLUMN", section=SECTION, help=line)
        for name, line in _KINDS.items()
    ]
    return [
        *kinds,
        pair("atoms", "a value that has mass of its own"),
        pair("resolution", "the grid this column lies on"),
        *size_options(),
        Option(["--scan"], is_flag=True, section=SECTION, help="read piece by piece what is larger than memory"),
    ]


def pair(name: str, line: str, *, section: str = SECTION, metavar: str = "COLUMN=X") -> Option:
    """An option that takes ``COLUMN=VALUE``, as often as wanted."""
    return Option([f"--{name}"], multiple=True, type=Pair(), metavar=metavar, section=section, help=line)


def size_options() -> list[Option]:
    """To what size pictures are brought."""
    size = Parameter("size", int, None, optional=True, bounds=(Ge(1),), doc="cut and scale pictures to N×N pixels")
    return of_parameters({"size": size}, SECTION)


def opened(data: str, options: dict[str, Any]) -> Records | Scan:
    """The data in memory, or lazily after ``--scan``; the words are taken out of `options`.

    Raises:
        PushforwardError: the data cannot be read, or a word does not fit it.
    """
    from pushforward.data import read, scan

    words: dict[str, Any] = {name: options.pop(name) for name in (*_KINDS, "size")}
    atoms: dict[str, list[float]] = {}
    for column, value in options.pop("atoms"):
        atoms.setdefault(column, []).append(value)
    words |= {"atoms": atoms, "resolution": dict(options.pop("resolution"))}
    return (scan if options.pop("scan") else read)(data, **words)


def for_model(data: str, schema: Schema, size: int | None) -> Any:
    """Data for a model, which knows the kinds of the columns but not that pictures are to be scaled."""
    if size is None:
        return data
    from pushforward.data import read
    from pushforward.data.sources.open import open_source

    there: Collection[str] = next(iter(open_source(data).tables())).column_names
    kinds: dict[str, Any] = {}
    for field in schema:
        if field.name in there:
            kinds.setdefault(field.kind, []).append(field.name)
    return read(data, size=size, **kinds)


def name_of(data: str) -> str:
    """How a heading calls the data."""
    return Path(data).name or data
