"""Evidence of ranges and sets as a union of simple events, under each of which a mixture is still a mixture.

A field that has a limit may comply with it in several ways: by being a hole, by standing on one of its atoms, by
being one of some values, or by lying within a range. Each combination of ways over the fields is an event: some
levels are possible, some numbers are known, some lie within ranges. What is asked for is their sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pushforward.data import Number
from pushforward.data.encodings.atoms import edge
from pushforward.data.encodings.cells import CellEncoding
from pushforward.data.encodings.standardise import Standardise
from pushforward.errors import ArgumentError
from pushforward.limits import Limit

MOST = 4096  # combinations that are gone through


@dataclass(frozen=True)
class Event:
    """One way in which records may comply.

    Attributes:
        levels: by factor, which levels are possible.
        values: by number, what it is, scaled.
        ranges: by number, where it lies, scaled.
        holes: by field that may be missing (as in `Cells.holes`), whether it is.
    """

    levels: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    values: Mapping[int, float] = field(default_factory=dict)
    ranges: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    holes: Mapping[int, bool] = field(default_factory=dict)

    def __and__(self, other: Event) -> Event:
        return Event(
            {**self.levels, **other.levels},
            {**self.values, **other.values},
            {**self.ranges, **other.ranges},
            {**self.holes, **other.holes},
        )


def events(limits: Mapping[str, Limit], cells: CellEncoding, scale: Standardise) -> list[Event]:
    """All combinations of the ways in which the fields may comply; one without any limit.

    Raises:
        ArgumentError: there are too many.
    """
    ways = {name: _ways(name, limit, cells, scale) for name, limit in limits.items()}
    count = math.prod(len(found) for found in ways.values())
    if count > MOST:
        sizes = ", ".join(f"{name} ({len(found)})" for name, found in ways.items() if len(found) > 1)
        raise ArgumentError(
            f"given={next(iter(ways))!r} and others make {count:,} combinations, more than {MOST:,}: {sizes}; "
            "name fewer values, or ranges instead"
        )
    out = []
    for combination in itertools.product(*ways.values()):
        event = Event()
        for way in combination:
            event = event & way
        out.append(event)
    return out


def _ways(name: str, limit: Limit, cells: CellEncoding, scale: Standardise) -> list[Event]:
    where, factor = cells.schema[name], cells.factor_of(name)
    found = []
    seen = {cells.may_miss.index(name): False} if limit.hole else {}
    if limit.hole:
        found.append(Event(holes={cells.may_miss.index(name): True}))
    if not isinstance(where, Number):
        assert factor is not None and limit.values is not None
        levels = tuple(int(value) for value in limit.values)
        return [*found, Event(levels={factor: levels}, holes=seen)] if levels else found
    column = cells.columns[name].start
    off = {} if factor is None else {factor: (0,)}
    low, high = limit.low, limit.high
    values = limit.values if limit.values is not None else (low,) if low == high else None
    atoms = [
        i for i, atom in enumerate(where.atoms, 1) if (atom in values if values is not None else low <= atom <= high)
    ]
    if atoms:
        assert factor is not None
        found.append(Event(levels={factor: tuple(atoms)}, holes=seen))

    def scaled(value: float) -> float:
        return float((value - scale.mean[column]) / scale.scale[column])

    if values is not None and (where.resolution is None or limit.values is not None):
        points = [value for value in values if value not in where.atoms]
        return [*found, *(Event(off, {column: scaled(value)}, holes=seen) for value in points)]
    low, high = (edge(bound, where, side) for bound, side in ((low, -1), (high, 1)))
    if low < high:
        found.append(Event(off, ranges={column: (scaled(low), scaled(high))}, holes=seen))
    return found
