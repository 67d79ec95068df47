"""What the columns of a data set are: kinds, ranges, levels, grids and holes."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import pyarrow as pa

from pushforward.errors import DataError, FormatError, one_of


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """One column: its name, what it holds, and whether holes were seen in it."""

    name: str
    missing: bool = False
    kind: ClassVar[str]

    @property
    @abstractmethod
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column in `Records`, and of what `sample` draws."""

    @abstractmethod
    def describe(self) -> str:
        """Range, levels or shape, in a few words."""

    def to_json(self) -> dict[str, Any]:
        """The field as plain JSON values."""
        values = dataclasses.asdict(self).items()
        return {"kind": self.kind, **{key: list(v) if isinstance(v, tuple) else v for key, v in values}}


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number, date or time.

    Attributes:
        type: Arrow's name of the type, such as ``int64``, ``double`` or ``date32[day]``.
        resolution: the spacing of the grid the values lie on (1 for integers); the base measure
            is then counting over that grid. None: the base measure is Lebesgue's.
        decimals: digits after the point that `sample` writes. None: all of them.
        low, high: the smallest and largest value seen.
        atoms: values that carry mass of their own, such as the zeros of a zero-inflated column.
    """

    type: str = "double"
    resolution: float | None = None
    decimals: int | None = None
    low: float = 0.0
    high: float = 0.0
    atoms: tuple[float, ...] = ()
    kind: ClassVar[str] = "number"

    @property
    def arrow_type(self) -> pa.DataType:
        return arrow_type(self.type)

    @property
    def integral(self) -> bool:
        """Whether the stored values are whole numbers (integers, dates, times)."""
        return not pa.types.is_floating(self.arrow_type)

    def describe(self) -> str:
        shown = [_value(self.arrow_type, bound) for bound in (self.low, self.high)]
        grid = f", grid {self.resolution:g}" if self.resolution is not None and self.resolution != 1 else ""
        atoms = f", atoms {', '.join(f'{atom:g}' for atom in self.atoms)}" if self.atoms else ""
        return f"{shown[0]} to {shown[1]}{grid}{atoms}"


@dataclass(frozen=True, kw_only=True)
class Category(Field):
    """One of a finite number of values (words, whole numbers or true/false), kept in sorted order."""

    values: tuple[Any, ...] = ()
    type: str = "string"
    kind: ClassVar[str] = "category"

    @property
    def arrow_type(self) -> pa.DataType:
        return arrow_type(self.type)

    def describe(self) -> str:
        shown = ", ".join(str(value) for value in self.values[:6])
        return f"{len(self.values)} values: {shown}{', …' if len(self.values) > 6 else ''}"


@dataclass(frozen=True, kw_only=True)
class Image(Field):
    """A picture of 8-bit pixels, stored as height × width × channels."""

    channels: int = 1
    height: int = 0
    width: int = 0
    kind: ClassVar[str] = "image"

    @property
    def arrow_type(self) -> pa.DataType:
        return pa.fixed_shape_tensor(pa.uint8(), self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)

    def describe(self) -> str:
        return f"{self.height}×{self.width}, {'grey' if self.channels == 1 else f'{self.channels} channels'}"


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Free text."""

    longest: int = 0
    kind: ClassVar[str] = "text"

    @property
    def arrow_type(self) -> pa.DataType:
        return pa.string()

    def describe(self) -> str:
        return f"up to {self.longest:,} characters"


F = TypeVar("F", bound=Field)
KINDS: dict[str, type[Field]] = {cls.kind: cls for cls in (Number, Category, Image, Text)}


@dataclass(frozen=True)
class LeftOut:
    """A column that is not modelled, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Schema:
    """The fields of a data set, in order, and the columns that were left out of it.

    >>> schema = Schema((Number(name="age", type="int64", resolution=1.0, low=17, high=90),))
    >>> schema["age"].describe()
    '17 to 90'
    """

    fields: tuple[Field, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return tuple(field.name for field in self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise DataError(f"field {name!r} does not exist; {one_of(str(name), self.names)}")

    def select(self, names: Iterable[str]) -> Schema:
        """The schema of some of the fields, in the order of this schema."""
        wanted = {self[name].name for name in names}
        return Schema(tuple(field for field in self.fields if field.name in wanted))

    def without(self, names: Iterable[str]) -> Schema:
        """The schema of all other fields."""
        dropped = {self[name].name for name in names}
        return Schema(tuple(field for field in self.fields if field.name not in dropped))

    def of_kind(self, *kinds: type[F]) -> tuple[F, ...]:
        """The fields of these kinds, in order."""
        return tuple(field for field in self.fields if isinstance(field, kinds))

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema of `Records` of this schema."""
        return pa.schema([pa.field(field.name, field.arrow_type) for field in self.fields])

    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON values."""
        return {
            "fields": [field.to_json() for field in self.fields],
            "left_out": [dataclasses.asdict(column) for column in self.left_out],
        }

    @classmethod
    def from_json(cls, value: Any) -> Schema:
        """The schema that `to_json` wrote.

        Raises:
            FormatError: a key is unknown or absent, or a value has another type than it should.
        """
        try:
            fields = tuple(_field_from_json(entry) for entry in value["fields"])
            left_out = tuple(LeftOut(**entry) for entry in value["left_out"])
            if len({field.name for field in fields}) < len(fields):
                raise ValueError("two fields have one name")
            if not all(isinstance(text, str) for column in left_out for text in (column.name, column.reason)):
                raise ValueError("a column that was left out has no name or reason")
            return cls(fields, left_out)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, pa.ArrowException) as error:
            why = " ".join(str(error).split())[:160]
            raise FormatError(f"schema: {why}; save the model again with this version") from error


def _field_from_json(entry: dict[str, Any]) -> Field:
    entry = dict(entry)
    cls = KINDS[entry.pop("kind")]
    expected = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    for key, value in entry.items():
        if not _is(value, expected[key]):
            raise ValueError(f"{entry.get('name')}.{key} is {value!r}")
        if isinstance(value, list):
            entry[key] = tuple(value)
    field = cls(**entry)
    match field:  # what the type cannot hold is found here, not at the first draw
        case Category():
            pa.array(field.values, field.arrow_type)
        case Number() if not (pa.types.is_primitive(field.arrow_type) and field.arrow_type != pa.bool_()):
            raise ValueError(f"{field.name}.type is {field.type!r}, which is no number")
        case Image() if min(field.shape) < 1:
            raise ValueError(f"{field.name} is a picture of {field.shape} pixels")
    return field


def _is(value: Any, annotation: str) -> bool:
    """Whether a JSON value may stand for a field's annotation."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    match annotation:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int" | "int | None":
            return (isinstance(value, int) and not isinstance(value, bool)) or (value is None and "None" in annotation)
        case "float" | "float | None":
            return number or (value is None and "None" in annotation)
        case "tuple[float, ...]":
            return isinstance(value, list) and all(_is(item, "float") for item in value)
        case "tuple[Any, ...]":
            return isinstance(value, list) and all(isinstance(item, str | int | float) for item in value)
    raise AssertionError(annotation)


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of this name; beyond Arrow's own aliases, ``timestamp[us, tz]``."""
    if name.startswith("timestamp[") and "," in name:
        unit, zone = name[len("timestamp[") : -1].split(",", 1)
        return pa.timestamp(unit.strip(), zone.strip().removeprefix("tz="))
    return pa.type_for_alias(name)


def _value(kind: pa.DataType, number: float) -> str:
    if pa.types.is_floating(kind):
        return f"{number:g}"
    if pa.types.is_integer(kind):
        return str(int(number))
    storage = pa.int32() if kind.bit_width == 32 else pa.int64()
    try:
        return str(pa.scalar(int(number), storage).cast(kind))
    except (OverflowError, ValueError):  # beyond the years that Python counts
        return str(int(number))
