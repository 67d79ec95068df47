"""`pushforward predict MODEL DATA --field FIELD`, or `--among TEXT --among TEXT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pushforward.cli import words
from pushforward.cli.help import Command, Option
from pushforward.cli.options import data_argument, json_option, model_argument, records_option, verb

if TYPE_CHECKING:
    import numpy as np

    from pushforward.data import Category, Records
    from pushforward.model import Model


def predict(
    model: str, data: str, field: str | None, among: tuple[str, ...], size: int | None, out: str | None, json_: bool
) -> None:
    """Predict, and write or show the value and its probability for each record."""
    from pushforward.cli.output import check_target, deliver
    from pushforward.saving import load

    if field is None and not among:
        raise click.UsageError("--field is missing; name a category, or captions with --among")
    loaded = load(model)
    chances = verb(loaded, "predict_proba")
    check_target(out, loaded.schema.select([]))
    found = chances(words.for_model(data, loaded.schema, size), field, among=list(among) or None)
    deliver(_records(_target(loaded, field, among), list(among), found), out, json_, {"field": field})


def _target(model: Model, name: str | None, among: tuple[str, ...]) -> Category:
    """The category that is predicted; captions are one of their own."""
    from pushforward.data import Category

    if name is None:
        return Category(name="caption", values=tuple(sorted(set(among))))
    field = model.schema[name]
    assert isinstance(field, Category)  # predict_proba refuses all others
    return field


def _records(field: Category, among: list[str], chances: np.ndarray) -> Records:
    import pyarrow as pa

    from pushforward.data import Number, Records, Schema

    name, levels = field.name, among or field.values
    chance = Number(name="probability", low=0.0, high=1.0)
    while chance.name == name:  # pragma: no cover - a field may be called anything
        chance = Number(name=f"{chance.name}_", low=0.0, high=1.0)
    values = [levels[i] for i in chances.argmax(1)]
    schema = Schema((field, chance))
    return Records(schema, pa.table({name: values, chance.name: chances.max(1)}, schema=schema.arrow))


command = Command(
    "predict",
    params=[
        model_argument(),
        data_argument(),
        Option(["--field"], metavar="FIELD", section="Data", help="the category that is predicted"),
        Option(["--among"], multiple=True, metavar="TEXT", section="Data", help="or captions that are chosen from"),
        *words.size_options(),
        records_option(),
        json_option(),
    ],
    callback=predict,
    help="""Predict a category from all other fields: its most probable value, and how probable that is.

    A model that compares pictures with texts also chooses among captions: --among "a cat" --among "a dog".""",
)
