"""`pushforward sample MODEL`: its options are those of every model, and those of the family that MODEL holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from annotated_types import Ge

from pushforward.cli import given as fixing
from pushforward.cli.help import Command, Option
from pushforward.cli.options import json_option, model_argument, of_parameters, records_option, seed_options
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from pushforward.drawing.trail import Trail
    from pushforward.model import Model

N = 10  # records, where nothing says how many
PER_VALUE = 10  # records for each value of --each, where nothing says how many


class _Sample(Command):
    """A command that looks for MODEL among its words, and takes the options of its family in addition."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the model, then parse with its options."""
        ctx.meta["family"] = self._family_options(ctx, list(args))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Arguments and options, those of the family before the last section."""
        return [*ctx.meta.get("family", []), *super().get_params(ctx)]

    def _family_options(self, ctx: click.Context, args: list[str]) -> list[Option]:
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        try:
            known, free, _ = parser.parse_args(args)
        except click.UsageError:  # the second parse says it, with all options known
            return []
        words = [word for word in (known.get("model"), *free) if isinstance(word, str) and word[:1] not in ("", "-")]
        folder = next((word for word in words if (Path(word) / "model.json").is_file()), next(iter(words), None))
        if folder is None:
            return []
        from pushforward.saving import hollow

        model = hollow(Path(folder))
        return of_parameters(model.options(), type(model).__name__)


def sample(
    model: str, n: int | None, given: tuple[str, ...], given_from: str | None, each: str | None,
    seed: int | None, out: str | None, json_: bool, **options: Any,
) -> None:  # fmt: skip
    """Draw, and write or show what was drawn."""
    from pushforward.cli.output import check_target, check_trail, deliver, deliver_trail
    from pushforward.saving import load

    loaded = load(model)
    if options.get("return_path"):
        check_trail(out)
    else:
        check_target(out, loaded.schema.without(loaded.given))
    n, fixed = _plan(loaded, n, given, given_from, each)
    drawn = loaded.sample(n, given=fixed or None, seed=seed, **options)
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


command = _Sample(
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
