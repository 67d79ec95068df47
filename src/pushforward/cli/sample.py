"""`pushforward sample MODEL`: its options are those of every model, and those of the family that MODEL holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from annotated_types import Ge

from pushforward.cli import given as fixing
from pushforward.cli.help import Option
from pushforward.cli.options import json_option, model_argument, of_parameters, records_option, seed_options, verb
from pushforward.cli.own import OfModel
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from pushforward.drawing.trail import Trail
    from pushforward.model import Model

N = 10  # records, where nothing says how many
PER_VALUE = 10  # records for each value of --each, where nothing says how many


def sample(
    model: str, n: int | None, given: tuple[str, ...], given_from: str | None, each: str | None,
    seed: int | None, out: str | None, json_: bool, **options: Any,
) -> None:  # fmt: skip
    """Draw, and write or show what was drawn."""
    from pushforward.cli.output import check_target, check_trail, deliver, deliver_trail
    from pushforward.saving import load

    loaded = load(model)
    draw = verb(loaded, "sample")
    if options.get("return_path"):
        check_trail(out)
    else:
        check_target(out, loaded.schema.without(loaded.given))
    n, fixed = _plan(loaded, n, given, given_from, each)
    drawn = draw(n, given=fixed or None, seed=seed, **options)
    if options.get("return_path"):
        deliver_trail(cast("Trail", drawn), str(out), json_, {"seed": seed})
    else:
        deliver(drawn, out, json_, {"seed": seed})


def _plan(
    model: Model, n: int | None, given: tuple[str, ...], given_from: str | None, each: str | None
) -> tuple[int, dict[str, Any]]:
    """How many records, and what is held fixed."""
    fixed = fixing.parse(given, model.schema)
    if given_from is not None:
        columns = fixing.from_file(given_from, model.schema)
        if n not in (None, len(columns)):
            raise ArgumentError(f"n={n} differs from the {len(columns)} rows of {given_from}; leave -n out")
        n = len(columns)
        fixed = {name: columns.column(name) for name in columns.names} | fixed
    if each is None:
        return n or N, fixed
    levels = fixing.levels(each, model.schema)
    if each in fixed:
        raise ArgumentError(f"each={each!r} is also given; say one of both")
    n = n or PER_VALUE * len(levels)
    fixed[each] = fixing.evenly(levels, n, each)
    return n, fixed


def _options() -> list[Option]:
    n = Parameter("n", int, None, optional=True, bounds=(Ge(1),), doc=f"how many records, {N} where nothing says")
    return [
        *of_parameters({"n": n}, "Draw", flag="-n"),
        Option(
            ["--given"],
            multiple=True,
            metavar="FIELD=VALUE",
            section="Draw",
            help="hold this field fixed; LOW..HIGH is a range, A|B a set",
        ),
        Option(["--given-from"], metavar="FILE", section="Draw", help="hold its columns fixed: a record for each row"),
        Option(["--each"], metavar="FIELD", section="Draw", help="all values of this category in order, evenly many"),
        *seed_options("Draw"),
    ]


command = OfModel(
    "sample",
    params=[
        model_argument(),
        *_options(),
        records_option(),
        json_option(),
    ],
    callback=sample,
    help="""Draw records from a saved model, with any field held fixed that the model can hold fixed.

    Without --out a terminal shows the first rows, and a pipe gets CSV. `pushforward sample MODEL --help` also shows
    the options of the family that MODEL holds.""",
)
