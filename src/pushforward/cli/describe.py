"""`pushforward describe DATA`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pushforward.cli import words
from pushforward.cli.help import Command, write_rows
from pushforward.cli.options import data_argument, json_option

if TYPE_CHECKING:
    from pushforward.data import Records, Scan


class _Describe(Command):
    """Help that also lists the built-in data sets."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from pushforward.data import builtin

        formatter.write_paragraph()
        write_rows("Built-in data", [(name, builtin.about(name)) for name in builtin.names()], formatter)


def describe(data: str, json_: bool, **options: Any) -> None:
    """Count the holes, and show the schema."""
    from pushforward.cli.output import print_json

    records = words.opened(data, options)
    holes = dict.fromkeys(records.schema.names, 0)
    for chunk in records.chunks():
        for name in holes:
            holes[name] += chunk.column(name).null_count
    if json_:
        print_json({"data": data, "records": len(records), **records.schema.to_json(), "holes": holes})
    else:
        _show(data, records, holes)


def _show(data: str, records: Records | Scan, holes: dict[str, int]) -> None:
    from rich.text import Text

    from pushforward.cli.output import show, table

    rows, fields = len(records), len(records.schema)
    counts = f"{rows:,} record{'s' * (rows != 1)} of {fields} field{'s' * (fields != 1)}"
    parts: list[Any] = [Text.assemble((words.name_of(data), "bold"), f"  {counts}\n")]
    parts.append(table("field", "kind", ">holes", "range"))
    for field in records.schema:
        name, range_ = Text(field.name, "cyan"), Text(field.describe(), overflow="ellipsis", no_wrap=True)
        parts[-1].add_row(name, field.kind, _share(holes[field.name], rows), range_)
    if records.schema.left_out:
        parts += [Text("\nleft out", "bold"), table(None, None)]
        for column in records.schema.left_out:
            parts[-1].add_row(Text(column.name, "cyan"), Text(column.reason))
    show(*parts)


def _share(holes: int, rows: int) -> str:
    """A percentage that is never rounded to 0 where there are holes."""
    share = 100 * holes / rows
    return "–" if not holes else "< 0.1 %" if share < 0.1 else f"{share:.1f} %"


command = _Describe(
    "describe",
    params=[data_argument(), *words.options(), json_option()],
    callback=describe,
    help="""Show what a data set holds: its fields, their kinds and ranges, how many cells are missing, and which
    columns were left out and why.

    DATA is a file (CSV, TSV, Parquet, JSON lines, Arrow, NPZ, NPY, text), a folder of files or of pictures, or the
    name of a built-in data set.""",
)
