"""The two moves of the game, on tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from pushforward.adversarial.augment import Augment, Transform
from pushforward.adversarial.losses import AdversarialLoss
from pushforward.adversarial.network import Game
from pushforward.adversarial.penalties import Judged, Penalty
from pushforward.adversarial.unlikeness import unlikeness
from pushforward.conditional import dropped

EARLY, SETTLING = 9.0, 500  # the penalty begins at 1 + EARLY times its weight, and falls to it over so many steps
TARGET = 0.6  # of the lead: beyond it the discriminator knows its records too well
RAMP, MOST = 50_000, 0.8  # records from no augmentation to all; its largest probability, at which nothing leaks
SMOOTH = 0.02  # share of the newest step in the running lead

Facts = dict[str, Tensor]
Watch = Callable[[], Facts]


@dataclass(frozen=True)
class Table:
    """What a step has laid out, and what the discriminator said of it, by which both sides move.

    Attributes:
        judged: the points of both sides, which lead no further back, and their scores.
        change: what was done to real points before.
        heard: what is given of them.
        weight: of the records; None where all weigh alike.
        unlike: whether each is given anything else than the one a pack before it; None where it does not matter.
    """

    judged: Judged
    change: Transform
    heard: Tensor | None
    weight: Tensor | None
    unlike: Tensor | None


@final
class Moves:
    """A generator's and a discriminator's loss, with the draws of the one shown to the other in the same step.

    Both follow one pass of the discriminator. The slopes at draws that its penalty asks for are, times how much each
    score weighs, those that the generator goes down: its way through the discriminator costs nothing.

    Args:
        network: of both.
        loss, penalty: of the game.
        augment: what befalls pictures before they are judged; None leaves them as they are.
        adaptive: whether its probability follows the lead of the discriminator.
        absent: share of conditions that are not told.
        mismatched: share, among what the discriminator is to refuse, of real records under another's conditions.
        watch: what is looked at now and then.
    """

    def __init__(
        self, network: Game, loss: AdversarialLoss, penalty: Penalty, *, augment: Augment | None = None,
        adaptive: bool = False, absent: float = 0.0, mismatched: float = 0.0, watch: Watch | None = None,
    ):  # fmt: skip
        self._network, self._loss, self._penalty = network, loss, penalty
        self._augment, self._adaptive = augment, adaptive
        self._absent, self._mismatched, self._watch = absent, mismatched, watch
        self._table: Table | None = None

    def generate(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor | tuple[Tensor, Facts]:
        """What the generator minimises; where nothing is learned, how unlike its draws are to the data."""
        network = self._network
        if network.discriminator.pack > 1 or not network.generator.training:
            batch = _accepted(batch, generator)
        batch = _whole(batch, network.discriminator.pack)
        drop = self._dropped(batch, generator)
        real, _ = network.flat(batch, generator)
        told = network.generator.embed(batch, drop)
        z = torch.randn(len(real), network.generator.latent, generator=generator, device=real.device)
        fake = network.generator(z, told, generator)
        if not network.generator.training:
            return self._look(real, fake, batch, generator)
        codes = None if network.encoder is None else (network.encoder(real, told), z)
        real, fake = self._judged(real, fake, codes, generator)
        d = network.discriminator
        heard = unlike = None
        if d.condition is not None:
            heard = d.condition(batch, drop)
            unlike = d.condition.unlike(batch, drop, d.pack) if self._mismatched else None
        self._table = self._laid(real, fake, heard, batch.get("weight"), generator, unlike)
        return self._followed(self._table, real, fake)

    def _laid(
        self, real: Tensor, fake: Tensor, heard: Tensor | None, weight: Tensor | None, generator: torch.Generator,
        unlike: Tensor | None = None,
    ) -> Table:  # fmt: skip
        """Both sides before the discriminator, each changed in its own way."""
        d, slopes = self._network.discriminator, self._penalty.slopes
        real, fake = real.detach().requires_grad_(slopes or self._encoded), fake.detach().requires_grad_()
        one, two = (self._change(len(real), generator) for _ in range(2))
        told = None if heard is None else torch.cat([heard, heard])
        real_scores, fake_scores = d(torch.cat([one(real), two(fake)]), told).chunk(2)
        judged = Judged(_Same(d, one, two, heard), real, fake, real_scores, fake_scores)
        return Table(judged, one, heard, weight, unlike)

    @property
    def _encoded(self) -> bool:
        return self._network.encoder is not None

    def _followed(self, table: Table, real: Tensor, fake: Tensor) -> Tensor:
        """The generator's loss, whose slopes at points with a way back are those of the scores at the same points."""
        judged = table.judged
        scores = [each.detach().requires_grad_() for each in (judged.real_scores, judged.fake_scores)]
        loss = self._mean(self._generators_terms(*scores), table.weight)
        pulls = torch.autograd.grad(loss, scores, allow_unused=True, materialize_grads=True)
        points, ends = ((judged.real, judged.fake), (real, fake)) if self._encoded else ((judged.fake,), (fake,))
        if self._penalty.slopes:
            pack = self._network.discriminator.pack
            ways = [
                pull.repeat_interleave(pack)[:, None] * slopes.detach()
                for pull, slopes in zip(pulls, judged.slopes, strict=True)
            ][-len(points) :]
        else:
            total = (judged.real_scores * pulls[0]).sum() + (judged.fake_scores * pulls[1]).sum()
            ways = list(torch.autograd.grad(total, points, retain_graph=True))
        lead = torch.stack([(end * way).sum() for end, way in zip(ends, ways, strict=True)]).sum()
        return loss.detach() + lead - lead.detach()

    def _generators_terms(self, real: Tensor, fake: Tensor) -> Tensor:
        """Of scores."""
        loss = self._loss
        terms = loss.generator(real if loss.paired else fake, fake)
        if not self._encoded:
            return terms
        # the encoder wants its codes taken for noise, as the generator wants its draws taken for data
        edge = 2 * loss.boundary(real, fake).detach()
        return (terms + loss.generator(edge - fake.detach(), edge - real)) / 2

    def discriminate(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, Facts]:
        """What the discriminator minimises, on what the generator has just drawn."""
        assert self._table is not None
        table, self._table = self._table, None
        d, loss, judged = self._network.discriminator, self._loss, table.judged
        real_scores, fake_scores = judged.real_scores, judged.fake_scores
        d.seen += 1
        gamma = d.gamma * (1 + EARLY * torch.exp(-d.seen / SETTLING))
        square = 2 * judged.real.shape[1]  # mean squared distance of two records, all coordinates having deviation 1
        total = loss.discriminator(real_scores, fake_scores)
        if table.heard is not None and table.unlike is not None:
            said = table.heard.roll(d.pack, 0)
            others = loss.discriminator(real_scores, d(table.change(judged.real), said))
            # what is told alike of two records is a mismatch of neither
            share = self._mismatched * table.unlike.view(len(total), -1).any(1)
            total = (1 - share) * total + share * others
        facts: Facts = {"divergence": loss.divergence(real_scores, fake_scores)}
        for name, squares in self._penalty(judged, generator).items():
            total = total + gamma / 2 * square * squares.view(len(total), -1).mean(1)
            # what a penalty of another kind says is no slope
            what = f"slope/{name}" if name in ("real", "drawn") else f"penalty/{name}"
            facts[what] = (square * squares.mean()).sqrt()
        facts |= self._told_apart(real_scores.detach(), fake_scores.detach())
        if self._watch is not None:
            facts |= self._watch()
        return self._mean(total, table.weight), facts

    def _told_apart(self, real: Tensor, fake: Tensor) -> Facts:
        d, edge = self._network.discriminator, self._loss.boundary(real, fake)
        lead = (real - fake).sign().mean()
        d.lead.lerp_(lead, SMOOTH)
        facts: Facts = {"accuracy/real": (real > edge).float().mean(), "accuracy/drawn": (fake < edge).float().mean()}
        if self._augment is not None:
            if self._adaptive:
                d.augmentation.add_((d.lead - TARGET).sign() * len(real) / RAMP).clamp_(0, MOST)
            facts["augmentation"] = d.augmentation.clone()
        return facts

    def _judged(
        self, real: Tensor, fake: Tensor, codes: tuple[Tensor, Tensor] | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """What the discriminator is shown of both sides, with their codes behind them."""
        real, fake = (self._network.blur(each, generator) for each in (real, fake))
        return (real, fake) if codes is None else (torch.cat([real, codes[0]], 1), torch.cat([fake, codes[1]], 1))

    def _look(
        self, real: Tensor, fake: Tensor, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, Facts]:
        """How unlike draws are to held-out records, and how those look to the discriminator beside the draws."""
        network, d = self._network, self._network.discriminator
        unlike = unlikeness(real, fake)
        told = None if d.condition is None else d.condition(batch)
        codes = None
        if network.encoder is not None:
            said = network.encoder(real, network.generator.embed(batch))
            codes = said, torch.randn_like(said)
        real, fake = self._judged(real, fake, codes, generator)
        real_scores, fake_scores = d(real, told), d(fake, told)
        edge = self._loss.boundary(real_scores, fake_scores)
        return unlike, {"accuracy": (real_scores > edge).float().mean()}

    def _dropped(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor | None:
        condition = self._network.condition
        if condition is None or not self._network.generator.training:
            return None
        return dropped(len(batch["codes"]), len(condition.schema), self._absent, generator)

    def _change(self, n: int, generator: torch.Generator) -> Transform:
        if self._augment is None:
            return _as_it_is
        pixels = self._network.flat.pixels
        change = self._augment.drawn(n, self._network.discriminator.augmentation, generator)
        return lambda x: torch.cat([change(x[:, :pixels]), x[:, pixels:]], 1) if x.shape[1] > pixels else change(x)

    def _mean(self, terms: Tensor, weight: Tensor | None) -> Tensor:
        if weight is None:
            return terms.mean()
        return (terms * weight.view(len(terms), -1).mean(1)).mean()


@dataclass(frozen=True)
class _Same:
    """A discriminator asked again about neighbours of real or drawn points, under the changes of the first time."""

    discriminator: nn.Module
    real: Transform
    fake: Transform
    heard: Tensor | None

    def __call__(self, points: Tensor, fake: bool = False) -> Tensor:
        return self.discriminator((self.fake if fake else self.real)(points), self.heard)


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _accepted(batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """The records of a batch by rejection, each as probable as its weight says; what is left weighs alike.

    A pack has no weight that is the mean of those of its records: one of weight 0 would still be seen beside others.
    """
    weight = batch.get("weight")
    if weight is None or bool((weight == weight[0]).all()):
        return dict(batch)
    chance = torch.rand(len(weight), generator=generator, device=weight.device)
    rows = (chance * weight.max() < weight).nonzero()[:, 0]
    return {name: tensor[rows] for name, tensor in batch.items() if name != "weight"}


def _whole(batch: Mapping[str, Tensor], pack: int) -> dict[str, Tensor]:
    """The batch with some of its first records again at the end, where the last pack is not full."""
    n = len(batch["codes"])
    if n % pack == 0:
        return dict(batch)
    rows = torch.arange(-(-n // pack) * pack, device=batch["codes"].device) % n
    return {name: tensor[rows] for name, tensor in batch.items()}
