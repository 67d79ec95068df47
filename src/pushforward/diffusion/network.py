"""The network of a diffusion over pictures, rows, or both at once, with the scaling of its data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pushforward.conditional import Steered
from pushforward.data import Category, Image, Number, Schema
from pushforward.data.encodings.cells import Cells
from pushforward.data.encodings.noise import Source
from pushforward.data.encodings.pixels import HALF, from_pixels, stretch
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.vector import VectorEncoding
from pushforward.nets.condition import Condition
from pushforward.nets.embed import Waves
from pushforward.nets.mlp import ResidualMLP
from pushforward.nets.unet import UNet


class Network(nn.Module, Steered):
    """F(x; c_noise, given) on flat vectors: the pixels of a picture, then the coordinates of a row.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        width: channels of the first level (pictures) or hidden units (rows).
        layers: residual blocks, a level or in all.
    """

    def __init__(self, rest: Schema, given: Schema, width: int, layers: int):
        super().__init__()
        picture = next(iter(rest.of_kind(Image)), None)
        self.shape = (picture.channels, picture.height, picture.width) if isinstance(picture, Image) else None
        self.pixels = self.shape[0] * self.shape[1] * self.shape[2] if self.shape else 0
        table = Schema(rest.of_kind(Number, Category))
        self.vector = VectorEncoding(table)
        self.size = self.pixels + self.vector.width
        embedding = 4 * width if self.shape else width
        self.time = nn.Sequential(Waves(64), nn.Linear(64, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.condition = Condition(given, embedding) if len(given) else None
        if self.shape:
            channels = self.shape[0]
            self.levels = Standardise(torch.zeros(channels), torch.ones(channels))
            self.beside = nn.Linear(self.vector.width, embedding) if self.vector.width else None
            self.body: nn.Module = UNet(
                *self.shape, hidden=width, layers=layers, condition=embedding, extra=self.vector.width
            )
        else:
            self.body = ResidualMLP(self.size, self.size, width, layers, embedding)

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        if self.vector.width:
            self.vector.prepare(Cells(tensors["numbers"], tensors["codes"], tensors["holes"]), generator)
        if self.shape:
            x = from_pixels(tensors["image"]).transpose(0, 1).reshape(self.shape[0], -1)
            self.levels = Standardise.of(x.T)
            self.levels.scale.clamp_(min=1 / HALF)  # pictures that are all alike still have a grey level
        if self.condition is not None:
            self.condition.prepare(tensors)

    def encode(self, batch: Mapping[str, Tensor], generator: Source | None = None) -> tuple[Tensor, Tensor]:
        """(n, size) data of deviation 1, and (n,) what to add to a log density of it."""
        parts, ladj = [], torch.zeros(len(batch["codes"]), device=batch["codes"].device)
        if self.shape:
            x = from_pixels(batch["image"], generator).permute(0, 2, 3, 1)
            y, stretched = self.levels(x)
            parts.append(y.permute(0, 3, 1, 2).flatten(1))
            ladj = ladj + stretched.flatten(1).sum(1) + stretch(self.pixels)
        if self.vector.width:
            y, stretched = self.vector(batch["numbers"], batch["codes"], batch["holes"], generator)
            parts.append(y)
            ladj = ladj + stretched
        return torch.cat(parts, 1), ladj

    def decode(self, x: Tensor) -> tuple[Tensor | None, Cells]:
        """(n, size) data to pictures (n, channels, height, width) in [-1, 1] and cells."""
        picture = None
        if self.shape:
            picture = x[:, : self.pixels].view(-1, *self.shape)
            picture = self.levels.inverse(picture.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return picture, self.vector.inverse(x[:, self.pixels :])

    def forward(self, x: Tensor, c_noise: Tensor, given: Tensor | None) -> Tensor:
        """(n, size), (n,), (n, embedding) → (n, size)."""
        c = self.time(c_noise)
        if given is not None:
            c = c + given
        if self.shape is None:
            return self.body(x, nn.functional.silu(c))
        if self.beside is not None:
            c = c + self.beside(x[:, self.pixels :])
        picture, numbers = self.body(x[:, : self.pixels].view(-1, *self.shape), nn.functional.silu(c))
        out = picture.flatten(1)
        return out if numbers is None else torch.cat([out, numbers], 1)
