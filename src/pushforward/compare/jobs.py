"""What there is to do: the split, the seeds, and a job for each model and seed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pushforward.compare.contenders import Spec
from pushforward.compare.keep import Job
from pushforward.data import Records, Scan, read
from pushforward.data.alike import alike
from pushforward.errors import ArgumentError, DataError
from pushforward.metrics.rows import subset

HELD_OUT = 1 / 3  # of the records, where nobody says which
MOST_HELD = 30_000
FACTORS = (0.1, 10.0)  # on the learning rate
WEIGHTS = (0.0, 1.0, 2.0, 4.0)  # of guidance


def jobs(
    specs: dict[str, Spec], seeds: tuple[int, ...], given: tuple[str, ...], minutes: float, draws: int,
    sensitivity: bool, guidance: bool,
) -> list[Job]:  # fmt: skip
    """All models with the first seed, then all with the second, and so on; learning rates last."""
    out = []
    for seed in seeds:
        weights = WEIGHTS if guidance and given and seed == seeds[0] else ()
        out += [Job(words, spec, seed, minutes, given, draws, weights=weights) for words, spec in specs.items()]
    if sensitivity:
        rated = {words: spec for words, spec in specs.items() if "lr" in spec.get("hyperparameters", {})}
        out += [
            Job(words, spec, seeds[0], minutes, given, draws, factor=factor)
            for words, spec in rated.items() for factor in FACTORS
        ]  # fmt: skip
    return out


def divided(data: Any, held: Any) -> tuple[Records, Records]:
    """What is learned from, and what is held out."""
    records = data.read() if isinstance(data, Scan) else read(data)
    if held is not None:
        other = held.read() if isinstance(held, Scan) else read(held)
        one, rest = alike(records, other)
        assert isinstance(one, Records) and isinstance(rest, Records)
        return one, subset(rest, MOST_HELD, seed=0)  # the first ones of what is sorted are not like the rest
    if len(records) < 2:
        raise DataError("the data holds 1 record; it takes at least two, one to learn from and one to hold out")
    share = max(1, min(round(HELD_OUT * len(records)), MOST_HELD)) / len(records)
    return records.split(1 - share, seed=0)


def numbered(seeds: int | Collection[int]) -> tuple[int, ...]:
    """The seeds themselves.

    Raises:
        ArgumentError: they are none, or no whole numbers that differ.
    """
    refusal = ArgumentError(f"seeds={seeds!r} must be how many, at least 1, or different whole numbers ≥ 0")
    if isinstance(seeds, bool) or not isinstance(seeds, int | Collection):
        raise refusal
    numbers: tuple[Any, ...] = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers)
    if not whole or not numbers or len(set(numbers)) < len(numbers):
        raise refusal
    return numbers
