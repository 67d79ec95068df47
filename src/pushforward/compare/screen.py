"""A comparison on the screen: a table that fills while it runs, plain lines where output is piped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from pushforward.compare.ranking import Summary, deciding
from pushforward.compare.result import COSTS, Comparison
from pushforward.compare.run import Stand
from pushforward.compare.tables import (
    HEADS,
    MARKED,
    brief,
    cost_in_words,
    nats_in_words,
    number,
    seeds_in_words,
    with_interval,
)
from pushforward.metrics import Measured, about
from pushforward.training.display import EVERY, clock, follow

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

GAP = 2  # columns between two cells
METRIC, DOING = 16, 24  # columns of a terminal that a metric takes, and what is being done
WIDTHS = {"nats": 11, "seconds to fit": 10, "seconds per 1,000": 13, "peak memory, MB": 9, "seeds": 8}


def drain(stands: Iterator[Stand], *, stream: TextIO | None = None) -> Comparison:
    """Go through a comparison behind a table on a terminal; elsewhere in silence.

    The first Ctrl-C (or SIGTERM) ends it after what is just being measured; what is finished is kept.

    Raises:
        Interrupted: it was asked to stop.
    """
    stream = stream or sys.stderr
    last = follow(live(stands, stream=stream) if stream.isatty() else stands, stands)
    assert last is not None
    return last.comparison


def lines(stands: Iterator[Stand], *, stream: TextIO) -> Iterator[Stand]:
    """A plain line for each finished cell."""
    for now in stands:
        for cell in now.new:
            names = [name for name in brief(now.comparison) if isinstance(cell.found.get(name), Measured)]
            found = [f"{name} {with_interval(cell.found[name])}" for name in names[:1]]  # type: ignore[arg-type]
            took = [cost_in_words("seconds", cell.cost["seconds to fit"])] if cell.cost else []
            words = cell.failed or ", ".join([*found, *(f"fitted in {word}" for word in took)])
            head = f"compare: {now.done} of {now.total}: {cell.model}, seed {cell.seed}"
            print(f"{head}: {words}", file=stream, flush=True)
        yield now


def live(stands: Iterator[Stand], *, stream: TextIO, transient: bool = False) -> Iterator[Stand]:
    """A table that is drawn again and again, and stays as it was last."""
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, highlight=False)
    with Live(console=console, refresh_per_second=1 / EVERY, transient=transient) as screen:
        for now in stands:
            screen.update(running(now, console.width))
            yield now


def running(now: Stand, width: int) -> RenderableType:
    """How a comparison stands: a row a model, what is known of it, and what is being done."""
    from rich.console import Group
    from rich.text import Text

    left = f", {clock(now.remaining)} left of fits" if now.remaining else ""
    head = Text.assemble((str(now.comparison.data["name"]), "bold"),
                         (f"  {now.done} of {now.total} fits, {clock(now.elapsed)}{left}\n", "dim"))  # fmt: skip
    parts: list[RenderableType] = [
        head,
        grid(now.comparison, now.models, now.busy, width),
    ]
    if words := now.busy.get(""):
        parts.append(Text(f"\n{words} …", "dim"))
    return Group(*parts)


def finished(comparison: Comparison, width: int) -> list[RenderableType]:
    """The answer, the table, and what has to be said besides."""
    from rich.text import Text

    name, why = comparison.winner()
    data, greyed = comparison.data, comparison.greyed
    head = Text.assemble((f"{data['name']}  ", "bold"), (name or "no clear winner", "bold green" if name else "bold"))
    why = why.removeprefix("no clear winner: ")
    given = f", given {', '.join(data['given'])}" if data["given"] else ""
    counts = f"{data['rows']:,} records to learn from, {data['held out']:,} held out{given}"
    setting = Text(f"{counts}; {comparison.setting['minutes']:g} minutes for each fit\n", "dim")
    parts: list[RenderableType] = [head, Text(why[:1].upper() + why[1:] + "."), setting]
    models = comparison.models
    names, _ = fitting(comparison, width - max(map(len, models), default=0))
    parts += [grid(comparison, models, {}, width), Text("")]
    known = {name: about(name).words for name in names}
    known |= {name: f"says nothing here: {greyed[name]}" for name in known if name in greyed}
    parts += _listed("", known | {"nats": MARKED}, "dim")
    summaries = comparison.ranked()
    failed = {f"{s.model}, seed {seed}": reason for s in summaries for seed, reason in s.failed.items()}
    parts += _listed("failed", failed)
    parts += _listed("alarms", {s.model: "; ".join(s.alarms) for s in summaries if s.alarms})
    return parts + _listed("does not take part", comparison.unfit)


def grid(comparison: Comparison, models: tuple[str, ...], busy: dict[str, str], width: int) -> Table:
    """A row a model, in this order, with what there is room for; what is being done stands behind, if anything is."""
    from rich.table import Table
    from rich.text import Text

    known = {s.model: s for s in comparison.ranked()}
    names, others = fitting(comparison, width - max(map(len, models), default=0) - (DOING if busy else 0))
    first, _ = comparison.winner()
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    table.add_column("model", no_wrap=True)
    for name in names:
        head = Text(name, "strike" if name in comparison.greyed else "")
        table.add_column(head, justify="right", min_width=METRIC - GAP - 1)
    for name in others:
        table.add_column(HEADS.get(name, name), justify="right", no_wrap=True)
    if busy:
        table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    for model in models:
        doing = [Text(busy.get(model, ""), "dim")] if busy else []
        style = "bold green" if model == first else "cyan"
        cells = _cells(known[model], comparison, names, others) if model in known else [""] * len((*names, *others))
        table.add_row(Text(model, style), *cells, *doing)
    return table


def fitting(comparison: Comparison, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics, and the other columns, that so many columns of a terminal have room for, the weightier first."""
    decide = deciding(comparison)
    more = [name for name in brief(comparison) if name not in decide]
    wanted = ["nats", "seconds to fit", *more[:1], "seeds", *COSTS[1:3], *more[1:]]
    left, chosen = width - METRIC * len(decide), list(decide)
    for name in wanted:
        if (left := left - WIDTHS.get(name, METRIC)) < 0:
            break
        chosen.append(name)
    metrics = tuple(name for name in brief(comparison) if name in chosen)
    return metrics, tuple(name for name in WIDTHS if name in chosen)


def _cells(summary: Summary, comparison: Comparison, names: tuple[str, ...], others: tuple[str, ...]) -> list[Text]:
    from rich.text import Text

    cells = []
    for name in names:
        one = summary.found.get(name)
        cells.append(Text("–", "dim") if one is None else _number(one, name in comparison.greyed))
    for name in others:
        if name == "nats":
            cells.append(Text(nats_in_words(summary), "" if summary.nats else "dim"))
        elif name == "seeds":
            cells.append(Text(seeds_in_words(summary), "red" if summary.failed else ""))
        else:
            cells.append(Text(cost_in_words(name, summary.cost.get(name))))
    return cells


def _number(one: Measured, grey: bool) -> Text:
    from rich.text import Text

    half = max(one.high - one.value, one.value - one.low)
    return Text.assemble((number(one.value), "dim" if grey else ""), (f" ±{number(half, one.value)}", "dim"))


def _listed(title: str, entries: dict[str, str], style: str = "") -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    if not entries:
        return []
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in entries.items():
        table.add_row(Text(name, "dim" if style else "cyan"), Text(words, style))
    return [*([Text(f"\n{title}", "bold")] if title else []), table]
