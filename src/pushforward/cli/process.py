"""This process: which of several it is, by what launchers set, what it complains of, and how it ends."""

from __future__ import annotations

import os

import click

from pushforward.cli.help import styled

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended
_RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")  # those that accelerate knows
_WORLDS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def _number(names: tuple[str, ...], default: int) -> int:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), default)


FIRST = _number(_RANKS, 0) == 0  # whether this process is the one that prints and writes
WORLD = _number(_WORLDS, 1)  # how many processes there are

# Asked for several processes, accelerate 1.15 says where they meet, and then starts a single one if it sees no GPUs.
ALONE = {"MASTER_PORT", "ACCELERATE_MIXED_PRECISION"} <= set(os.environ) and not set(_RANKS) & set(os.environ)


def complain(message: str) -> None:
    """One line on stderr; of several processes, only the first has something to say."""
    _say("pushforward:", "red", message)


def warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line on stderr, without the place in the code; stands in for `warnings.showwarning`."""
    _say("pushforward: warning:", "yellow", str(message))


def _say(who: str, colour: str, message: str) -> None:
    if FIRST:
        click.echo(f"{styled(who, fg=colour, bold=True)} {' '.join(message.split())}", err=True)
