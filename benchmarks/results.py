"""The project's own results: `compare` over seven data sets, a page each.

    python benchmarks/results.py --digits mnist5k.parquet --text devil.txt --out docs/results --folder results.compare

Cells are kept in ``--folder``, so that the same command goes on where it was stopped. Each data set is fitted by all
families that can model its fields, in the same split, time and seeds; peers take part where they are installed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pushforward as pf
from pushforward.compare.peers import names
from pushforward.compare.run import comparing
from pushforward.compare.screen import drain


@dataclass(frozen=True)
class Set:
    """What is compared, and how.

    Attributes:
        data: reads it.
        minutes: of each fit.
        seeds: how many.
        given: conditions.
        held: reads what nobody learns from; default: a third.
        peers: other packages that can model it.
    """

    data: Callable[[], Any]
    minutes: float
    seeds: int = 3
    given: tuple[str, ...] = ()
    held: Callable[[], Any] | None = None
    peers: tuple[str, ...] = field(default=())


def sets(digits: str, text: str) -> dict[str, Set]:
    """All of them, the quick ones first."""
    tables = ("sklearn-mixture", "ctgan", "sdv")
    return {
        "moons": Set(lambda: pf.read("moons"), 0.25),
        "penguins": Set(lambda: pf.read("penguins"), 0.25, peers=tables),
        "devil.txt": Set(lambda: pf.read(text), 0.25),
        "digits": Set(lambda: pf.read("digits"), 0.5, given=("label",)),
        "adult": Set(lambda: pf.read("adult:train"), 2.0, 1, held=lambda: pf.read("adult:test"), peers=tables),
        "emoji": Set(lambda: pf.read("emoji:train").select(["image", "caption"]), 2.0, 1),
        "mnist5k": Set(lambda: pf.read(digits), 2.0, 1, given=("label",)),
    }


def main() -> None:
    """Compare, and write the pages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", required=True, help="mnist5k.parquet")
    parser.add_argument("--text", required=True, help="a text file, a record a line")
    parser.add_argument("--only", default=None, help="names, with commas")
    parser.add_argument("--minutes", type=float, default=None, help="for all, to try it out")
    parser.add_argument("--folder", default="results.compare")
    parser.add_argument("--out", default="docs/results")
    said = parser.parse_args()
    peers = {name for name, peer in names().items() if peer.installed()}
    every = sets(said.digits, said.text)
    Path(said.out).mkdir(parents=True, exist_ok=True)
    for name in said.only.split(",") if said.only else every:
        one, start = every[name], time.monotonic()
        found = drain(comparing(
            one.data(), given=one.given, minutes=said.minutes or one.minutes, seeds=one.seeds,
            held=None if one.held is None else one.held(), folder=Path(said.folder) / name, name=name,
            peers=[peer for peer in one.peers if peer in peers],
            command=shlex.join(["python", "benchmarks/results.py", *_named(sys.argv[1:])]),
        ))  # fmt: skip
        for form in (".html", ".md"):
            found.save(Path(said.out) / f"{name.partition('.')[0]}{form}")
        print(f"{name}: {found.winner()[1]} ({time.monotonic() - start:.0f} s)", flush=True)


def _named(words: list[str]) -> list[str]:
    """Arguments with files and folders by their names, since a page is read elsewhere."""
    return [Path(word).name if Path(word).is_absolute() or Path(word).exists() else word for word in words]


if __name__ == "__main__":
    main()
