"""`pushforward card MODEL`."""

from __future__ import annotations

import sys
from pathlib import Path

from pushforward.cli.help import Command
from pushforward.cli.options import json_option, model_argument


def card(model: str, json_: bool) -> None:
    """Print the README of a model, or after --json its `model.json`."""
    from pushforward.cli.output import print_json, show
    from pushforward.saving import read_description

    described = read_description(Path(model))
    if json_:
        print_json(described)
        return
    text = (Path(model) / "README.md").read_text(encoding="utf-8", errors="replace")
    if sys.stdout.isatty():
        from rich.markdown import Markdown

        show(Markdown(text))
    else:
        print(text, end="")


command = Command(
    "card",
    params=[model_argument(), json_option()],
    callback=card,
    help="Say what a saved model is: family, fields, ranges, hyperparameters, and what to mind.",
)
