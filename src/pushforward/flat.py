"""What neural families share that see a record as one real vector."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.conditional import ConditionalModel
from pushforward.data import Records, Schema, pictures
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.pixels import to_pixels
from pushforward.errors import DataError


@dataclass(kw_only=True, eq=False)
class FlatModel(ConditionalModel):
    """A neural family over `FlatEncoding`: one picture, a row of numbers and categories, or both at once."""

    @property
    @abstractmethod
    def _flat(self) -> FlatEncoding:
        """How records become vectors, a part of the network."""

    def _check(self, rest: Schema, given: Schema) -> None:
        self._check_fields(rest, "draw")
        self._check_texts(given)

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        return self._named(records, self._flat.vector.cells, self._flat.shape is not None)

    def _records(self, x: Tensor, given: Records | None) -> Records:
        """(n, size) data as records, with what was given beside it."""
        return as_records(x, self._flat, self._drawn_schema(given), given)

    def _drawn_schema(self, given: Records | None) -> Schema:
        """The fields that are drawn, and those that are given."""
        return self.schema.select(
            [f.name for f in self.schema if f.name not in self.given or (given and f.name in given.names)]
        )

    def _refuse_holes(self, records: Records) -> None:
        for field in self.schema:
            holes = records.column(field.name).null_count
            if holes and field.name not in self.given:
                cure = "fill them with complete()" if hasattr(self, "complete") else "fill them with another family"
                raise DataError(
                    f"field {field.name!r} has {holes} holes, which {type(self).__name__} cannot marginalise; "
                    f"{cure}, or leave those records out"
                )


def as_records(x: Tensor, flat: FlatEncoding, schema: Schema, given: Records | None = None) -> Records:
    """(n, size) points as records.

    Args:
        x: the points.
        flat: what encodes the fields that are not given.
        schema: all fields.
        given: the others, as they are.
    """
    picture, cells = flat.inverse(x)
    drawn = flat.vector.cells.decode(cells) if flat.vector.width else None
    columns: dict[str, Any] = {}
    for name in schema.names:
        if given is not None and name in given.names:
            columns[name] = given.column(name)
        elif drawn is not None and name in drawn.names:
            columns[name] = drawn.column(name)
        else:
            assert picture is not None
            columns[name] = pictures.to_arrow(to_pixels(picture).cpu().numpy())
    return Records(schema, pa.table(columns, schema=schema.arrow))


def chosen_rows(tensors: Mapping[str, Tensor], most: int, generator: torch.Generator) -> Tensor:
    """Rows of some records in an order by chance, of heavy ones first where they have weights, of weight 0 none."""
    weight = tensors.get("weight")
    if weight is None or bool((weight == weight[0]).all()):
        return torch.randperm(len(tensors["codes"]), generator=generator, device=generator.device)[:most]
    return torch.multinomial(weight, min(most, int(weight.count_nonzero())), generator=generator)
