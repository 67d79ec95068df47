"""Fields as numbers, codes and holes: the form in which every family meets a table or the pixels of a picture."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.data import pictures
from pushforward.data.encodings.atoms import off_atoms
from pushforward.data.records import Records
from pushforward.data.schema import Category, Field, Image, Number, Schema, Text
from pushforward.errors import DataError


@dataclass(frozen=True)
class Cells:
    """n records as tensors.

    Attributes:
        numbers: (n, d) float64; NaN where the number is not known or stands on an atom.
        codes: (n, m) int64, the level of each factor; -1 where it is not known.
        holes: (n, h) bool, which cells of the fields that may be missing are missing.
    """

    numbers: Tensor
    codes: Tensor
    holes: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | Tensor) -> Cells:
        return Cells(self.numbers[rows], self.codes[rows], self.holes[rows])


@dataclass(frozen=True)
class Factor:
    """A discrete variable: the levels of a category, or on which atom (level 0: none) a number stands."""

    field: str
    levels: int


class CellEncoding:
    """Numbers, codes and holes of a schema, and back to records.

    A number with atoms is two variables: which atom it stands on, if any, and its value elsewhere.
    A picture is height × width × channels numbers on the grid of whole numbers.

    Args:
        schema: numbers, categories and pictures.

    Raises:
        DataError: a field is text, which is neither number nor level.

    >>> import pushforward as pf
    >>> people = pf.read({"age": [31, 44, None], "town": ["Ulm", "Bonn", "Ulm"]})
    >>> cells = CellEncoding(people.schema).encode(people)
    >>> cells.numbers.tolist(), cells.codes.tolist(), cells.holes.tolist()
    ([[31.0], [44.0], [nan]], [[1], [0], [1]], [[False], [False], [True]])
    """

    def __init__(self, schema: Schema):
        for field in schema.of_kind(Text):
            raise DataError(
                f"field {field.name!r} is text, which this cannot encode; leave it out or name it in given="
            )
        self.schema = schema
        self.factors = tuple(
            Factor(field.name, len(field.values) if isinstance(field, Category) else 1 + len(field.atoms))
            for field in schema
            if isinstance(field, Category) or (isinstance(field, Number) and field.atoms)
        )
        self.may_miss = tuple(field.name for field in schema if field.missing)
        self.number_fields = tuple(f for f in schema if isinstance(f, Number | Image))
        widths = [1 if isinstance(f, Number) else int(np.prod(f.shape)) for f in self.number_fields]
        starts = np.cumsum([0, *widths])
        self.columns = {
            f.name: slice(int(a), int(b)) for f, a, b in zip(self.number_fields, starts[:-1], starts[1:], strict=True)
        }
        self.width = int(starts[-1])
        grids = [f.resolution or 0.0 if isinstance(f, Number) else 1.0 for f in self.number_fields]
        self.resolution = torch.tensor(np.repeat(grids, widths), dtype=torch.float64)  # (d,), 0 off the grid

    @property
    def gridded(self) -> bool:
        """Whether some number lies on a grid, so that a density of it is a bound."""
        return bool((self.resolution > 0).any())

    def factor_of(self, name: str) -> int | None:
        """The position of a field's factor."""
        return next((i for i, factor in enumerate(self.factors) if factor.field == name), None)

    def encode(self, records: Records) -> Cells:
        """The cells of records of this schema."""
        n = len(records)
        numbers = np.full((n, self.width), np.nan)
        codes = np.full((n, len(self.factors)), -1, np.int64)
        for field in self.schema:
            column = records.column(field.name)
            factor = self.factor_of(field.name)
            if isinstance(field, Image):
                there = column.is_valid().to_numpy()
                pixels = pictures.to_pixels(column.filter(pa.array(there)) if column.null_count else column)
                numbers[there, self.columns[field.name]] = pixels.reshape(len(pixels), math.prod(field.shape))
            elif isinstance(field, Category):
                found = pc.index_in(column, value_set=pa.array(field.values, field.arrow_type))
                codes[:, factor] = pc.fill_null(found, -1).to_numpy()
            elif isinstance(field, Number):
                values = as_floats(column)
                if factor is not None:
                    codes[:, factor] = _atoms(values, field)
                    values = np.where(codes[:, factor] > 0, np.nan, values)
                numbers[:, self.columns[field.name].start] = values
        return Cells(torch.from_numpy(numbers), torch.from_numpy(codes), self._holes(records))

    def _holes(self, records: Records) -> Tensor:
        holes = np.zeros((len(records), len(self.may_miss)), bool)
        for i, name in enumerate(self.may_miss):
            column = records.column(name)
            if column.null_count:
                holes[:, i] = column.is_null().to_numpy()
        return torch.from_numpy(holes)

    def decode(self, cells: Cells) -> Records:
        """The records of cells in which nothing is unknown.

        Numbers on a grid go to the nearest point of it within the range that was seen, and past an atom that
        they do not stand on, so that its share of the records stays what it is.
        """
        numbers, codes = cells.numbers.numpy(), cells.codes.numpy()
        columns: dict[str, pa.Array] = {}
        for field in self.schema:
            factor = self.factor_of(field.name)
            hole = cells.holes[:, self.may_miss.index(field.name)].numpy() if field.name in self.may_miss else None
            if isinstance(field, Image):
                pixels = np.clip(np.rint(numbers[:, self.columns[field.name]]), 0, 255).astype(np.uint8)
                columns[field.name] = pictures.to_arrow(pixels.reshape(-1, *field.shape))
            elif isinstance(field, Category):
                levels = pa.array(field.values, field.arrow_type)
                columns[field.name] = levels.take(pa.array(codes[:, factor], mask=hole))
            elif isinstance(field, Number):
                values = numbers[:, self.columns[field.name].start]
                if factor is not None:
                    at = np.concatenate([[np.nan], field.atoms])[codes[:, factor]]
                    values = np.where(codes[:, factor] > 0, at, off_atoms(values, field))
                columns[field.name] = _column(values, field, hole)
        return Records(self.schema, pa.table(columns, schema=self.schema.arrow))


def without_atoms(schema: Schema) -> Schema:
    """The schema with every number a plain number, as conditions see it."""
    plain: list[Field] = [dataclasses.replace(f, atoms=()) if isinstance(f, Number) else f for f in schema]
    return Schema(tuple(plain))


def as_floats(column: pa.ChunkedArray) -> np.ndarray:
    """(n,) the numbers of a column, dates and times as Arrow stores them; NaN where there is none."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    return pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()


def _atoms(values: np.ndarray, field: Number) -> np.ndarray:
    codes = np.where(np.isnan(values), -1, 0)
    for level, atom in enumerate(field.atoms, start=1):
        codes[values == atom] = level
    return codes


def _on_grid(values: np.ndarray, field: Number) -> np.ndarray:
    if field.resolution is not None:
        values = np.rint(values / field.resolution) * field.resolution
    elif field.decimals is None:
        return values  # an array: a density on the whole line
    return np.clip(values, field.low, field.high)


def _column(values: np.ndarray, field: Number, hole: np.ndarray | None) -> pa.Array:
    hole = np.isnan(values) if hole is None else hole | np.isnan(values)
    values = _on_grid(values, field)
    if field.decimals is not None:
        values = np.round(values, field.decimals)
    if not field.integral:
        return pa.array(values, pa.float64(), mask=hole).cast(field.arrow_type, safe=False)
    whole = pa.array(np.where(hole, 0, np.rint(values)).astype(np.int64), mask=hole)
    narrow = field.arrow_type
    return (
        whole.cast(pa.int32()).cast(narrow)
        if pa.types.is_temporal(narrow) and narrow.bit_width == 32
        else whole.cast(narrow)
    )
