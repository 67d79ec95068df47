"""Conditions of all kinds as one embedding, for every neural family."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from pushforward.data import Category, Image, Number, Records, Schema, Text, pictures
from pushforward.data.encodings.cells import CellEncoding, without_atoms
from pushforward.data.encodings.pixels import from_pixels
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.tokens import hashed
from pushforward.data.holes import blank, overlay
from pushforward.nets.embed import Waves
from pushforward.nets.texts import Texts

PREFIX = "given."


class Condition(nn.Module):
    """Numbers, categories, pictures and texts embedded and added up.

    A cell that is a hole and a condition that is not told are different things, and each has a learned vector.

    Args:
        schema: the fields that are conditions.
        width: of the embedding.
    """

    def __init__(self, schema: Schema, width: int):
        super().__init__()
        plain = without_atoms(schema)
        self.schema, self.width = schema, width
        self._cells = CellEncoding(Schema(plain.of_kind(Number, Category)))
        self.numbers = [f.name for f in schema.of_kind(Number)]
        self.categories = [f.name for f in schema.of_kind(Category)]
        self.scale = Standardise(torch.zeros(len(self.numbers)).double(), torch.ones(len(self.numbers)).double())
        self.parts = nn.ModuleDict()
        for i, field in enumerate(schema):
            self.parts[str(i)] = _embedding(field, width)
        self.absent = nn.Parameter(torch.randn(len(schema), width) * width**-0.5)
        self.hole = nn.Parameter(torch.randn(len(schema), width) * width**-0.5)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def encode(self, records: Records) -> dict[str, Tensor]:
        """The conditions of records as named tensors, one row a record; the names begin with ``given.``.

        Fields that the records lack, and missing cells, are holes (``given.holes``).
        """
        records = overlay(blank(self.schema, len(records)), records)
        cells = self._cells.encode(records)
        nulls = [records.column(name).is_null().to_numpy() for name in self.schema.names]
        out = {"numbers": cells.numbers, "codes": cells.codes, "holes": torch.from_numpy(np.stack(nulls, 1))}
        for text in self.schema.of_kind(Text):
            out[text.name] = hashed(records.column(text.name).to_pylist())
        for field in self.schema:
            if isinstance(field, Image):
                out[field.name] = torch.from_numpy(pictures.or_black(records.column(field.name)))
        return {PREFIX + name: tensor for name, tensor in out.items()}

    def prepare(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the scales of the numbers from some records."""
        self.scale = Standardise.of(tensors[f"{PREFIX}numbers"])

    def forward(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor:
        """(n, width) embedding.

        Args:
            given: tensors that `encode` made.
            drop: (n, fields) bool, conditions that are not told.
        """
        numbers = self.scale(given[f"{PREFIX}numbers"].nan_to_num())[0].float()
        codes = given[f"{PREFIX}codes"].clamp_min(0)
        holes = given[f"{PREFIX}holes"]
        total = torch.zeros(len(codes), self.width, device=codes.device)
        for i, field in enumerate(self.schema):
            if isinstance(field, Number):
                x = numbers[:, self.numbers.index(field.name)]
            elif isinstance(field, Category):
                x = codes[:, self.categories.index(field.name)]
            elif isinstance(field, Image):
                x = from_pixels(given[PREFIX + field.name])
            else:
                x = given[PREFIX + field.name]
            part = torch.where(holes[:, [i]], self.hole[i], self.parts[str(i)](x))
            total = total + (part if drop is None else torch.where(drop[:, [i]], self.absent[i], part))
        return self.mix(total)


def _embedding(field: object, width: int) -> nn.Module:
    match field:
        case Category():
            return nn.Embedding(len(field.values), width)
        case Number():
            return nn.Sequential(Waves(32, 1 / 32, 2.0), nn.Linear(32, width), nn.SiLU(), nn.Linear(width, width))
        case Text():
            return nn.Sequential(Texts(width), nn.LayerNorm(width))
        case Image():
            layers: list[nn.Module] = [nn.Conv2d(field.channels, 32, 3, padding=1), nn.SiLU()]
            side = min(field.height, field.width)
            while side > 4:
                layers += [nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.SiLU()]
                side = (side + 1) // 2
            return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, width))
    raise AssertionError(field)
