"""The command `pushforward`: which commands there are, and how every error becomes one line."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import click

import pushforward
from pushforward.cli.help import Group
from pushforward.cli.process import INTERRUPTED, complain, warn
from pushforward.errors import PushforwardError, one_of

# A command is a file of this package and a line here, so that help imports none of them.
COMMANDS = {
    "describe": "What a data set holds: fields, kinds, ranges, holes.",
    "recommend": "Which families suit a data set, and why.",
    "compare": "Which family serves a data set best, by measurement.",
    "families": "Which families of models there are.",
    "fit": "Learn how data is distributed, and save the model.",
    "sample": "Draw new records, with anything held fixed.",
    "score": "How probable a model finds data, in nats per record.",
    "complete": "Draw what is missing in data, and leave what is there.",
    "predict": "The most probable value of a category, or caption of a picture.",
    "search": "Find the pictures of a text, or the texts of a picture.",
    "steer": "Find pictures of a text, by the codes of a VQ and a CLIP.",
    "transport": "Move records of one data set onto another.",
    "encode": "The representation of each record.",
    "card": "What a saved model is.",
}

BEGIN = (
    "pushforward fit diffusion digits --given label --minutes 1 --out digit-model",
    "pushforward sample digit-model -n 100 --each label --out digits.png",
)


class Root(Group):
    """All commands; usage errors and errors of the package end with one line and exit code 2."""

    def __init__(self, **settings: Any):
        super().__init__(params=[_version()], invoke_without_command=True, callback=_bare, **settings)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two commands to begin with."""
        with formatter.section("To begin"):
            for line in BEGIN:
                formatter.write(f"  {line}\n")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(COMMANDS)

    def about(self, name: str) -> str:
        """The line of a command."""
        return COMMANDS[name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, whose module is imported now."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"pushforward.cli.{cmd_name}").command

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and end the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        extra = {key: value for key, value in extra.items() if key not in ("prog_name", "standalone_mode")}
        try:
            with warnings.catch_warnings():
                warnings.showwarning = warn
                code = super().main(words, prog_name="pushforward", standalone_mode=False, obj=words, **extra)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read our output has seen enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        except (click.ClickException, PushforwardError, OSError) as error:
            complain(_in_words(error))
            code = 2
        except (click.Abort, KeyboardInterrupt):
            complain("interrupted")
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


def _in_words(error: Exception) -> str:
    match error:
        case click.NoSuchOption(ctx=ctx, option_name=name):
            known = [o for p in ctx.command.get_params(ctx) for o in p.opts if o.startswith("--")] if ctx else []
            return f"option {name} does not exist; {one_of(name, known, 40)}"
        case click.MissingParameter(param=param, ctx=ctx) if param is not None and ctx is not None:
            name = str(param.metavar) if isinstance(param, click.Argument) else param.opts[0]
            return f"{name} is missing; see {ctx.command_path} --help"
        case click.UsageError(ctx=ctx):
            message = error.format_message().rstrip(".")
            hint = f"; see {ctx.command_path} --help" if ctx is not None and ";" not in message else ""
            return (message if message[:2].isupper() else message[:1].lower() + message[1:]) + hint
        case click.ClickException():
            return error.format_message()
        case OSError(filename=str(path), strerror=str(why)):
            return f"{path}: {why}"
    return str(error)


def _version() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(f"pushforward {pushforward.__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="show the version"
    )


@click.pass_context
def _bare(ctx: click.Context) -> None:
    """Without a command, say what there is."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), color=ctx.color)
