"""The network of a flow over pictures, rows, or both at once, with the scaling of its data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pushforward.conditional import Steered
from pushforward.data import Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.noise import Source, normal
from pushforward.data.encodings.pixels import HALF
from pushforward.data.encodings.scores import ScoreEncoding
from pushforward.flows.bases.base import Base
from pushforward.flows.bases.normal import Normal
from pushforward.flows.dequantiser import Dequantiser
from pushforward.flows.kernels.kernel import Kernel
from pushforward.flows.layers import picture_flow, row_flow
from pushforward.flows.pushed import Pushed
from pushforward.nets.condition import Condition

EMBEDDING = 64  # width of what is given
SEEN = 2048  # records that layers take their first scales from
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class FlowNetwork(nn.Module, Steered):
    """p(row | given) by one flow, p(picture | row, given) by another; the code is that of the picture, then the row's.

    A picture with an odd side is read with a line of normal noise beside it, whose density is taken off again: a bound.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        kernel: what moves a number.
        base: makes the base of so many numbers.
        kind: ``coupling`` or ``autoregressive``, of the row.
        transforms: of the row, or steps a level of the picture.
        width: hidden units or channels.
        layers: hidden layers, or residual blocks of a coupling.
        learned: whether noise within grey levels is learned.
    """

    def __init__(
        self, rest: Schema, given: Schema, *, kernel: Kernel, base: Callable[[int], Base], kind: str, transforms: int,
        width: int, layers: int, learned: bool,
    ):  # fmt: skip
        super().__init__()
        self.flat = FlatEncoding(rest, ScoreEncoding)
        self.condition = Condition(given, EMBEDDING) if len(given) else None
        told, d = EMBEDDING if len(given) else 0, self.flat.vector.width
        size = {"transforms": transforms, "width": width, "layers": layers}
        self.row = self.picture = self.noise = None
        if d:
            self.row = Pushed(row_flow(d, kernel, kind=kind, condition=told, **size), base(d))
        if self.flat.shape:
            channels, height, wide = self.flat.shape
            even = (channels, height + height % 2, wide + wide % 2)
            self._pad = (0, wide % 2, 0, height % 2)
            # the noise of many pixels is not where tails or clusters would show
            self.picture = Pushed(picture_flow(even, kernel, condition=told + d, **size), Normal(math.prod(even)))
            self.noise = Dequantiser(channels, width) if learned else None

    exact = True  # its density is no estimate

    @property
    def pixels(self) -> int:
        """Numbers of the code of the picture."""
        return self.picture.base.size if self.picture is not None else 0

    @property
    def size(self) -> int:
        """Numbers of a code."""
        return self.pixels + self.flat.vector.width

    @torch.no_grad()
    def prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records, and those that layers begin with."""
        self.flat.prepare(tensors, generator)
        if self.condition is not None:
            self.condition.prepare(tensors)
        some = {name: tensor[:SEEN] for name, tensor in tensors.items()}
        x, _ = self.spread(some, generator)
        c = self.embed(some)
        picture, row = self._parts(x)
        if self.row is not None:
            self.row.bijection.prepare(row, c)
        if self.picture is not None:
            self.picture.bijection.prepare(self._even(picture, generator)[0], self._beside(row, c))

    def spread(self, batch: Mapping[str, Tensor], source: Source | None) -> tuple[Tensor, Tensor]:
        """(n, size) records as points, spread over their grey levels and cells, and (n,) what that adds to log p."""
        x, ladj = self.flat(batch, source)
        if self.noise is None or source is None:
            return x, ladj
        whole, _ = self.flat(batch)
        picture, row = self._parts(whole)
        u, log_q = self.noise(picture, source)
        channel = self.flat.levels.scale.view(-1, 1, 1) * HALF
        moved = (picture + (u - 0.5) / channel).flatten(1)
        return torch.cat([moved, x[:, self.flat.pixels :]], 1) if row.shape[1] else moved, ladj - log_q

    def loss(self, batch: Mapping[str, Tensor], c: Tensor | None, generator: torch.Generator) -> Tensor:
        """(n,) minus the log probability of records."""
        x, ladj = self.spread(batch, generator)
        return -(self.log_prob(x, c, generator) + ladj)

    def log_prob(self, x: Tensor, c: Tensor | None, source: Source | None) -> Tensor:
        """(n, flat size), (n, embedding) → (n,) log density of points."""
        picture, row = self._parts(x)
        total = torch.zeros(len(x), device=x.device)
        if self.row is not None:
            total = total + self.row.log_prob(row, c)
        if self.picture is not None:
            even, gained = self._even(picture, source)
            total = total + self.picture.log_prob(even, self._beside(row, c)) + gained
        return total

    def encode(self, x: Tensor, c: Tensor | None) -> Tensor:
        """(n, flat size), (n, embedding) → (n, size) noise."""
        picture, row = self._parts(x)
        codes = []
        if self.picture is not None:
            codes.append(self.picture.bijection(self._even(picture, None)[0], self._beside(row, c))[0])
        if self.row is not None:
            codes.append(self.row.bijection(row, c)[0])
        return torch.cat(codes, 1)

    def decode(self, z: Tensor, c: Tensor | None) -> Tensor:
        """(n, size), (n, embedding) → (n, flat size) points."""
        row, parts = z[:, self.pixels :], []
        if self.row is not None:
            row = self.row.bijection.inverse(row, c)[0]
        if self.picture is not None:
            even = self.picture.bijection.inverse(z[:, : self.pixels], self._beside(row, c))[0]
            assert self.flat.shape is not None
            _, height, wide = self.flat.shape
            parts.append(even[:, :, :height, :wide].flatten(1))
        return torch.cat([*parts, row], 1)

    def draw(self, n: int, generator: torch.Generator, temperature: float) -> Tensor:
        """(n, size) noise of the bases."""
        parts = [part.base.sample(n, generator) for part in (self.picture, self.row) if part is not None]
        return temperature * torch.cat(parts, 1)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures and rows of points."""
        picture, row = x.split([self.flat.pixels, self.flat.vector.width], 1)
        return (picture.view(-1, *self.flat.shape) if self.flat.shape else picture), row

    def _beside(self, row: Tensor, c: Tensor | None) -> Tensor | None:
        """What a picture is told: its row, and what is given."""
        known = [part for part in (row, c) if part is not None and part.shape[1]]
        return torch.cat(known, 1) if known else None

    def _even(self, picture: Tensor, source: Source | None) -> tuple[Tensor, Tensor]:
        """Pictures with even sides, and (n,) what is taken off for the noise beside them; without a source it is 0."""
        whole = pad(picture, self._pad)
        if not any(self._pad):
            return whole, whole.new_zeros(len(whole))
        blank = pad(torch.zeros_like(picture), self._pad, value=1.0)
        noise = torch.zeros_like(whole) if source is None else normal(whole, source) * blank
        gained = ((0.5 * noise**2 + _HALF_LOG_TAU) * blank).flatten(1).sum(1)
        return whole + noise, gained
