"""Records as states of discrete variables, and back: one axis for each category, number and pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from pushforward.counts.trees.axes.axis import Axis
from pushforward.counts.trees.axes.binning import FEWEST, bins_for, number_axis
from pushforward.counts.trees.axes.levels import LevelAxis
from pushforward.counts.trees.axes.numbers import FIELDS, NumberAxis
from pushforward.counts.trees.ragged import join, part
from pushforward.data import Category, Image, Number, Records, Schema
from pushforward.data.encodings.cells import CellEncoding, Cells, without_atoms
from pushforward.evidence import Evidence
from pushforward.limits import Limit


@dataclass(frozen=True)
class Grain:
    """How finely values become states.

    Attributes:
        bins: of a number, at most.
        levels: states of a category, which the rarest of its levels share; None: one each.
        records: of a bin, at least; None: as many as in the best histogram of a smooth density.
    """

    bins: int
    levels: int | None = 256
    records: int | None = None

    def bins_of(self, n: int) -> int:
        """How many bins n values are put in."""
        return bins_for(n, self.bins) if self.records is None else max(FEWEST, min(self.bins, n // self.records))


@dataclass(frozen=True)
class Codes:
    """n records as states.

    Attributes:
        states: (n, V) of each variable; -1 where it is not known.
        within: (n,) log probability of the values within their states.
        holes: (n, h) bool, which cells of the fields that may be missing are missing.
    """

    states: Tensor
    within: Tensor
    holes: Tensor

    def __len__(self) -> int:
        return len(self.states)


class Coding:
    """The axes of a schema's variables, in the order of its fields.

    Args:
        schema: numbers, categories and pictures.
        axes: one for each variable.
    """

    def __init__(self, schema: Schema, axes: tuple[Axis, ...]):
        self.schema, self.axes = schema, axes
        self.cells = CellEncoding(without_atoms(schema))
        self.variables = _variables(self.cells)
        owner = [name for name, _, _ in self.variables]
        self.sizes = tuple(axis.size for axis in axes)
        self.hole = tuple(self.cells.may_miss.index(name) if name in self.cells.may_miss else -1 for name in owner)

    @classmethod
    def of(cls, schema: Schema, records: Records, weights: np.ndarray, grain: Grain) -> Self:
        """The axes that suit some records."""
        encoding = CellEncoding(without_atoms(schema))
        cells = encoding.encode(records)
        weights = weights / weights.mean()
        axes: list[Axis] = []
        for name, kind, column in _variables(encoding):
            field = schema[name]
            if kind == "code":
                assert isinstance(field, Category)
                codes = cells.codes[:, column].numpy()
                known = codes >= 0
                counts = np.bincount(codes[known], weights[known], minlength=len(field.values))
                axes.append(LevelAxis.of(counts, grain.levels or len(counts)))
            else:
                values = cells.numbers[:, column].numpy()
                known = ~np.isnan(values) & (weights > 0)
                bins = grain.bins_of(int(known.sum()))
                axes.append(number_axis(values[known], weights[known], _as_number(field), bins))
        return cls(schema, tuple(axes))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variables; pixels are numbered within their picture."""
        first = {name: self.positions(name)[0] for name, _, _ in self.variables}
        return tuple(
            f"{name}[{i - first[name]}]" if isinstance(self.schema[name], Image) else name
            for i, (name, _, _) in enumerate(self.variables)
        )

    @property
    def sizes_with_holes(self) -> tuple[int, ...]:
        """States of each variable, with one more for a hole where there may be one."""
        return tuple(size + (hole >= 0) for size, hole in zip(self.sizes, self.hole, strict=True))

    def with_holes(self, codes: Codes) -> Tensor:
        """(n, V) states in which a hole is the last one of its variable, or -1 where there can be none."""
        may = torch.tensor(self.hole) >= 0
        return torch.where((codes.states < 0) & may, torch.tensor(self.sizes), codes.states)

    def positions(self, name: str) -> list[int]:
        """The variables of a field."""
        return [i for i, (owner, _, _) in enumerate(self.variables) if owner == name]

    def encode(self, records: Records) -> Codes:
        """The states of records."""
        cells = self.cells.encode(records)
        states = np.empty((len(records), len(self.axes)), np.int64)
        within = np.zeros(len(records))
        for i, ((_, kind, column), axis) in enumerate(zip(self.variables, self.axes, strict=True)):
            values = (cells.codes if kind == "code" else cells.numbers)[:, column].numpy()
            states[:, i], inside = axis.encode(values)
            within += inside
        return Codes(torch.from_numpy(states), torch.from_numpy(within), cells.holes)

    def decode(self, states: Tensor, holes: Tensor, seed: int) -> Records:
        """Records drawn within states (n, V); `seed` is that of the draws."""
        rng = np.random.default_rng(seed)
        numbers = np.zeros((len(states), self.cells.width))
        codes = np.zeros((len(states), len(self.cells.factors)), np.int64)
        for i, ((_, kind, column), axis) in enumerate(zip(self.variables, self.axes, strict=True)):
            (codes if kind == "code" else numbers)[:, column] = axis.draw(states[:, i].numpy(), rng)
        drawn = self.cells.decode(Cells(torch.from_numpy(numbers), torch.from_numpy(codes), holes))
        return Records(self.schema, drawn.table)

    def known(self, evidence: Evidence) -> tuple[Codes, dict[int, Tensor], Coding]:
        """States where they are known; by variable (S + 1,) how much of each state limits leave, a hole the last; and
        the coding within these limits.
        """
        codes = self.encode(evidence.over(self.schema))
        limited, masses = self.limited(evidence.limits)
        for name, limit in evidence.limits.items():
            (i,) = self.positions(name)
            masses[i] = torch.cat([masses[i], torch.tensor([float(limit.hole)], dtype=torch.float64)])
        return codes, masses, limited

    def limited(self, limits: Mapping[str, Limit]) -> tuple[Coding, dict[int, Tensor]]:
        """The coding within limits, and by variable (S,) how much of each state lies in them."""
        axes, masses = list(self.axes), {}
        for name, limit in limits.items():
            (i,) = self.positions(name)
            axes[i], mass = self.axes[i].limited(limit)
            masses[i] = torch.from_numpy(mass)
        return Coding(self.schema, tuple(axes)), masses

    # As tensors

    def tensors(self) -> dict[str, Tensor]:
        """All axes."""
        numbers = [axis.arrays() for axis in self.axes if isinstance(axis, NumberAxis)]
        levels = [axis.arrays() for axis in self.axes if isinstance(axis, LevelAxis)]
        out = {f"numbers.{name}": join([arrays[name] for arrays in numbers]) for name in FIELDS}
        return out | {f"levels.{name}": join([arrays[name] for arrays in levels]) for name in ("state", "share")}

    @classmethod
    def of_tensors(cls, schema: Schema, tensors: Mapping[str, Tensor]) -> Self:
        """Back from `tensors`."""
        axes: list[Axis] = []
        seen = {"code": 0, "number": 0}
        for _, kind, _ in _variables(CellEncoding(without_atoms(schema))):
            at = seen[kind]
            seen[kind] += 1
            if kind == "code":
                state, share = (part(tensors[f"levels.{name}"], at) for name in ("state", "share"))
                axes.append(LevelAxis(state.astype(np.int64), share))
            else:
                arrays = {name: part(tensors[f"numbers.{name}"], at) for name in FIELDS}
                axes.append(NumberAxis.of_arrays(arrays | {"state": arrays["state"].astype(np.int64)}))
        return cls(schema, tuple(axes))


def _variables(cells: CellEncoding) -> list[tuple[str, str, int]]:
    """(field, ``code`` or ``number``, column) of each variable."""
    out: list[tuple[str, str, int]] = []
    for field in cells.schema:
        if isinstance(field, Category):
            factor = cells.factor_of(field.name)
            assert factor is not None
            out.append((field.name, "code", factor))
        else:
            columns = cells.columns[field.name]
            out += [(field.name, "number", column) for column in range(columns.start, columns.stop)]
    return out


def _as_number(field: object) -> Number:
    """A number, or a pixel as one."""
    if isinstance(field, Image):
        return Number(name=field.name, type="uint8", resolution=1.0, decimals=0, low=0.0, high=255.0)
    assert isinstance(field, Number)
    return field
