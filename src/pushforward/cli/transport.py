"""`pushforward transport MODEL DATA`."""

from __future__ import annotations

from typing import Any

from pushforward.cli import words
from pushforward.cli.help import Option
from pushforward.cli.options import data_argument, json_option, model_argument, records_option, seed_options, verb
from pushforward.cli.own import OfModel


def transport(
    model: str, data: str, reverse: bool, size: int | None, seed: int | None, out: str | None, json_: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Move records to the other side, and write or show them."""
    from pushforward.cli.output import check_target, deliver
    from pushforward.saving import load

    loaded = load(model)
    move = verb(loaded, "transport")
    check_target(out, loaded.schema)
    records = move(words.for_model(data, loaded.schema, size), reverse=reverse, seed=seed, **options)
    deliver(records, out, json_, {"seed": seed, "reverse": reverse})


command = OfModel(
    "transport",
    params=[
        model_argument(),
        data_argument(),
        Option(["--reverse"], is_flag=True, help="from the second data set to the first"),
        *words.size_options(),
        *seed_options(),
        records_option(),
        json_option(),
    ],
    callback=transport,
    help="""Move records of one data set to where they would be in the other, by a model that was fitted to both.

    Records come out in the order of DATA. Without --out a terminal shows the first rows, and a pipe gets CSV.""",
)
