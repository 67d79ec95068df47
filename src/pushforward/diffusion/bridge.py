"""The bridge from one data set to another as a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor, nn

from pushforward.conditional import BLOCK, check_sides, named
from pushforward.data import Image, Records, Schema, Text
from pushforward.diffusion.bridges.brownian import matching, walk
from pushforward.diffusion.bridges.drifts import Drifts
from pushforward.diffusion.couplings import COUPLINGS, Coupling
from pushforward.errors import ArgumentError, DataError
from pushforward.flat import as_records
from pushforward.model import Steps
from pushforward.neural import OTHER, NeuralModel
from pushforward.training.place import to_device
from pushforward.training.player import Player, adam, inverse_root
from pushforward.training.randomness import moved

if TYPE_CHECKING:
    Pairs: TypeAlias = str
else:  # what the folder holds
    Pairs = Literal[*sorted(COUPLINGS)]
WAY = 5  # steps of a way that is gone in training
SLOWER = 1000  # steps after which the learning rate falls, since noise on the way is noise in what is learned


@dataclass(kw_only=True, eq=False)
class Bridge(NeuralModel):
    """The Schrödinger bridge: of all ways from one data set to another, those nearest to Brownian motion √ε dW.

    `transport` moves a record of the one, with as little effort as it takes, to one that is distributed like the other,
    and back. Two drifts are learned as the mean velocities of Brownian bridges between paired records,
    x_t = (1 - t) x + t y + √(ε t (1 - t)) z. Pairs come from optimal transport within a batch (Tong et al. 2023, arXiv
    2307.03672) and, after `refine` steps, from the ways of the model itself, whose only fixed point is the bridge (Shi,
    De Bortoli, Campbell, Doucet 2023, arXiv 2303.16852; in one run: De Bortoli et al. 2024, arXiv 2409.09347). As
    ε → 0 the ways become those of optimal transport; at ε = 0 the model is an ODE, whose way back ends where it began.

    Lengths, and so ε, are in deviations of the data: of both sides, each about its own mean. Where all fields are
    numbers they share one deviation (``scale="one"``), so that near means near in the data; numbers of different units
    want ``scale="each"``, which is taken where there are other fields too. A category then counts as much as a number,
    and a picture as its pixels.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> near, far = rng.standard_normal((200, 2)), rng.standard_normal((300, 2)) + [4.0, 0.0]
    >>> model = Bridge(width=16).fit(near, to=far, steps=20, device="cpu")
    >>> len(model.transport(near[:5], seed=0)), [round(t, 2) for t, _ in model.path(near[:5], steps=2, seed=0)]
    (5, [0.0, 0.75, 1.0])
    """

    network: ClassVar[Drifts]

    epsilon: Annotated[float, Ge(0), doc("variance that noise adds on the way, in squared deviations; 0: none")] = 0.1
    coupling: Annotated[Pairs, doc("how records are paired to begin with")] = "optimal"
    refine: Annotated[int | None, Ge(0), doc("steps after which the model's own ways pair them; none: never")] = 1000
    scale: Annotated[Literal["auto", "one", "each"], doc("whether numbers share one deviation")] = "auto"
    width: Annotated[int | None, Ge(4), doc("channels (pictures, 32) or hidden units (rows, 128)")] = None
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks, a level or in all")] = 2
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        for field in given:
            raise DataError(f"given={field.name!r} cannot be held fixed by a bridge; fit one for each of its values")
        for field in rest.of_kind(Text):
            raise DataError(f"field {field.name!r} is text, which Bridge cannot move; leave it out")
        images = rest.of_kind(Image)
        if len(images) > 1:
            raise DataError(f"fields {[f.name for f in images]} are pictures; leave out all but one")
        check_sides(rest)

    def _check_count(self, n: int) -> None:
        if self._coupling.noisy and not self.epsilon:
            raise ArgumentError(f"coupling={self.coupling!r} is made for ways with noise; say epsilon= above 0")
        if not self._apart() and self._other is not None and n != (m := len(self._other)):
            raise ArgumentError(f"coupling={self.coupling!r} pairs record with record; {n} records have {m} in to=")

    @property
    def _coupling(self) -> type[Coupling]:
        return COUPLINGS[self.coupling]

    def _apart(self) -> bool:
        return not self._coupling.together

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        width = self.width or (32 if rest.of_kind(Image) else 128)
        return Drifts(rest, width, self.layers, noisy=self.epsilon > 0)

    def _batch_size(self) -> int:
        return 128 if self.network.flat.shape else 512

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        image = next((field.name for field in records.schema.of_kind(Image)), None)
        return named(records, self.network.flat.vector.cells, image)

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        plain = not self.network.flat.shape and self.network.flat.size == self.network.flat.vector.cells.width
        each = self.scale == "each" or (self.scale == "auto" and not plain)
        self.network.prepare(tensors, each, generator)
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """One player: both drifts, which learn from each other's ways."""
        factor = inverse_root(constant=SLOWER)
        return [Player("bridge", self.network, self._loss, adam(self.lr), factor=factor)]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        drifts = self.network
        x, y = (drifts.end(batch, other, generator) for other in (False, True))
        half = len(x) if drifts.back is None else -(-len(x) // 2)  # each is seen twice where there is noise
        if drifts.back is not None and self._refines():
            forth, back = self._own_pairs(x[:half], y[:half], generator)
        else:
            x, y = self._paired(x, y, generator)
            forth, back = (x[:half], y[:half]), (y[:half], x[:half])
        losses = {"forth": matching(drifts.forwards, *forth, self.epsilon, generator).mean()}
        if drifts.back is not None:
            losses["back"] = matching(drifts.backwards, *back, self.epsilon, generator).mean()
        if drifts.training:
            drifts.taken += 1
        return torch.stack(list(losses.values())).sum(), losses

    def _refines(self) -> bool:
        """Whether pairs are those of the model itself by now."""
        return self._apart() and self.refine is not None and int(self.network.taken) >= self.refine

    def _paired(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):  # potentials want all their digits
            return self._coupling.of(self.epsilon)(x, y, generator)

    @torch.no_grad()
    def _own_pairs(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[tuple[Tensor, Tensor], ...]:
        """Pairs for the way forth, which end in data, and pairs for the way back, which end in data of the other side.

        So neither drift forgets where it is to arrive, whatever the other one does.
        """
        *_, (_, there) = walk(self.network.forwards, x, WAY, self.epsilon, generator)
        *_, (_, here) = walk(self.network.backwards, y, WAY, self.epsilon, generator)
        return (here, y), (there, x)

    # Verbs

    @torch.no_grad()
    def _transport(
        self,
        records: Records,
        reverse: bool,
        whole: bool,
        generator: torch.Generator,
        *,
        steps: Annotated[int, Ge(1), Le(10_000), doc("steps of the way; each costs two evaluations")] = 20,
    ) -> Steps:
        network, generator = self.network, moved(generator, self.device)
        spread = generator if network.flat.vector.noisy else None
        drift = network.backwards if reverse else network.forwards
        starts = [network.end(self._on_side(part, reverse), reverse, spread) for part in records.chunks(BLOCK)]
        ways = [walk(drift, x, steps, self.epsilon, generator) for x in starts]
        for states in zip(*ways, strict=True):
            t = states[0][0]
            if t < 1 and not whole:
                continue
            mean = network.mean(1 - t if reverse else t)
            yield t, as_records(torch.cat([x for _, x in states]) + mean, network.flat, self.schema)

    def _on_side(self, records: Records, other: bool) -> dict[str, Tensor]:
        tensors = self._tensors(records)
        return to_device({OTHER * other + name: tensor for name, tensor in tensors.items()}, self.device)
