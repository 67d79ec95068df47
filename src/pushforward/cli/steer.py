"""`pushforward steer VQ CLIP TEXT`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click
from annotated_types import Ge

from pushforward.cli import words
from pushforward.cli.help import Command, Option
from pushforward.cli.options import json_option, of_parameters, records_option, seed_options
from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter

if TYPE_CHECKING:
    from pushforward.autoencoders.vq import VQ
    from pushforward.text_image.clip import CLIP
    from pushforward.text_image.joint import Joint

SECTION = "Steer"


def steer(
    vq: str, clip: str, text: str, beside: tuple[tuple[str, float], ...], clips: tuple[str, ...], judge: str | None,
    start: str | None, prior: str | None, weight: float, steps: int, restarts: int, path: str | None,
    size: int | None, seed: int | None, out: str | None, json_: bool,
) -> None:  # fmt: skip
    """Steer, and write what was found, the best first, and the path of the best."""
    from pushforward.cli.output import check_target, check_trail, deliver
    from pushforward.saving import load
    from pushforward.text_image.steer import steer as find

    coder = cast("VQ", load(vq))
    check_target(out, coder.schema)
    if path is not None:
        check_trail(path)
    if text in dict(beside):
        raise ArgumentError(f"beside={text!r} is the text itself; say it once")
    found = find(
        coder, [cast("CLIP", load(folder)) for folder in (clip, *clips)], {text: 1.0, **dict(beside)},
        steps=steps, restarts=restarts, seed=seed, judge=None if judge is None else cast("CLIP", load(judge)),
        start=None if start is None else words.for_model(start, coder.schema, size),
        prior=None if prior is None else cast("Joint", load(prior)), weight=weight,
    )  # fmt: skip
    if path is not None:
        found.path.save(path)
    deliver(found.records, out, json_, {"seed": seed, "scores": found.scores.tolist()})


def _options() -> list[Option]:
    known = {
        "steps": Parameter("steps", int, 100, bounds=(Ge(1),), doc="how often the codes are moved"),
        "restarts": Parameter("restarts", int, 4, bounds=(Ge(1),), doc="pictures that are begun"),
        "weight": Parameter("weight", float, 0.1, bounds=(Ge(0),), doc="of the prior"),
    }
    return [
        words.pair(
            "beside", "a further text, by its weight; below 0 it pushes away", section=SECTION, metavar="TEXT=X"
        ),
        Option(["--clip", "clips"], multiple=True, metavar="FOLDER", section=SECTION, help="a further CLIP that looks"),
        Option(["--judge"], metavar="FOLDER", section=SECTION, help="a CLIP that ranks, and was not looked at"),
        Option(["--start"], metavar="FILE", section=SECTION, help="a picture to begin from"),
        Option(
            ["--prior"], metavar="FOLDER", section=SECTION, help="a Joint or a Diffusion that keeps pictures likely"
        ),
        *of_parameters(known, SECTION),
        Option(["--path"], metavar="PATH", section=SECTION, help="a strip (.png) or film (.gif) of the best one's way"),
    ]


command = Command(
    "steer",
    params=[
        click.Argument(["vq"], metavar="VQ"),
        click.Argument(["clip"], metavar="CLIP"),
        click.Argument(["text"], metavar="TEXT"),
        *_options(),
        *words.size_options(),
        *seed_options(),
        records_option(),
        json_option(),
    ],
    callback=steer,
    help="""Find pictures of a text: the codes of a saved VQ are moved until a saved CLIP finds the text in them.

    Say --out found.png for the pictures of all restarts, the best first.""",
)
