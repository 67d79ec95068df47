"""Ranges and sets as evidence: what a cell may be, where its value is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pushforward.data import Category, Field, Number, Records, Schema, as_records
from pushforward.data.encodings.cells import as_floats
from pushforward.errors import ArgumentError, PushforwardError


@dataclass(frozen=True)
class Between:
    """A range, both ends within it; see `between`."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Among:
    """A set of values; see `among`."""

    values: tuple[Any, ...]


def between(low: Any = None, high: Any = None) -> Between:
    """A range as evidence: low ≤ value ≤ high.

    Args:
        low: the smallest value, in the units of the field (a number, a date); None: no bound.
        high: the largest.

    Raises:
        ArgumentError: both are None.

    >>> import pushforward as pf
    >>> model = pf.GaussianMixture(components=2).fit("penguins")
    >>> drawn = model.sample(100, given={"body_mass_g": pf.between(5000, None)}, seed=0)
    >>> bool(drawn.to_numpy()["body_mass_g"].min() >= 5000)
    True
    """
    if low is None and high is None:
        raise ArgumentError("between(None, None) says nothing; give a bound, or leave the field out")
    return Between(low, high)


def among(*values: Any) -> Among:
    """A set as evidence: the value is one of these; None among them stands for a hole.

    Raises:
        ArgumentError: there is no value.

    >>> import pushforward as pf
    >>> model = pf.GaussianMixture(components=2).fit("penguins")
    >>> drawn = model.sample(100, given={"species": pf.among("Gentoo", "Chinstrap")}, seed=0)
    >>> sorted(set(drawn.to_numpy()["species"]))
    ['Chinstrap', 'Gentoo']
    """
    if len(values) == 1 and isinstance(values[0], Iterable) and not isinstance(values[0], str | bytes):
        values = tuple(values[0])
    if not values:
        raise ArgumentError("among() holds no value; give at least one")
    return Among(values)


@dataclass(frozen=True)
class Limit:
    """What a cell may be, in the numbers that stand for its values.

    Attributes:
        low, high: of a number; dates and times as Arrow stores them.
        values: the only values it may take, if it is a set: numbers, or positions of levels.
        hole: whether it may also be missing.
    """

    low: float = -math.inf
    high: float = math.inf
    values: tuple[float, ...] | None = None
    hole: bool = False


def limit(said: Between | Among, field: Field) -> Limit:
    """A range or set, brought to a field.

    Raises:
        ArgumentError: the field has no ranges or sets, or nothing that is possible lies within.
        DataError: a value is none of the field's.
    """
    if isinstance(said, Among):
        return _among(said, field)
    if isinstance(field, Category):
        return _levels_between(said, field)
    if not isinstance(field, Number):
        raise ArgumentError(f"given={field.name!r} is {field.kind}, which has no range; give a value")
    low = -math.inf if said.low is None else _float(said.low, field)
    high = math.inf if said.high is None else _float(said.high, field)
    if low > high:
        raise ArgumentError(f"given={field.name!r} between {said.low} and {said.high} is empty; say the smaller first")
    if (field.decimals is not None or field.resolution is not None) and (high < field.low or low > field.high):
        raise _impossible(field, f"between {said.low} and {said.high}")
    if field.resolution is not None:
        step = field.resolution
        first, last = math.ceil(low / step - 1e-9) if low > -math.inf else low, high
        if first > -math.inf and first * step > last + 1e-9 * step:
            near = f"{math.floor(low / step) * step:g} and {first * step:g}"
            raise ArgumentError(f"given={field.name!r} between {low:g} and {high:g} holds no value; near are {near}")
    return Limit(low, high)


def within(records: Records, limits: Mapping[str, Limit]) -> Records:
    """Records drawn within limits, with numbers that rounding has taken out of them brought back."""
    table = records.table
    for name, said in limits.items():
        field, column = records.schema[name], records.column(name)
        if not isinstance(field, Number) or field.integral or column.null_count == len(column):
            continue
        kind = column.type.to_pandas_dtype()
        values = column.to_numpy().astype(kind)
        if said.values is not None:
            points = np.asarray(said.values)
            right = np.searchsorted(points, values).clip(0, len(points) - 1)
            left = (right - 1).clip(0)
            values = np.where(
                np.abs(points[left] - values) < np.abs(points[right] - values), points[left], points[right]
            )
        else:
            low, high = kind(said.low), kind(said.high)  # the nearest of their type may lie outside
            low = np.nextafter(low, kind(np.inf)) if float(low) < said.low else low
            high = np.nextafter(high, kind(-np.inf)) if float(high) > said.high else high
            values = np.clip(values, low, high)
        mended = pa.array(values.astype(kind), column.type, mask=column.is_null().to_numpy())
        table = table.set_column(table.column_names.index(name), table.schema.field(name), mended)
    return records if table is records.table else Records(records.schema, table)


def _among(said: Among, field: Field) -> Limit:
    hole = any(value is None for value in said.values)
    values = [value for value in said.values if value is not None]
    if hole and not field.missing:
        raise ArgumentError(f"given={field.name!r} among None: no hole was seen in it; name values only")
    if isinstance(field, Category):
        known = as_records({field.name: values}, Schema((field,))).column(field.name).to_pylist() if values else []
        return Limit(values=tuple(sorted({field.values.index(value) for value in known})), hole=hole)
    if not isinstance(field, Number):
        raise ArgumentError(f"given={field.name!r} is {field.kind}, which has no sets; give a value")
    numbers = tuple(sorted({_float(value, field) for value in values}))
    if field.resolution is not None:
        numbers = tuple(v for v in numbers if math.isclose(v / field.resolution, round(v / field.resolution)))
    if (field.decimals is not None or field.resolution is not None) and not hole:
        numbers = tuple(v for v in numbers if field.low <= v <= field.high)
        if not numbers:
            raise _impossible(field, f"among {', '.join(map(str, values[:6]))}")
    return Limit(values=numbers, hole=hole)


def _levels_between(said: Between, field: Category) -> Limit:
    if not field.values or isinstance(field.values[0], str | bool):
        raise ArgumentError(f"given={field.name!r} is a category, which has no range; say among(…) its values")
    low = -math.inf if said.low is None else said.low
    high = math.inf if said.high is None else said.high
    inside = tuple(i for i, value in enumerate(field.values) if low <= value <= high)
    if not inside:
        raise _impossible(field, f"between {said.low} and {said.high}")
    return Limit(values=inside)


def _impossible(field: Field, what: str) -> ArgumentError:
    return ArgumentError(f"given={field.name!r} {what} has probability zero; possible are {field.describe()}")


def _float(value: Any, field: Number) -> float:
    """A bound as the number that stands for it."""
    try:
        if not pa.types.is_temporal(field.arrow_type):
            return float(value)
        return float(as_floats(as_records({field.name: [value]}, Schema((field,))).column(field.name))[0])
    except (TypeError, ValueError, PushforwardError) as error:
        raise ArgumentError(f"given={field.name!r}: {value!r} is no {field.type}; {field.describe()}") from error
