"""`pushforward score MODEL DATA`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pushforward.cli import words
from pushforward.cli.help import Command
from pushforward.cli.options import data_argument, json_option, model_argument, verb

if TYPE_CHECKING:
    from pushforward.data import Field
    from pushforward.model import Model

_WHAT = {"exact": "exact", "bound": "a lower bound", "estimate": "an estimate"}


def score(model: str, data: str, size: int | None, json_: bool) -> None:
    """The mean of log p, and against what it is measured."""
    from pushforward.saving import load

    loaded = load(model)
    each = verb(loaded, "log_prob")(words.for_model(data, loaded.schema, size))
    mean = float(each.mean())
    error = float(each.std() / len(each) ** 0.5)
    measures = {field.name: measure(field) for field in loaded.schema if field.name not in loaded.given}
    if json_:
        from pushforward.cli.output import print_json

        print_json({
            "score": mean, "unit": "nats per record", "standard_error": error, "density": loaded.density,
            "records": len(each), "given": list(loaded.given), "measures": measures,
        })  # fmt: skip
    else:
        _show(loaded, mean, error, len(each), measures)


def measure(field: Field) -> str:
    """What the probability of a field is measured against, in a few words."""
    from pushforward.data import Image, Number

    if isinstance(field, Image):
        return "counting pixel values"
    if not isinstance(field, Number):
        return "counting values"
    if field.resolution is None:
        atoms = " and counting its atoms" if field.atoms else ""
        return f"density per unit of its own{atoms}"
    return "counting whole numbers" if field.resolution == 1 else f"counting steps of {field.resolution:g}"


def _show(model: Model, mean: float, error: float, records: int, measures: dict[str, str]) -> None:
    from rich.text import Text

    from pushforward.cli.output import show, table

    of = "log p" if not model.given else f"log p(rest | {', '.join(model.given)})"
    grid = table(None, None)
    for measured in dict.fromkeys(measures.values()):
        names = ", ".join(name for name, m in measures.items() if m == measured)
        grid.add_row(Text(measured), Text(names, "cyan"))
    show(
        Text.assemble((f"{mean:.4f}", "bold cyan"), " nats per record"),
        Text(f"the mean of {of} over {records:,} records, ± {error:.4f}; {_WHAT[model.density]}\n", style="dim"),
        grid,
    )


command = Command(
    "score",
    params=[model_argument(), data_argument(), *words.size_options(), json_option()],
    callback=score,
    help="""Say how probable a model finds data: the mean of log p, in nats per record and in the units of the data.

    Numbers of two models are comparable where their fields are measured alike, which is shown below the number.""",
)
