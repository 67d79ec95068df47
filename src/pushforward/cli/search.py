"""`pushforward search MODEL DATA --text TEXT`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotated_types import Ge

from pushforward.cli import words
from pushforward.cli.help import Command, Option
from pushforward.cli.options import (
    data_argument,
    json_option,
    model_argument,
    of_parameters,
    records_option,
    verb,
)
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    import numpy as np

    from pushforward.data import Records

SECTION = "Search"


def search(
    model: str, data: str, text: str | None, picture: str | None, k: int, size: int | None, out: str | None, json_: bool
) -> None:
    """Search, and write or show what was found, the best first."""
    from pushforward.cli.output import check_target, deliver
    from pushforward.data import Image, as_part
    from pushforward.saving import load

    if (text is None) == (picture is None):
        raise ArgumentError("say what is searched for: --text or --picture, one of both")
    loaded = load(model)
    look = verb(loaded, "search")
    records = as_part(words.for_model(data, loaded.schema, size), loaded.schema)
    images = [field.name for field in records.schema.of_kind(Image)]
    shown = records if out is not None and text is not None else records.without(images)
    if len(shown.names):
        check_target(out, shown.schema)
    if text is not None:
        rows, cosines = look(text, records, k)
    else:
        asked = as_part(words.for_model(str(picture), loaded.schema, size), loaded.schema)
        found = look(asked, records.without(images), k)
        rows, cosines = found[0][0], found[1][0]
    deliver(_ranked(shown, rows, cosines), out, json_, {"text": text, "picture": picture})


def _ranked(records: Records, rows: np.ndarray, cosines: np.ndarray) -> Records:
    """The records that were found, with where each stands and how similar it is."""
    import pyarrow as pa

    from pushforward.data import Field, Number, Records, Schema

    beside: list[tuple[Field, Any]] = [
        (Number(name="row", type="int64", resolution=1.0, low=0, high=max(len(records) - 1, 0)), rows),
        (Number(name="similarity", low=-1.0, high=1.0), cosines),
    ]
    added = [(field, values) for field, values in beside if field.name not in records.names]
    found = records.take(rows) if len(records.names) else records
    schema = Schema((*found.schema.fields, *(field for field, _ in added)))
    columns = {name: found.column(name) for name in found.names} | {field.name: values for field, values in added}
    return Records(schema, pa.table(columns, schema=schema.arrow))


def _options() -> list[Option]:
    k = Parameter("k", int, 10, bounds=(Ge(1),), doc="how many are found")
    return [
        Option(["--text"], metavar="TEXT", section=SECTION, help="find the pictures that it describes"),
        Option(["--picture"], metavar="FILE", section=SECTION, help="find the texts that describe it"),
        *of_parameters({"k": k}, SECTION, flag="-k"),
    ]


command = Command(
    "search",
    params=[
        model_argument(),
        data_argument(),
        *_options(),
        *words.size_options(),
        records_option(),
        json_option(),
    ],
    callback=search,
    help="""Find in data the pictures that a text describes, or the texts that describe a picture, the best first.

    Without --out a terminal shows which rows were found, and how similar they are; --out found.png shows pictures.""",
)
