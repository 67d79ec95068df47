"""Which families suit some data, and why, before anything is learned."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pushforward.compare.capability import composed, refusal
from pushforward.data import Category, Image, Number, Records, Scan, Text, read
from pushforward.errors import ArgumentError, one_of
from pushforward.families import FAMILIES, family
from pushforward.joint import JointModel
from pushforward.model import Model
from pushforward.neural import NeuralModel

FEW, MANY = 1000, 50_000  # records
SMALL = 16  # pixels of a picture that may as well be read as a row; of 8×8 digits diffusion is ahead of all by far


@dataclass(frozen=True)
class Advice:
    """What is to say of a family for some data.

    Attributes:
        family: its name.
        about: what it is.
        unfit: why it cannot model these fields; None where it can.
        pro, contra: what speaks for it, and against it, on these data.
    """

    family: str
    about: str
    unfit: str | None = None
    pro: tuple[str, ...] = ()
    contra: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """By how many more reasons it is spoken for than against."""
        return len(self.pro) - len(self.contra)


def recommend(data: Any, given: Collection[str] | str | None = None) -> tuple[Advice, ...]:
    """Which families suit these fields, those first that most speaks for; then the others, with the reason why not.

    Nothing is learned. Every family is asked whether it can model the fields; reasons follow from what its class can
    do and takes for granted, and from the number of records, holes and pictures. Which of them draws best, `compare`
    measures.

    Args:
        data: anything that `read` takes, or what `scan` returns.
        given: fields that are conditions.

    Raises:
        DataError: the data cannot be read.
        ArgumentError: a condition is no field of it.

    >>> first = recommend("penguins")[0]
    >>> first.unfit, "few records (344): no network to overfit them" in first.pro
    (None, True)
    """
    records = data.read() if isinstance(data, Scan) else read(data)
    asked = (given,) if isinstance(given, str) else tuple(given or ())
    for name in asked:
        if name not in records.schema:
            raise ArgumentError(f"given={name!r} is not a field of the data; {one_of(name, records.names)}")
    found = [_advice(name, records, asked) for name in FAMILIES]
    return tuple(sorted(found, key=lambda advice: (advice.unfit is not None, -advice.weight)))


def _advice(name: str, data: Records, given: tuple[str, ...]) -> Advice:
    cls, about = family(name), FAMILIES[name][1]
    if (why := refusal(cls(), data, given)) is not None:
        return Advice(name, about, why)
    reasons = list(_reasons(cls, data, given))
    pro, contra = (tuple(words for words, good in reasons if good is side) for side in (True, False))
    return Advice(name, about, None, pro, contra)


def _reasons(cls: type[Model], data: Records, given: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """What speaks for a family, and against it (False)."""
    n, neural, model = len(data), issubclass(cls, NeuralModel), cls()
    rest = data.schema.without(given)
    if cls.assumes:
        yield f"takes for granted that {cls.assumes}", False
    if composed(cls):
        yield "made of two others, which are to be chosen", False
    if rest.of_kind(Text):
        yield "writes texts", True
    side = max((math.prod(field.shape) for field in rest.of_kind(Image)), default=0)
    if side > SMALL and neural and not issubclass(cls, JointModel):
        yield "its network sees which pixels are neighbours", True
    elif side > SMALL:
        yield f"takes {side:,} pixels for as many fields", False
    if n < FEW and not composed(cls):
        yield (
            f"few records ({n:,}): " + ("little for a network" if neural else "no network to overfit them"),
            not neural,
        )
    if n >= MANY and "minutes" not in cls.budget():
        yield f"one pass over {n:,} records", True
    if issubclass(cls, JointModel):
        yield "any field, range or set can be held fixed, exactly, without naming it before", True
    if model.lacks("log_prob") is None:
        yield "says how probable a record is", True
    if _holes(data) and model.lacks("complete") is None:
        yield "fills the holes", True
    if "guidance" in model.options() and given:
        yield f"follows {', '.join(given)} as strongly as wanted", True
    mixed = bool(rest.of_kind(Category)) and bool(rest.of_kind(Number))
    if mixed and neural and n >= FEW and not cls.assumes and hasattr(cls, "_log_prob"):
        yield f"enough records ({n:,}) to learn how categories and numbers hang together", True


def _holes(data: Records) -> bool:
    return any(data.column(name).null_count for name in data.names)
