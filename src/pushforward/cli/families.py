"""`pushforward families`."""

from __future__ import annotations

import click

from pushforward.cli.help import Command, styled
from pushforward.cli.options import json_option
from pushforward.families import FAMILIES


def families(json_: bool) -> None:
    """List the families; none of them is imported."""
    if json_:
        from pushforward.cli.output import print_json

        print_json({"families": [{"name": name, "about": about} for name, (_, about) in FAMILIES.items()]})
        return
    width = max(map(len, FAMILIES))
    for name, (_, about) in FAMILIES.items():
        click.echo(f"{styled(name.ljust(width), fg='cyan')}  {about}")


command = Command(
    "families",
    params=[json_option()],
    callback=families,
    help="List the families of models. `pushforward fit FAMILY --help` shows what each can be told.",
)
