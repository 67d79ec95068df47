"""The encoder and decoder of records whose codes are several vectors: a grid for the picture, positions for the row."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from pushforward.autoencoders.network import Inputs, Kind, Network, Outputs
from pushforward.autoencoders.quantisers.frequencies import Frequencies
from pushforward.autoencoders.quantisers.fsq import FSQ
from pushforward.autoencoders.quantisers.quantiser import Quantiser
from pushforward.autoencoders.quantisers.squares import digits, painted, shades
from pushforward.data import Schema
from pushforward.data.encodings.noise import Source
from pushforward.nets.conv import Grow, Patches, Shrink
from pushforward.nets.mlp import dense

WIDEST = 4  # times the channels of the first stage, which no stage goes beyond


class GridNetwork(Network):
    """Encoder (record, given) → (n, k, width) vectors, which a quantiser brings to codes, and back.

    The map that a picture shrinks to is its grid, row by row; numbers and categories beside it become `positions`
    further vectors. What is given, and the row, steers all places of the grid alike.

    Args:
        rest, given, shared, plain: as for every `Network`.
        quantiser: what the vectors are brought to.
        positions: vectors of a row, or of a picture that is gone through densely.
        stages: of the picture, each after the first half as fine.
        width: channels of the first stage (pictures) or hidden units.
        layers: residual blocks a stage, or hidden layers.
        kind: how pictures are gone through.
        local: whether the vector of a cell sees the pixels of that cell alone.
    """

    def __init__(
        self, rest: Schema, given: Schema, quantiser: Quantiser, *, positions: int, stages: int, width: int,
        layers: int, kind: Kind, shared: bool = False, plain: bool = False, local: bool = False,
    ):  # fmt: skip
        super().__init__(rest, given, shared=shared, plain=plain)
        self.quantiser = quantiser
        self.convolutional = self.picture is not None and kind != "dense"
        inputs, outputs, beside = self.row.inputs, self.row.outputs, self.beside
        self.positions, self.cells, units = positions, 0, width
        pixels = self.picture.size if self.picture is not None else 0
        if self.picture is not None and self.convolutional:
            hidden = [width * min(2**i, WIDEST) for i in range(stages)]
            look = Patches if local else Shrink
            self.shrink = look(*self.picture.shape, hidden=hidden, layers=layers)
            self.grow = Grow(*self.picture.shape, hidden=hidden, layers=layers)
            self.size, self.cells, pixels = self.shrink.size, math.prod(self.shrink.size), 0
            self.positions, units, layers = positions if outputs else 0, 4 * width, max(1, layers)
            told, heard = inputs + beside, self.positions * quantiser.width + beside
            self.to_vectors = nn.Conv2d(hidden[-1], quantiser.width, 1)
            self.of_vectors = nn.Conv2d(quantiser.width, hidden[-1], 1)
            self.steer_in = nn.Linear(told, hidden[-1]) if told else None
            self.steer_out = nn.Linear(heard, hidden[-1]) if heard else None
        if self.positions:
            vectors = (self.cells + self.positions) * quantiser.width
            self.body = dense(pixels + inputs + beside, self.positions * quantiser.width, units, layers)
            self.back = dense(vectors + beside, pixels + outputs, units, layers)
        self.frequencies = Frequencies(self.k, quantiser.size)

    @property
    def k(self) -> int:
        """Codes of a record."""
        return self.cells + self.positions

    def encode(self, x: Inputs, given: Tensor | None, told: Tensor | None = None) -> Tensor:
        """(n, k, width)."""
        features = [self.row.features(x.y, x.codes)] if self.row.inputs else []
        beside = [*features, *([] if given is None else [given])]
        parts = []
        if self.convolutional:
            h = self.shrink(x.picture)
            if self.steer_in is not None:
                h = h + self.steer_in(torch.cat(beside, 1))[:, :, None, None]
            parts.append(self.to_vectors(h).flatten(2).transpose(1, 2))
        else:
            beside = [x.picture.flatten(1), *beside]
        if self.positions:
            parts.append(self.body(torch.cat(beside, 1)).unflatten(1, (self.positions, -1)))
        return torch.cat(parts, 1)

    def decode(self, z: Tensor, given: Tensor | None) -> Outputs:
        """(n, k, width) vectors of codes to what the records look like."""
        beside = [] if given is None else [given]
        flat = torch.cat([z.flatten(1), *beside], 1)
        if not self.convolutional:
            size = 0 if self.picture is None else self.picture.size
            pixels, row = self.back(flat).split([size, self.row.outputs], 1)
            return Outputs(pixels if self.picture is None else pixels.unflatten(1, self.picture.shape), row)
        h = self.of_vectors(z[:, : self.cells].transpose(1, 2).unflatten(2, self.size))
        if self.steer_out is not None:
            h = h + self.steer_out(torch.cat([z[:, self.cells :].flatten(1), *beside], 1))[:, :, None, None]
        return Outputs(self.grow(h), self.back(flat) if self.positions else flat[:, :0])

    def touched(self, where: Tensor) -> Tensor:
        """(n, cells) bool, the cells of the grid whose pixels are among those of (n, height, width) bool."""
        tall, wide = (-(-side // many) for side, many in zip(where.shape[1:], self.size, strict=True))
        room = (0, self.size[1] * wide - where.shape[2], 0, self.size[0] * tall - where.shape[1])
        return max_pool2d(pad(where[:, None].float(), room), (tall, wide)).flatten(1) > 0

    def squares(self, values: Tensor) -> Tensor:
        """(n, cells, width) vectors of rounded codes → (n, width, rows, columns) in [-1, 1]; slopes pass through."""
        quantiser = self._rounded
        return shades(quantiser.digits(values), quantiser.levels, self.size)

    def painted(self, codes: Tensor, source: Source) -> tuple[Tensor, Tensor]:
        """(n, cells) rounded codes → (n, rows, columns, width) uint8 that mean them, and (n,) the log of how many."""
        quantiser = self._rounded
        return painted(quantiser.digits(quantiser.values(codes)).round().long(), quantiser.levels, self.size, source)

    def of_squares(self, x: Tensor) -> Tensor:
        """(n, width, rows, columns) → (n, cells) the codes that are meant."""
        quantiser = self._rounded
        return quantiser.codes(digits(x, quantiser.levels) - quantiser.middle)

    @property
    def _rounded(self) -> FSQ:
        assert isinstance(self.quantiser, FSQ)
        return self.quantiser

    @property
    def last(self) -> Tensor:
        return self.grow.last if self.convolutional else self.back[-1].weight  # type: ignore[return-value]
