"""Help pages: options in sections, with their ranges and defaults, aligned over the whole page."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import click

from pushforward.errors import one_of

_Resolved = tuple[str | None, click.Command | None, list[str]]
WIDTH = 100  # columns of a help page, where the terminal has as many
LAST = "Output"  # the section of options that name none


def styled(text: str, **style: Any) -> str:
    """Text in a colour; Click takes it out where output is no terminal, this where NO_COLOR is set."""
    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


class Formatter(click.HelpFormatter):
    """Click's, with bold headings."""

    def write_heading(self, heading: str) -> None:
        """A heading, bold."""
        self.write(styled(heading, bold=True) + "\n")

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """How a command is called."""
        super().write_usage(styled(prog, bold=True), args, prefix or "Usage: ")


class Context(click.Context):
    """Click's, with our formatter."""

    formatter_class = Formatter

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **{"max_content_width": WIDTH, **settings})


class Option(click.Option):
    """An option that knows its section of the help page, and the facts that stand behind its line."""

    def __init__(self, names: list[str], *, section: str = LAST, facts: Iterable[str] = (), **settings: Any):
        super().__init__(names, **settings)
        self.section, self.facts = section, [fact for fact in facts if fact]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and what it is."""
        metavar = "" if self.is_flag else f" {self.metavar or 'WORD'}"
        names = "/".join([", ".join(self.opts), *self.secondary_opts]) + metavar + (" …" if self.multiple else "")
        return names, (self.help or "") + (styled(f"  ({', '.join(self.facts)})", dim=True) if self.facts else "")


class _Page(click.Command):
    """What the help pages of commands and groups share."""

    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, in our words."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "show this page"
        return option


class Command(_Page):
    """A command whose options stand in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, a section after the other, in columns that align over the page."""
        write_options(self.get_params(ctx), ctx, formatter)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The usage, with the arguments before the options, as the examples write it."""
        pieces = [p for p in self.collect_usage_pieces(ctx) if p != self.options_metavar]
        needed = [f"{p.opts[0]} {p.metavar}" for p in self.get_params(ctx) if isinstance(p, Option) and p.required]
        formatter.write_usage(ctx.command_path, " ".join([*pieces, *needed, "[OPTIONS]"]))


class Group(_Page, click.Group, ABC):
    """A group that lists its commands without importing them: `about` has a line for each."""

    title = "Commands"
    noun = "command"
    usage = "COMMAND [OPTIONS]"

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """How its commands are called."""
        formatter.write_usage(ctx.command_path, self.usage)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> _Resolved:
        """The command that is asked for, or the nearest spelling."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(f"{self.noun} {args[0]!r} does not exist; {one_of(args[0], known)}")
        return super().resolve_command(ctx, args)

    @abstractmethod
    def about(self, name: str) -> str:
        """The line of a command."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands and then the options."""
        write_rows(self.title, [(name, self.about(name)) for name in self.list_commands(ctx)], formatter)
        write_options(self.get_params(ctx), ctx, formatter)


def write_options(params: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Options, by section."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for param in params:
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is not None:
            sections.setdefault(getattr(param, "section", LAST), []).append(record)
    sections[LAST] = sections.pop(LAST, [])
    width = max(len(name) for rows in sections.values() for name, _ in rows)
    for section, rows in sections.items():
        write_rows(section if len(sections) > 1 else "Options", rows, formatter, width)


def write_rows(title: str, rows: list[tuple[str, str]], formatter: click.HelpFormatter, width: int = 0) -> None:
    """Names in colour and what they are, under a heading."""
    if rows:
        with formatter.section(title):
            formatter.write_dl([(styled(name.ljust(width), fg="cyan"), text) for name, text in rows], col_max=32)
