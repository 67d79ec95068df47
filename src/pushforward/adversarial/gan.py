"""The game of generator and discriminator as a family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor, nn

from pushforward.adversarial.augment import Augment, Transform
from pushforward.adversarial.losses import LOSSES
from pushforward.adversarial.network import Game
from pushforward.adversarial.penalties import PENALTIES, Judged
from pushforward.data import Image, Records, Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.evidence import Evidence
from pushforward.flat import BLOCK, FlatModel
from pushforward.training.player import Player, adam

Loss = Literal[*sorted(LOSSES)]  # type: ignore[valid-type]
Slopes = Literal[*sorted(PENALTIES)]  # type: ignore[valid-type]
AVERAGE = 0.1
BETAS = (0.0, 0.99)
EARLY, SETTLING = 9.0, 500  # the penalty begins at 1 + EARLY times its weight, and falls to it at this many steps
TARGET, RAMP, MOST = 0.6, 50_000, 0.8  # of the lead; records from no augmentation to all; its largest probability


@dataclass(kw_only=True, eq=False)
class GAN(FlatModel):
    """min over G, max over D: a generator and a discriminator that tells its draws from data."""

    network: ClassVar[Game]

    latent: Annotated[int, Ge(1), doc("numbers of the noise that records are drawn from")] = 64
    width: Annotated[int | None, Ge(4), doc("channels (pictures, 32) or hidden units (rows, 128)")] = None
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks, a stage or in all")] = 1
    loss: Annotated[Loss, doc("what the players minimise")] = "relativistic"
    penalty: Annotated[Slopes, doc("what keeps the slope of the discriminator small")] = "zero-centred"
    gamma: Annotated[float | None, Ge(0), doc("weight of the penalty; chosen by a short probe if not said")] = None
    spectral: Annotated[bool, doc("keeps every layer of the discriminator to slope 1")] = False
    augment: Annotated[float | Literal["adaptive"], Ge(0), Le(1), doc("share of pictures that are changed")] = "adaptive"
    colour: Annotated[bool, doc("changes of brightness and contrast do no harm")] = False
    flips: Annotated[bool, doc("pictures may as well be mirrored")] = False
    pack: Annotated[int | None, Ge(1), doc("records judged as one (pictures 1, rows 4)")] = None
    inference: Annotated[bool, doc("learns an encoder along with the game")] = False
    lr: Annotated[float, Gt(0), doc("learning rate")] = 8e-4

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        pictured = bool(rest.of_kind(Image))
        return Game(
            rest, given, latent=self.latent, width=self.width or (32 if pictured else 128), layers=self.layers,
            pack=self.pack or (1 if pictured else 4), spectral=self.spectral, inference=self.inference,
        )  # fmt: skip

    @property
    def _steered(self) -> Game:
        return self.network

    @property
    def _flat(self) -> FlatEncoding:
        return self.network.flat

    def _batch_size(self) -> int:
        return 32 if self._flat.shape else 256

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.prepare(tensors, generator)
        self.network.to(self.device)
        self.network.discriminator.gamma.fill_(self.gamma or 0.03)
        self.network.discriminator.augmentation.fill_(0.0 if self.augment == "adaptive" else self.augment)

    def players(self) -> list[Player]:
        g, d = self.network.generator, self.network.discriminator
        maker = g if self.network.encoder is None else nn.ModuleList([g, self.network.encoder])
        return [
            Player("generator", maker, self._generate, adam(self.lr, BETAS), average=AVERAGE),
            Player("discriminator", d, self._discriminate, adam(self.lr, BETAS), average=0.0),
        ]

    def _generate(self, batch: Mapping[str, Tensor], generator: torch.Generator):
        g, d, loss = self.network.generator, self.network.discriminator, LOSSES[self.loss]()
        batch = self._whole_packs(batch)
        x, _ = self._flat(batch, generator)
        n = len(x)
        drop = None
        if g.condition is not None:
            drop = torch.rand(n, len(g.condition.schema), generator=generator, device=x.device) < self.absent
        told = g.embed(batch, drop)
        z = torch.randn(n, self.latent, generator=generator, device=x.device)
        fake = g(z, told, generator)
        real = x
        heard = None if d.condition is None else d.condition(batch, drop)
        shift = self._transform(n, generator)
        with frozen(d):
            heard_ = None if heard is None else heard.detach()
            fs = d(shift(fake), heard_)
            with torch.set_grad_enabled(self.network.encoder is not None):
                rs = d(shift(real), heard_) if loss.paired else fs.detach()
        self._shown = (real, fake.detach(), heard, batch)
        return loss.generator(rs, fs).mean()

    def _discriminate(self, batch: Mapping[str, Tensor], generator: torch.Generator):
        d, loss, penalty = self.network.discriminator, LOSSES[self.loss](), PENALTIES[self.penalty]()
        real, fake, heard, batch = self._shown
        n = len(real)
        one, two = self._transform(n, generator), self._transform(n, generator)
        real, fake = (x.requires_grad_(penalty.slopes) for x in (real, fake))
        both = torch.cat([one(real), two(fake)])
        rs, fs = d(both, None if heard is None else heard.repeat(2, 1)).chunk(2)
        terms = penalty(Judged(lambda x: d(one(x), heard), real, fake, rs, fs), generator)
        d.seen += 1
        gamma = d.gamma * (1 + EARLY * torch.exp(-d.seen / SETTLING))
        total = loss.discriminator(rs, fs).mean()
        facts = {"divergence": loss.divergence(rs, fs)}
        for name, value in terms.items():
            total = total + gamma / 2 * value.mean()
            facts[f"slope/{name}"] = value.mean().sqrt()
        edge = loss.boundary(rs, fs)
        facts |= {"accuracy/real": (rs > edge).float().mean(), "accuracy/fake": (fs < edge).float().mean()}
        if self.augment == "adaptive" and self._flat.shape:
            self._adapt(rs, fs)
        return total, facts

    def _adapt(self, rs, fs):
        d = self.network.discriminator
        with torch.no_grad():
            d.lead.lerp_((rs - fs).sign().mean(), 0.02)
            d.augmentation.add_((d.lead - TARGET).sign() * len(rs) / RAMP).clamp_(0, MOST)

    def _transform(self, n: int, generator: torch.Generator) -> Transform:
        if not self._flat.shape or (self.augment == 0):
            return lambda x: x
        pixels = self._flat.pixels
        change = Augment(self._flat.shape, self.colour, self.flips).drawn(n, self.network.discriminator.augmentation, generator)
        if pixels == self._flat.size:
            return change
        return lambda x: torch.cat([change(x[:, :pixels]), x[:, pixels:]], 1)

    def _whole_packs(self, batch):
        pack = self.network.discriminator.pack
        n = len(batch["codes"])
        if n % pack == 0:
            return batch
        rows = torch.arange(-(-n // pack) * pack, device=batch["codes"].device) % n
        return {k: v[rows] for k, v in batch.items()}

    @torch.no_grad()
    def _sample(
        self, n: int, given: Evidence | None, generator: torch.Generator,
        *, truncation: Annotated[float, Gt(0), Le(1), doc("what noise is multiplied by; less is more alike")] = 1.0,
    ) -> Records:  # fmt: skip
        from pushforward.training.randomness import moved
        generator = moved(generator, self.device)
        z = truncation * torch.randn(n, self.latent, generator=generator, device=self.device)
        pieces = []
        for start in range(0, n, BLOCK):
            part = None if given is None else given.values[start : start + BLOCK]
            block = z[start : start + BLOCK]
            x = self.network.generator(block, self._embedding(len(block), part), generator)
            pieces.append(self._records(x, part))
        return pieces[0].concat(*pieces[1:])


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Inside, what is computed sends no slopes into the weights of a module, only through it."""
    for p in module.parameters():
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in module.parameters():
            p.requires_grad_(True)
