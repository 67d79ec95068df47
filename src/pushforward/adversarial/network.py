"""Generator, discriminator and encoder of records that hold a picture, a row, or both."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import silu
from torch.nn.utils.parametrizations import spectral_norm

from pushforward.adversarial.heads import RowHead, within
from pushforward.conditional import Steered
from pushforward.data import Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.vector import VectorEncoding
from pushforward.nets.condition import Condition
from pushforward.nets.conv import Grow, Shrink, fold_of
from pushforward.nets.embed import Waves
from pushforward.nets.mlp import PlainMLP, ResidualMLP

EMBEDDING = 64  # width of what is given
WAVES = 32  # numbers that a number is read as beside itself, so that close values are told apart
SIGNS = 8  # numbers of z whose signs are read as well: draws may then fall apart into groups with nothing between
SHARE, KNOTS = 1.0, 1024  # normal scores throughout, of so many quantiles: margins are right from the start
BLUR = 0.45  # deviation of what is added to the numbers of texts before they are judged: a text alone would be a point
GAP = 0.5  # between black or white and the next grey level: a slope kept small does not tell 0 from 3
COARSEST = 8  # side of a map, above which it is halved once more


class Generator(nn.Module, Steered):
    """G(z, given) → a flat vector: noise pushed forward to records.

    Args:
        flat: how records are vectors; it is looked at, not owned.
        given: the fields that are conditions.
        latent: numbers of z.
        width: channels of the first stage (pictures) or hidden units (rows).
        layers: residual blocks, a stage or in all.
    """

    def __init__(self, flat: FlatEncoding, given: Schema, *, latent: int, width: int, layers: int):
        super().__init__()
        self._flat = [flat]  # in a list, lest it become a part of this module
        self.latent = latent
        self.condition = Condition(given, EMBEDDING) if len(given) else None
        inputs = latent + (EMBEDDING if len(given) else 0)
        assert isinstance(flat.vector, VectorEncoding)
        self.row = RowHead(flat.vector) if flat.vector.width else None
        self._signs = min(SIGNS, latent)
        if flat.shape:
            hidden = stages_of(flat.shape, width)
            self.grow = Grow(*flat.shape, hidden=hidden, layers=layers)
            self._map = (hidden[-1], *self.grow.size)
            self.spread = nn.Linear(inputs, math.prod(self._map))
        if self.row is not None:
            units = 4 * width if flat.shape else width
            self.told = nn.Linear(inputs + self._signs, units)
            self.write = ResidualMLP(inputs + self._signs, self.row.outputs, units, layers, units)

    def forward(
        self, z: Tensor, given: Tensor | None, generator: torch.Generator | None, whole: bool = False
    ) -> Tensor:
        """(n, latent), (n, embedding) → (n, size).

        Args:
            z, given: the noise, and the conditions.
            generator: draws what they leave open; without one the most probable is taken.
            whole: whether nothing may be a hole.
        """
        (flat,) = self._flat
        h = z if given is None else torch.cat([z, given], 1)
        parts = []
        if flat.shape:
            picture = self.grow(self.spread(h).unflatten(1, self._map))
            black, white = (
                ((end - flat.levels.mean) / flat.levels.scale).view(-1, 1, 1) for end in (-1 - flat.gap, 1 + flat.gap)
            )
            parts.append(within(picture, black, white).flatten(1))
        if self.row is not None:
            h = torch.cat([h, z[:, : self._signs].sign()], 1)
            parts.append(self.row(self.write(h, silu(self.told(h))), generator, whole))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class Reader(nn.Module):
    """Records to features, without normalisation: convolutions for the picture, residual layers for the row.

    Args:
        flat: how records are vectors; it is looked at, not owned.
        beside: numbers that are read along with them.
        outputs: features.
        width, layers: as for `Generator`.
        coarse: numbers whose close values need not be told apart.
        pack: rows that are read as one.
    """

    def __init__(
        self, flat: FlatEncoding, beside: int, outputs: int, *, width: int, layers: int,
        coarse: Collection[str] = (), pack: int = 1,
    ):  # fmt: skip
        super().__init__()
        self._flat = [flat]
        self.pack = pack
        numbers = range(flat.vector.cells.width)
        rough = {i for name in coarse for i in places(flat, name)}
        self._fine = [i for i in numbers if i not in rough] if rough else slice(len(numbers))
        fine = len(numbers) - len(rough)
        self.waves = Waves(WAVES, 1 / 8, 8.0) if fine else None
        inputs, read = pack * (flat.vector.width + WAVES * fine + beside), 0
        if flat.shape:
            hidden = stages_of(flat.shape, width)
            self.shrink = Shrink(*flat.shape, hidden=hidden, layers=layers, act=kinked)
            read = pack * hidden[-1] * math.prod(self.shrink.size)
        units = 4 * width if flat.shape else width
        self.body = PlainMLP(inputs, units, units, layers) if inputs else None
        both = bool(read and inputs)  # what is beside a picture says something of it: their features have to meet
        self.meet = PlainMLP(read + units, units, units, layers) if both else None
        self.head = nn.Linear(units if both or not read else read, outputs)

    def forward(self, points: Tensor, beside: Tensor | None) -> Tensor:
        """(n, size), (n, beside) → (n / pack, outputs)."""
        (flat,) = self._flat
        picture, row = points.split([flat.pixels, flat.vector.width], 1)
        features = []
        if flat.shape:
            features.append(self._packed(self.shrink(picture.unflatten(1, flat.shape)).flatten(1)))
        if self.body is not None:
            read = [row] if beside is None else [row, beside]
            if self.waves is not None:
                read.append(self.waves(row[:, self._fine]).flatten(1))
            features.append(self.body(self._packed(torch.cat(read, 1))))
        return self.head(features[0] if self.meet is None else self.meet(torch.cat(features, 1)))

    def _packed(self, x: Tensor) -> Tensor:
        return x if self.pack == 1 else x.reshape(len(x) // self.pack, -1)


class Discriminator(nn.Module):
    """D(x, given) = w·φ(x) + e(given)·V φ(x): the second term alone knows the conditions.

    This is the form that the log ratio of two conditional distributions has, if the conditions are log-linear in φ
    (Miyato, Koyama 2018, arXiv 1802.05637). With `pack` records judged as one, a generator that draws the same again
    and again gives itself away (Lin, Khetan, Fanti, Oh 2017, arXiv 1712.04086); conditions are then read along.

    Args:
        flat, given, width, layers: as for `Generator`.
        coarse: as for `Reader`.
        codes: numbers of z, where pairs of records and codes are judged.
        pack: records that are judged as one.
        spectral: whether every layer is kept to slope 1 (Miyato et al. 2018, arXiv 1802.05957).

    Attributes:
        seen: steps, by which the weight of the penalty falls.
        gamma: that weight in the long run.
        augmentation: probability that a picture is changed before it is judged.
        lead: running mean of the sign of D(real) - D(drawn), from -1 to 1.
    """

    seen: Tensor
    gamma: Tensor
    augmentation: Tensor
    lead: Tensor

    def __init__(
        self, flat: FlatEncoding, given: Schema, *, width: int, layers: int, coarse: Collection[str], codes: int,
        pack: int, spectral: bool,
    ):  # fmt: skip
        super().__init__()
        for name in ("seen", "gamma", "augmentation", "lead"):
            self.register_buffer(name, torch.zeros(()))
        self.pack, self.codes = pack, codes
        self.condition = Condition(given, EMBEDDING) if len(given) else None
        self.projects = len(given) > 0 and pack == 1
        beside = codes + (EMBEDDING if len(given) and not self.projects else 0)
        outputs = 1 + (EMBEDDING if self.projects else 0)
        self.reader = Reader(flat, beside, outputs, width=width, layers=layers, coarse=coarse, pack=pack)
        if spectral:
            for layer in list(self.reader.modules()):
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    weight = layer.weight.data
                    if not (weight.is_meta or bool(weight.any())):  # a map that is 0 has no direction to be scaled in
                        weight.copy_(nn.init.orthogonal_(torch.empty(weight.shape)))
                    spectral_norm(layer)

    def forward(self, points: Tensor, given: Tensor | None) -> Tensor:
        """(n, size + codes), (n, embedding) → (n / pack,) scores.

        Args:
            points: records, and codes behind them where pairs are judged.
            given: what is known of them.
        """
        records, codes = points.split([points.shape[1] - self.codes, self.codes], 1)
        beside = [codes] if self.codes else []
        if given is not None and not self.projects:
            beside.append(given)
        out = self.reader(records, torch.cat(beside, 1) if beside else None)
        score = out[:, 0]
        if self.projects:
            assert given is not None
            score = score + (out[:, 1:] * given).sum(1) * EMBEDDING**-0.5
        return score.float()  # differences of scores are small


class Game(nn.Module, Steered):
    """All networks of a game, with the scaling of its data.

    Args:
        rest, given: fields that are drawn, and conditions.
        latent, width, layers, pack, spectral: of its parts.
        inference: whether there is an encoder.
        blurred: numbers that are judged through noise, records' and draws' alike, lest a few values that the records
            have again and again be points, which no draw ever hits (Sønderby et al. 2017, arXiv 1610.04490).

    Attributes:
        center, spread: (latent,) mean and deviation over records of what the encoder says.
    """

    center: Tensor
    spread: Tensor

    def __init__(
        self, rest: Schema, given: Schema, *, latent: int, width: int, layers: int, pack: int = 1,
        spectral: bool = False, inference: bool = False, blurred: Collection[str] = (),
    ):  # fmt: skip
        super().__init__()
        self.flat = FlatEncoding(rest, partial(VectorEncoding, share=SHARE, knots=KNOTS), GAP)
        size = {"width": width, "layers": layers}
        self.generator = Generator(self.flat, given, latent=latent, **size)
        codes = latent if inference else 0
        self.discriminator = Discriminator(
            self.flat, given, coarse=blurred, codes=codes, pack=pack, spectral=spectral, **size
        )
        beside = EMBEDDING if len(given) else 0
        self.encoder = Reader(self.flat, beside, latent, coarse=blurred, **size) if inference else None
        self._blurred = [self.flat.pixels + i for name in blurred for i in places(self.flat, name)]
        for name in ("center", "spread"):
            self.register_buffer(name, torch.full((latent,), float(name == "spread")))

    @property
    def condition(self) -> Condition | None:  # type: ignore[override]
        """Of the generator, whose side draws."""
        return self.generator.condition

    def blur(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(n, size) records as they are judged."""
        if not self._blurred:
            return x
        noise = BLUR * torch.randn(len(x), len(self._blurred), generator=generator, device=x.device)
        return x.index_add(1, torch.tensor(self._blurred, device=x.device), noise)

    def prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        self.flat.prepare(tensors, generator)
        for part in (self.generator, self.discriminator):
            if part.condition is not None:
                part.condition.prepare(tensors)


def places(flat: FlatEncoding, name: str) -> range:
    """Where the numbers of a field stand in a row."""
    at = flat.vector.cells.columns[name]
    return range(at.start, at.stop)


def kinked() -> nn.Module:
    """max(x, 0.2 x), whose slope has no slope of its own: differentiating twice costs a third less than with SiLU."""
    return nn.LeakyReLU(0.2)


def stages_of(shape: tuple[int, int, int], width: int) -> tuple[int, ...]:
    """Channels of the stages of a picture: three where the first map is finer than 8, else two."""
    side = -(-max(shape[1:]) // fold_of(*shape[1:]))
    return (width, 2 * width, 4 * width) if side > COARSEST else (width, 2 * width)
