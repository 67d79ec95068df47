"""`pushforward recommend DATA`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pushforward.cli import words
from pushforward.cli.help import Command, Option
from pushforward.cli.options import data_argument, json_option

if TYPE_CHECKING:
    from pushforward.compare.advice import Advice


def recommend(data: str, given: tuple[str, ...], json_: bool, **options: Any) -> None:
    """Ask each family, and show what it says."""
    from pushforward.compare.advice import recommend as advise

    records = words.opened(data, options)
    found = advise(records, given)
    if json_:
        from pushforward.cli.output import print_json

        print_json({"data": data, "given": given, "families": [dataclasses.asdict(advice) for advice in found]})
        return
    _show(words.name_of(data), len(records), found)


def _show(name: str, rows: int, found: tuple[Advice, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from pushforward.cli.output import GAP, show

    able = [advice for advice in found if advice.unfit is None]
    odd = [advice for advice in found if advice.unfit is not None]
    head = Text.assemble((name, "bold"), f"  {rows:,} records; {len(able)} of {len(found)} families can model them\n")
    parts: list[Any] = [head]
    for title, group in (("", able), ("\ncannot", odd)):
        if not group:
            continue
        grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for advice in group:
            grid.add_row(Text(advice.family, "cyan"), _reasons(advice))
        parts += [*([Text(title, "bold")] if title else []), grid]
    note = "Nothing was learned; which of them draws best, `pushforward compare` measures."
    show(*parts, Text(f"\n{note}", "dim"))


def _reasons(advice: Advice) -> Any:
    from rich.text import Text

    if advice.unfit is not None:
        return Text(advice.unfit)
    text = Text(advice.about, "dim")
    for sign, style, reasons in (("+", "green", advice.pro), ("−", "red", advice.contra)):
        if reasons:
            text.append(f"\n{sign} ", style)
            text.append("; ".join(reasons), "default")
    return text


command = Command(
    "recommend",
    params=[
        data_argument(),
        Option(["--given"], multiple=True, metavar="FIELD", section=words.SECTION, help="a field that is a condition"),
        *words.options(),
        json_option(),
    ],
    callback=recommend,
    help="""Say, without training, which families suit the fields of DATA and why, and why the others do not.

    Which of them draws best, `pushforward compare DATA` measures.""",
)
