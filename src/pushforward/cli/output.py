"""What commands print and write: JSON, tables, records."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushforward.errors import ArgumentError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from pushforward.data import Field, Records, Schema
    from pushforward.drawing.trail import Trail

SHOWN = 20  # rows of a table on a terminal
LONGEST = 40  # columns of the terminal that a cell may take
GAP = 3  # columns between two cells
NO_PICTURES = (".csv", ".tsv", ".jsonl")
HOLE = "–"  # how a missing cell is shown


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of stdout."""
    print(json.dumps(_plain(value), ensure_ascii=False, default=str), flush=True)


def _plain(value: Any) -> Any:
    """Values that JSON has; it has neither NaN nor infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def console() -> Console:
    """Stdout in colour on a terminal; lines that are piped are as long as they need to be."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=1000, no_color=True)


def show(*parts: RenderableType) -> None:
    """Print parts one below the other, without blanks at the ends of lines."""
    screen = console()
    with screen.capture() as drawn:
        for part in parts:
            screen.print(part)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def table(*columns: str | None) -> Table:
    """A table without lines; a column that starts with ``>`` is aligned to the right, None hides the heads."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim", show_header=None not in columns)
    for name in columns:
        right = bool(name) and str(name).startswith(">")
        grid.add_column((name or "").removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return grid


# Records


def check_target(out: str | None, schema: Schema) -> None:
    """Refuse, before any work, a place where records of a schema could not be written.

    Raises:
        ArgumentError: its folder does not exist or is not ours to write in, its extension is unknown, or that
            format cannot hold these fields.
    """
    from pushforward.data import Image
    from pushforward.data.write import WRITERS

    pictures = [field.name for field in schema.of_kind(Image)]
    if out is None:
        if pictures:
            raise ArgumentError(f"field {pictures[0]!r} is a picture, which cannot be printed; say --out draws.png")
        return
    path = Path(out)
    form = path.suffix.lower()
    if form and form not in WRITERS:
        raise ArgumentError(f"out={out!r} has an unknown extension; use {', '.join(WRITERS)}, or none for PNG files")
    if pictures and form in NO_PICTURES:
        raise ArgumentError(f"out={out!r} cannot hold the pictures of {pictures[0]!r}; use .png, .parquet or .npz")
    if not pictures and form in ("", ".png"):
        raise ArgumentError(f"out={out!r} would hold pictures, and there are none; use .csv or .parquet")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Refuse a path whose folder is not there, or may not be written in.

    Raises:
        ArgumentError: it is so.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ArgumentError(f"out={str(path)!r} cannot be written, since {path.parent} does not exist; make it first")
    if not os.access(folder, os.W_OK):
        raise ArgumentError(f"out={str(path)!r} cannot be written, since {path.parent} is read-only; name another")


def deliver(records: Records, out: str | None, json_: bool, facts: Mapping[str, Any]) -> None:
    """Write records to a file, or show them: a table on a terminal, CSV in a pipe, JSON after ``--json``.

    Args:
        records: what was drawn.
        out: the file, if any.
        json_: whether a program reads.
        facts: what JSON says beside.
    """
    if out is not None:
        records.save(out)
        if json_:
            print_json({"rows": len(records), "out": out, **facts})
        else:
            print(f"{len(records):,} records in {out}", file=sys.stderr)
        return
    if json_:
        print_json({"rows": len(records), "out": None, **facts, "records": records.table.to_pylist()})
    elif sys.stdout.isatty():
        _show(records)
    else:
        _print_csv(records)


def check_trail(out: str | None) -> None:
    """Refuse, before any work, a place where what a sampler went through could not be drawn.

    Raises:
        ArgumentError: nothing is said, or something that is neither a strip nor a film.
    """
    if out is None or Path(out).suffix.lower() not in (".png", ".gif"):
        raise ArgumentError(f"out={out!r} cannot hold a path; say --out strip.png, or --out film.gif")
    check_folder(Path(out))


def deliver_trail(trail: Trail, out: str, json_: bool, facts: Mapping[str, Any]) -> None:
    """Draw what a sampler went through."""
    trail.save(out)
    if json_:
        print_json({"rows": len(trail[0]), "states": len(trail), "out": out, **facts})
    else:
        print(f"{len(trail)} states of {len(trail[0]):,} records in {out}", file=sys.stderr)


def _show(records: Records) -> None:
    """The first rows, and as many columns as the screen has room for."""
    from rich.cells import cell_len
    from rich.text import Text

    first = records[:SHOWN].table.to_pylist()
    grid, room, shown = table(), console().width, []
    for field in records.schema:
        cells = [_cell(row[field.name], field) for row in first]
        width = min(LONGEST, max(map(cell_len, (field.name, *cells)))) + GAP
        if width > room + GAP or (room - width < len("…") and field.name != records.names[-1]):
            break
        room -= width
        shown.append(cells)
        right = field.kind == "number"
        grid.add_column(Text(field.name), justify="right" if right else "left", no_wrap=True, max_width=LONGEST)
    for row in zip(*shown, strict=True):
        grid.add_row(*(Text(cell, "dim" if cell == HOLE else "", overflow="ellipsis") for cell in row))
    more = [f"{len(records) - SHOWN:,} more rows"] if len(records) > SHOWN else []
    if len(shown) < len(records.names):
        more.append(f"{len(records.names) - len(shown)} more columns")
    note = [Text(f"… {' and '.join(more)}; --out FILE keeps all", style="dim")] if more else []
    show(grid, *note)


def _cell(value: Any, field: Field) -> str:
    if isinstance(value, float):
        decimals = getattr(field, "decimals", None)
        return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"
    return HOLE if value is None else " ".join(str(value).split())


def _print_csv(records: Records) -> None:
    """The very file that ``--out draws.csv`` would write, on stdout."""
    with tempfile.TemporaryDirectory() as folder:
        path = records.save(Path(folder) / "records.csv")
        sys.stdout.write(path.read_text(encoding="utf-8"))
