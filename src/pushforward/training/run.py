"""How long, where and from which seed a fit runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, doc

from pushforward import parameters


@dataclass(frozen=True, kw_only=True)
class Run:
    """Budget and place of a fit. With neither `minutes` nor `steps` it stops when held-out loss no longer falls."""

    minutes: Annotated[float | None, Gt(0), doc("wall-clock budget in minutes")] = None
    steps: Annotated[int | None, Ge(1), doc("budget in steps (iterations of EM)")] = None
    seed: Annotated[int, Ge(0), doc("where all randomness comes from")] = 0
    device: Annotated[str, doc("cpu, cuda, mps, …; auto takes the best there is")] = "auto"
    precision: Annotated[Literal["auto", "float32", "bfloat16"], doc("what networks compute in")] = "auto"
    batch: Annotated[int | None, Ge(1), doc("records a step, over all processes")] = None
    folder: Annotated[str | None, doc("where checkpoints go; a folder that holds some is continued")] = None
    checkpoint: Annotated[float, Ge(0), doc("seconds between checkpoints")] = 30.0
    validation: Annotated[Any, doc("held-out data, or the share of the data to hold out")] = None

    def __post_init__(self) -> None:
        known = parameters.of_class(Run)
        for name, value in parameters.check_all(known, _plain(vars(self)), "fit").items():
            object.__setattr__(self, name, value)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with a path as its words."""
    return {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in options.items()}
