"""The network of a diffusion over pictures, rows, or both at once, with the scaling of its data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pushforward.conditional import Steered
from pushforward.data import Schema, Text
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.nets.condition import Condition
from pushforward.nets.embed import Waves
from pushforward.nets.mlp import ResidualMLP
from pushforward.nets.unet import UNet


class Network(nn.Module, Steered):
    """F(x; c_noise, given) on flat vectors: the pixels of a picture, then the coordinates of a row.

    What is given is one embedding, and where a picture is told texts also their words, at which its places look: one
    vector says what there is, but not what belongs to what.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        width: channels of the first level (pictures) or hidden units (rows).
        layers: residual blocks, a level or in all.
        drop: share of hidden units that are left out in training.
    """

    def __init__(self, rest: Schema, given: Schema, width: int, layers: int, drop: float = 0.0):
        super().__init__()
        self.flat = FlatEncoding(rest)
        shape, size, extra = self.flat.shape, self.flat.size, self.flat.vector.width
        embedding = 4 * width if shape else width
        self.time = nn.Sequential(Waves(64), nn.Linear(64, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.condition = Condition(given, embedding) if len(given) else None
        if shape:
            self.beside = nn.Linear(extra, embedding) if extra else None
            self.words = bool(given.of_kind(Text))
            self.body: nn.Module = UNet(
                *shape, hidden=width, layers=layers, condition=embedding, extra=extra, words=self.words, drop=drop
            )
        else:
            self.words, self.body = False, ResidualMLP(size, size, width, layers, embedding, drop)

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        self.flat.prepare(tensors, generator)
        if self.condition is not None:
            self.condition.prepare(tensors)

    def embed(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor | None:
        """(n, 1 + words, embedding): that of all conditions, then the words; zero where there is none."""
        if self.condition is None:
            return None
        whole, words = self.condition.read(given, drop)
        return torch.cat([whole[:, None], *(words if self.words else ())], 1)

    def forward(self, x: Tensor, c_noise: Tensor, given: Tensor | None) -> Tensor:
        """(n, size), (n,), (n, 1 + words, embedding) → (n, size)."""
        c, words = self.time(c_noise), None
        if given is not None:
            c, words = c + given[:, 0], given[:, 1:] if self.words else None
        if self.flat.shape is None:
            return self.body(x, nn.functional.silu(c))
        if self.beside is not None:
            c = c + self.beside(x[:, self.flat.pixels :])
        picture, numbers = self.body(x[:, : self.flat.pixels].view(-1, *self.flat.shape), nn.functional.silu(c), words)
        out = picture.flatten(1)
        return out if numbers is None else torch.cat([out, numbers], 1)
