"""The encoder and decoder of records that hold a picture, a row, or both."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pushforward.autoencoders.picture import Picture
from pushforward.autoencoders.row import Row
from pushforward.conditional import Steered
from pushforward.data import Category, Image, Number, Schema
from pushforward.data.encodings.cells import Cells
from pushforward.data.encodings.pixels import from_pixels
from pushforward.nets.condition import Condition
from pushforward.nets.conv import Grow, Shrink
from pushforward.nets.mlp import dense

Kind = Literal["auto", "convolutional", "dense"]
EMBEDDING = 64  # width of what is given, beside a code


@dataclass(frozen=True)
class Inputs:
    """Records as an encoder sees them.

    Attributes:
        picture: (n, channels, height, width) in [-1, 1]; empty where there is none.
        y: (n, d) scores of numbers, NaN where there is none.
        codes: (n, factors) levels, -1 where there is none.
    """

    picture: Tensor
    y: Tensor
    codes: Tensor


@dataclass(frozen=True)
class Outputs:
    """What a decoder says of records: the mean of the picture, and the parameters of the row; either may be empty."""

    picture: Tensor
    row: Tensor


class Network(nn.Module, Steered):
    """What encoders and decoders share: how records become their inputs, and how their outputs are judged.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        shared: whether all numbers of a row have one σ.
        plain: whether numbers are only shifted and scaled.
    """

    convolutional: bool

    def __init__(self, rest: Schema, given: Schema, *, shared: bool = False, plain: bool = False):
        super().__init__()
        image = next(iter(rest.of_kind(Image)), None)
        self.picture = Picture((image.channels, image.height, image.width)) if isinstance(image, Image) else None
        self.row = Row(Schema(rest.of_kind(Number, Category)), shared, plain)
        self.condition = Condition(given, EMBEDDING) if len(given) else None
        self.beside = EMBEDDING if len(given) else 0

    @abstractmethod
    def encode(self, x: Inputs, given: Tensor | None, told: Tensor | None = None) -> Tensor:
        """What the encoder makes of records, one row each."""

    @abstractmethod
    def decode(self, z: Tensor, given: Tensor | None) -> Outputs:
        """What the records of codes look like."""

    @property
    def numbers(self) -> int:
        """How many numbers say all of a record: one for each value of a pixel, number, level and hole."""
        return self.row.outputs + (0 if self.picture is None else self.picture.size)

    @property
    @abstractmethod
    def last(self) -> Tensor:
        """The weights of the layer that pictures come out of."""

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        if self.row.d:
            self.row.prepare(Cells(tensors["numbers"], tensors["codes"], tensors["holes"]), generator)
        if self.condition is not None:
            self.condition.prepare(tensors)

    def inputs(self, batch: Mapping[str, Tensor]) -> Inputs:
        """Records as the encoder sees them."""
        nothing = torch.empty(len(batch["codes"]), 0, device=batch["codes"].device)
        picture = nothing if self.picture is None else from_pixels(batch["image"])
        y = self.row.scores(batch["numbers"])[0] if self.row.d else batch["numbers"]
        return Inputs(picture, y, batch["codes"])

    def nll(self, out: Outputs, batch: Mapping[str, Tensor], x: Inputs) -> Tensor:
        """(n,) minus the log likelihood of records, for training."""
        weight = batch.get("weight")
        total = torch.zeros(len(x.codes), device=x.codes.device)
        if self.picture is not None:
            total = total + self.picture.nll(out.picture, x.picture, weight)
        if self.row.outputs:
            total = total + self.row.nll(out.row, x.y, x.codes, batch["holes"], weight)
        return total

    def settle(self, out: Outputs, batch: Mapping[str, Tensor], x: Inputs) -> None:
        """Set the variances to those that the errors of these records call for."""
        weight = batch.get("weight")
        if self.picture is not None:
            self.picture.spread.settle(*self.picture.errors(out.picture, x.picture), weight)
        if self.row.d:
            known = (~x.y.isnan()).float()
            mean = self.row.split(out.row)[0]
            self.row.spread.settle((x.y.nan_to_num().float() - mean).square() * known, known, weight)

    def log_prob(self, out: Outputs, batch: Mapping[str, Tensor], known: Tensor | None = None) -> Tensor:
        """(n,) float64 log probability of what is known of records, in the units of the data.

        Args:
            out: what the decoder says.
            batch: the records.
            known: (n, channels, height, width) bool, which pixels are known; all if not given.
        """
        total = torch.zeros(len(batch["codes"]), dtype=torch.float64, device=batch["codes"].device)
        if self.picture is not None:
            total = total + self.picture.log_prob(out.picture, batch["image"], known)
        if self.row.outputs:
            total = total + self.row.log_prob(out.row, batch["numbers"], batch["codes"])
        return total


class VectorNetwork(Network):
    """Encoder (record, given) → h and decoder (z, given) → what records look like, h and z being one vector.

    Args:
        rest, given, shared, plain: as for every `Network`.
        heads: numbers that the encoder gives out.
        latent: numbers that the decoder takes.
        width: channels of the first stage (pictures) or hidden units.
        layers: residual blocks a stage, or hidden layers; none makes a dense network linear.
        kind: how pictures are gone through.
        told: further numbers that the encoder is told, such as how noisy its input is.
        own: what the family keeps beside encoder and decoder.
    """

    def __init__(
        self, rest: Schema, given: Schema, *, heads: int, latent: int, width: int, layers: int, kind: Kind,
        shared: bool = False, plain: bool = False, told: int = 0,
        own: nn.Module | None = None,
    ):  # fmt: skip
        super().__init__(rest, given, shared=shared, plain=plain)
        self.own = own
        shape, beside = self.picture.shape if self.picture else None, self.beside
        self.convolutional = shape is not None and kind != "dense"
        # a linear encoder needs no rows of its own: it is one map of everything
        inputs, outputs = self.row.inputs, self.row.outputs
        if shape and self.convolutional:
            hidden = (width, 2 * width)
            self.shrink = Shrink(*shape, hidden=hidden, layers=layers)
            self.grow = Grow(*shape, hidden=hidden, layers=layers)
            self._map = (hidden[-1], *self.shrink.size)
            flat = math.prod(self._map)
            units = 4 * width
            self.read = nn.Sequential(nn.Linear(inputs, units), nn.SiLU()) if inputs else None
            self.head = nn.Linear(flat + (units if inputs else 0) + beside + told, heads)
            self.spread_out = nn.Linear(latent + beside, flat)
            self.write = dense(latent + beside, outputs, units, max(1, layers)) if outputs else None
        else:
            pixels = self.picture.size if self.picture else 0
            self.body = dense(pixels + inputs + beside + told, heads, width, layers)
            self.back = dense(latent + beside, pixels + outputs, width, layers)

    def encode(self, x: Inputs, given: Tensor | None, told: Tensor | None = None) -> Tensor:
        """(n, heads)."""
        features = [self.row.features(x.y, x.codes)] if self.row.inputs else []
        beside = [part for part in (given, told) if part is not None]
        if not self.convolutional:
            return self.body(_side_by_side([x.picture.flatten(1), *features, *beside]))
        parts = [self.shrink(x.picture).flatten(1)]
        if self.read is not None:
            parts.append(self.read(features[0]))
        return self.head(_side_by_side([*parts, *beside]))

    def decode(self, z: Tensor, given: Tensor | None) -> Outputs:
        """(n, latent) codes to what the records look like."""
        z = z if given is None else torch.cat([z, given], 1)
        if not self.convolutional:
            size = 0 if self.picture is None else self.picture.size
            pixels, row = self.back(z).split([size, self.row.outputs], 1)
            return Outputs(pixels if self.picture is None else pixels.unflatten(1, self.picture.shape), row)
        picture = self.grow(self.spread_out(z).unflatten(1, self._map))
        return Outputs(picture, z[:, :0] if self.write is None else self.write(z))

    @property
    def last(self) -> Tensor:
        return self.grow.last if self.convolutional else self.back[-1].weight  # type: ignore[return-value]


def _side_by_side(parts: list[Tensor]) -> Tensor:
    """Parts in one matrix; one alone is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
