"""`pushforward fit FAMILY DATA`: a command for each family, with options that follow from its dataclass."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pushforward.cli import words
from pushforward.cli.help import Command, Group, Option
from pushforward.cli.options import data_argument, json_option, of_parameters
from pushforward.cli.process import ALONE, FIRST, INTERRUPTED, WORLD, complain
from pushforward.errors import one_of
from pushforward.families import FAMILIES

if TYPE_CHECKING:
    from pushforward.model import Model
    from pushforward.parameters import Parameter
    from pushforward.training.progress import Progress

ABOUT = """DATA is a file (CSV, TSV, Parquet, JSON lines, Arrow, NPZ, NPY, text), a folder of files or of pictures, or a
built-in data set: {names}. `pushforward describe DATA` shows how it is read."""


class Families(Group):
    """The families as commands; the class of one is imported when it is asked for."""

    title = "Families"
    noun = "family"
    usage = "FAMILY DATA --out FOLDER [OPTIONS]"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse to start without a family."""
        if not args and not ctx.resilient_parsing:
            raise click.UsageError(f"FAMILY is missing; {one_of('', FAMILIES)}")
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all families."""
        return list(FAMILIES)

    def about(self, name: str) -> str:
        """The line of a family."""
        return FAMILIES[name][1]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that fits one family."""
        return _command(cmd_name) if cmd_name in FAMILIES else None


command = Families(
    "fit",
    help="Learn how data is distributed, and save the model. Each family has options of its own: "
    "`pushforward fit FAMILY --help` shows them.",
    no_args_is_help=False,
)


def _command(name: str) -> Command:
    from pushforward.data import builtin
    from pushforward.families import family

    cls = family(name)
    own, run = cls.parameters(), cls.budget()
    options = [
        *_data_options(cls),
        *words.options(),
        *of_parameters(own, cls.__name__),
        *of_parameters({k: v for k, v in run.items() if k != "folder"}, "Run"),
        *_validation(run),
        *_folder(run),
        Option(["--out"], required=True, metavar="FOLDER", help="where the model is saved"),
        json_option(),
    ]

    def callback(**said: Any) -> None:
        fit(cls, own=list(own), run=list(run), **said)

    about = f"{FAMILIES[name][1]}\n\n{ABOUT.format(names=', '.join(builtin.names()))}"
    return Command(name, params=[data_argument(), *options], callback=callback, help=about)


def _data_options(cls: type[Model]) -> list[Option]:
    """What is said of the data: conditions and weights, or for a family that takes two data sets the other one."""
    if hasattr(cls, "_transport"):
        line = "what the data is moved onto: of the same fields"
        return [Option(["--to"], required=True, metavar="DATA", section=words.SECTION, help=line)]
    return [
        Option(["--given"], multiple=True, metavar="FIELD", section=words.SECTION, help="learn p(rest | this field)"),
        Option(["--weights"], metavar="COLUMN", section=words.SECTION, help="how much each record counts"),
    ]


def _folder(run: Mapping[str, Parameter]) -> list[Option]:
    """Where checkpoints go has a default that follows from where the model is saved."""
    if "folder" not in run:
        return []
    return [Option(["--folder"], metavar="PATH", section="Run", help=run["folder"].doc, facts=["default OUT.run"])]


def _validation(run: Mapping[str, Parameter]) -> list[Option]:
    """What only Python can pass as it is has an option of its own."""
    if "validation" not in run:
        return []
    return [Option(["--validation"], metavar="DATA", section="Run", help=run["validation"].doc)]


def fit(
    cls: type[Model], *, own: list[str], run: list[str], data: str, out: str, json_: bool, to: str | None = None,
    given: tuple[str, ...] = (), weights: str | None = None, **options: Any,
) -> None:  # fmt: skip
    """Fit, and save; a run that is interrupted goes on when the same command is given again."""
    from pushforward.saving import check_target
    from pushforward.training.checkpoint import discard

    target = Path(out)
    check_target(target, "out=")
    if ALONE:
        complain(
            "one process alone, as accelerate sees no GPUs; for more: torchrun --nproc-per-node N -m pushforward …"
        )
    budget = {name: options.pop(name) for name in run}
    if "validation" in budget:
        budget["validation"] = _share(budget["validation"])
    aside = target.with_name(f"{target.name}.run")
    if "folder" in budget:
        budget["folder"] = budget["folder"] or str(aside)
    model = cls(**{name: options.pop(name) for name in own if name in options})
    try:
        other = None if to is None else words.opened(to, dict(options))
        about = {"to": other, "given": given, "weights": weights}
        model = _run(model, words.opened(data, options), about, budget, json_)
    except KeyboardInterrupt:
        _say_how_to_go_on()
    finally:
        _leave()
    if FIRST:
        model.save(target)
        if budget.get("folder") == str(aside):
            discard(aside)
        _report(model, out, json_)


def _run(model: Model, records: Any, about: dict[str, Any], budget: dict[str, Any], json_: bool) -> Model:
    from pushforward.families import name_of
    from pushforward.training.display import follow

    progress = model.fitting(records, **about, **budget)
    follow(_shown(progress, name_of(type(model)), json_), progress)
    return model


def _leave() -> None:
    """Part from the other processes; who ends without that may be aborted by threads that still wait for them."""
    if WORLD > 1:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()


def _shown(progress: Iterator[Progress], title: str, json_: bool) -> Iterator[Progress]:
    """The run as a bar, lines, JSON, or for other processes than the first in silence."""
    from pushforward.training import display

    if not FIRST:
        return progress
    if json_:
        progress = display.json_lines(progress, stream=sys.stdout)
        quiet = sys.stdout.isatty() or not sys.stderr.isatty()  # lines and a bar do not share a screen
        return progress if quiet else display.bar(progress, title=title, stream=sys.stderr)
    show = display.bar if sys.stderr.isatty() else display.lines
    return show(progress, title=title, stream=sys.stderr)


def _share(validation: str | None) -> float | str | None:
    """A share where it is a number, else data."""
    try:
        return None if validation is None else float(validation)
    except ValueError:
        return validation


def _say_how_to_go_on() -> None:
    ctx = click.get_current_context()
    launched = Path(sys.argv[0]).name == "__main__.py"
    again = shlex.join([*(["python", "-m"] if launched else []), "pushforward", *ctx.obj])
    same = "go on with the same launch of" if WORLD > 1 else "go on with"
    complain(f"interrupted; {same}: {again}")
    ctx.exit(INTERRUPTED)


def _report(model: Model, out: str, json_: bool) -> None:
    from pushforward.cli.output import print_json
    from pushforward.families import name_of

    measured = model.measurements
    if json_:
        print_json({"out": out, "family": name_of(type(model)), "density": model.density, "measurements": measured})
    else:
        facts = f"{measured['records']:,} records, {measured['steps']:,} steps, {measured['seconds']:g} s"
        click.echo(f"saved in {out} ({facts})", err=True)
