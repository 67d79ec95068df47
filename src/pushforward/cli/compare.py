"""`pushforward compare DATA`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from annotated_types import Ge, Gt

from pushforward.cli import words
from pushforward.cli.help import Command, Option
from pushforward.cli.options import data_argument, json_option, of_parameters
from pushforward.cli.process import INTERRUPTED, complain
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pushforward.compare import Comparison
    from pushforward.compare.run import Stand

FORMS = (".html", ".md", ".json")
SECTION = "Comparison"


def compare(
    data: str, families: tuple[str, ...], peers: tuple[str, ...], held: str | None, given: tuple[str, ...],
    target: str | None, minutes: float, seeds: int, processes: int | None, sensitivity: bool, guidance: bool,
    folder: str | None, out: tuple[str, ...], json_: bool, **options: Any,
) -> None:  # fmt: skip
    """Compare; what is finished is kept, and the same command goes on."""
    from pushforward.compare.run import comparing
    from pushforward.compare.screen import finished

    _check(out)
    place = folder or f"{words.name_of(data).replace(':', '-')}.compare"
    again = shlex.join(["pushforward", *click.get_current_context().obj])
    rest = None if held is None else words.opened(held, dict(options))
    stands = comparing(
        words.opened(data, options), list(families) or None, given, minutes, seeds, target, peers, held=rest,
        folder=place, processes=processes, sensitivity=sensitivity, guidance=guidance, name=words.name_of(data),
        command=again,
    )  # fmt: skip
    try:
        found = _followed(stands, json_)
    except KeyboardInterrupt:
        complain(f"interrupted; what is finished is in {place}; go on with: {again}")
        click.get_current_context().exit(INTERRUPTED)
    for path in out:
        found.save(path)
    if json_:
        _print(found, out)
        return
    from pushforward.cli.output import console, show

    show(*finished(found, console().width))
    report = f"; report in {', '.join(out)}" if out else ""
    click.echo(f"\ncells, draws and models in {place}{report}", err=True)


def _followed(stands: Iterator[Stand], json_: bool) -> Comparison:
    """Go through it behind a table, lines, or JSON."""
    from pushforward.compare import screen
    from pushforward.training.display import follow

    shown = _lines(stands) if json_ else stands
    if sys.stderr.isatty() and not (json_ and sys.stdout.isatty()):
        shown = screen.live(shown, stream=sys.stderr, transient=True)
    elif not json_:
        shown = screen.lines(shown, stream=sys.stderr)
    last = follow(shown, stands)
    assert last is not None
    return last.comparison


def _lines(stands: Iterator[Stand]) -> Iterator[Stand]:
    """One JSON object for each finished cell, for programs."""
    from pushforward.cli.output import print_json

    for now in stands:
        for cell in now.new:
            print_json({"cell": cell.to_json()})
        yield now


def _print(found: Comparison, out: tuple[str, ...]) -> None:
    from pushforward.cli.output import print_json

    name, why = found.winner()
    print_json({"winner": name, "why": why, "models": found.models, "out": out, "comparison": found.to_json()})


def _check(out: tuple[str, ...]) -> None:
    """Refuse, before any work, what could not be written in the end.

    Raises:
        ArgumentError: a path has an unknown extension, or a folder that is not there.
    """
    from pushforward.cli.output import check_folder

    for path in out:
        if Path(path).suffix.lower() not in FORMS:
            raise ArgumentError(f"out={path!r} must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
        check_folder(Path(path))


def _options() -> list[Option]:
    numbers = {
        "minutes": Parameter("minutes", float, 2.0, bounds=(Gt(0),), doc="wall-clock budget of each fit"),
        "seeds": Parameter("seeds", int, 3, bounds=(Ge(1),), doc="fits of each model; one cannot tell a clear winner"),
        "processes": Parameter(
            "processes", int, None, optional=True, bounds=(Ge(1),), doc="fits at once, each with its share of the cores"
        ),
    }
    return [
        Option(["--family", "families"], multiple=True, metavar="WORDS", section=SECTION,
               help="only this one, such as gan:loss=hinge; default: all that can model these fields"),
        Option(["--peer", "peers"], multiple=True, metavar="NAME", section=SECTION,
               help="also this package, if installed: ctgan, forest-diffusion, sdv, sklearn-mixture"),
        *of_parameters(numbers, SECTION),
        Option(["--given"], multiple=True, metavar="FIELD", section=SECTION, help="learn p(rest | this field)"),
        Option(["--target"], metavar="FIELD", section=SECTION, help="what a judge learns from draws to tell"),
        Option(["--held"], metavar="DATA", section=SECTION,
               help="records that nobody learns from; default: a third of DATA"),
        Option(["--sensitivity"], is_flag=True, section=SECTION,
               help="also with a tenth and ten times the learning rate, once"),
        Option(["--guidance"], is_flag=True, section=SECTION, help="also drawn with other weights of guidance, once"),
        Option(["--folder"], metavar="PATH", section=SECTION, help="where finished cells are kept",
               facts=["default DATA.compare"]),
    ]  # fmt: skip


command = Command(
    "compare",
    params=[
        data_argument(),
        *_options(),
        *words.options(),
        Option(["--out"], multiple=True, metavar="PATH", help="the report: .html, .md or .json"),
        json_option(),
    ],
    callback=compare,
    help="""Fit every family that can model DATA in the same split and time, and measure which serves it best: quality,
    control, stability, cost, and evidence of copying.

    Each fit is a process of its own. What is finished is kept: the same command goes on where it was.""",
)
