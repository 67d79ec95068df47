"""`pushforward complete MODEL DATA`."""

from __future__ import annotations

from typing import Any

from pushforward.cli import words
from pushforward.cli.options import data_argument, json_option, model_argument, records_option, seed_options, verb
from pushforward.cli.own import OfModel


def complete(
    model: str, data: str, size: int | None, seed: int | None, out: str | None, json_: bool, **options: Any
) -> None:
    """Fill the holes, and write or show the records."""
    from pushforward.cli.output import check_target, deliver
    from pushforward.data import as_records
    from pushforward.saving import load

    loaded = load(model)
    fill = verb(loaded, "complete")
    check_target(out, loaded.schema)
    records = as_records(words.for_model(data, loaded.schema, size), loaded.schema, partial=True)
    holes = sum(records.column(name).null_count for name in records.names)
    whole = fill(records, seed=seed, **options)
    left = sum(whole.column(name).null_count for name in whole.names)
    deliver(whole, out, json_, {"seed": seed, "filled": holes - left})


command = OfModel(
    "complete",
    params=[
        model_argument(),
        data_argument(),
        *words.size_options(),
        *seed_options(),
        records_option(),
        json_option(),
    ],
    callback=complete,
    help="""Draw what is missing in data given what is there, which stays as it is.

    Columns of the model that DATA lacks are drawn as a whole. Without --out a terminal shows the first rows, and a
    pipe gets CSV. `pushforward complete MODEL --help` also shows the options of the family that MODEL holds.""",
)
