"""A record as one real vector: the pixels of a picture, then the coordinates of a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from pushforward.data.encodings.cells import Cells
from pushforward.data.encodings.noise import Source
from pushforward.data.encodings.pixels import HALF, from_pixels, stretch
from pushforward.data.encodings.scores import ScoreEncoding
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.vector import VectorEncoding
from pushforward.data.schema import Category, Image, Number, Schema

NEAR = 8  # grey levels of 255, within which one is mistaken for black or white


class FlatEncoding(nn.Module):
    """Pixels brought to deviation 1 a channel, then a row as `rows` encodes it; either may be empty.

    Args:
        schema: the fields, at most one picture among them.
        rows: how numbers and categories become a vector.
        gap: how far black and white are set apart from the grey levels next to them, where white - black = 2; not of
            pictures of so few levels that they stand apart anyway.
    """

    gap: Tensor  # () as the data has it

    def __init__(
        self, schema: Schema, rows: Callable[[Schema], VectorEncoding | ScoreEncoding] = VectorEncoding,
        gap: float = 0.0,
    ):  # fmt: skip
        super().__init__()
        self._most = gap
        self.register_buffer("gap", torch.tensor(gap), persistent=bool(gap))  # none, nothing to keep
        image = next(iter(schema.of_kind(Image)), None)
        self.shape = (image.channels, image.height, image.width) if isinstance(image, Image) else None
        self.pixels = math.prod(self.shape) if self.shape else 0
        self.vector = rows(Schema(schema.of_kind(Number, Category)))
        self.size = self.pixels + self.vector.width
        channels = self.shape[0] if self.shape else 0
        self.levels = Standardise(torch.zeros(channels), torch.ones(channels))

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        if self.vector.width:
            self.vector.prepare(Cells(tensors["numbers"], tensors["codes"], tensors["holes"]), generator)
        if self.shape:
            pixels = tensors["image"]
            crowded = ((pixels > 0) & (pixels <= NEAR)) | ((pixels < 255) & (pixels >= 255 - NEAR))
            self.gap = torch.where(crowded.any(), self._most, 0.0).to(self.gap)
            x = self._apart(from_pixels(pixels), pixels).transpose(0, 1).reshape(self.shape[0], -1)
            self.levels = Standardise.of(x.T)
            self.levels.scale.clamp_(min=1 / HALF)  # pictures that are all alike still have a grey level

    def forward(self, batch: Mapping[str, Tensor], generator: Source | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) data of deviation 1, and (n,) what to add to a log density of it.

        Args:
            batch: named tensors of records.
            generator: what spreads values over their cells; without one each is in the middle.
        """
        parts, ladj = [], torch.zeros(len(batch["codes"]), device=batch["codes"].device)
        if self.shape:
            x = self._apart(from_pixels(batch["image"], generator), batch["image"])
            y, stretched = self.levels(x.permute(0, 2, 3, 1))
            parts.append(y.permute(0, 3, 1, 2).flatten(1))
            ladj = ladj + stretched.flatten(1).sum(1) + stretch(self.pixels)
        if self.vector.width:
            y, stretched = self.vector(batch["numbers"], batch["codes"], batch["holes"], generator)
            parts.append(y)
            ladj = ladj + stretched
        return torch.cat(parts, 1), ladj

    def inverse(self, x: Tensor) -> tuple[Tensor | None, Cells]:
        """(n, size) data to pictures (n, channels, height, width) and cells in which nothing is unknown.

        Grey levels are from -1 to 1; what is further out is black or white.
        """
        picture = None
        if self.shape:
            picture = x[:, : self.pixels].view(-1, *self.shape)
            picture = self.levels.inverse(picture.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return picture, self.vector.inverse(x[:, self.pixels :])

    def _apart(self, x: Tensor, pixels: Tensor) -> Tensor:
        """(n, channels, height, width) with black and white moved outwards."""
        if not self._most:
            return x
        ends = (pixels == 255).float() - (pixels == 0).float()
        return x + self.gap * ends.permute(0, 3, 1, 2)

    def known(self, batch: Mapping[str, Tensor]) -> Tensor:
        """(n, size) bool: which coordinates are settled by what is known of records; pixels all are."""
        cells = Cells(batch["numbers"].cpu(), batch["codes"].cpu(), batch["holes"].cpu())
        pixels = torch.ones(len(cells), self.pixels, dtype=torch.bool)
        return torch.cat([pixels, self.vector.known(cells)], 1).to(batch["codes"].device)
