"""Normalizing flows as a family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor, nn

from pushforward.conditional import BLOCK
from pushforward.data import Category, Image, Number, Records, Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.noise import Alike
from pushforward.errors import ArgumentError
from pushforward.evidence import Evidence
from pushforward.flat import FlatModel
from pushforward.flows.bases import BASES
from pushforward.flows.continuous import ContinuousNetwork
from pushforward.flows.kernels import KERNELS
from pushforward.flows.network import FlowNetwork
from pushforward.training.player import Player, adam
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

if TYPE_CHECKING:
    Maps: TypeAlias = str
    Noise: TypeAlias = str
else:  # what the folders hold
    Maps, Noise = Literal[*sorted(KERNELS)], Literal[*sorted(BASES)]
SCORE_DRAWS = 8  # of the noise within cells of a grid and levels, over whose densities a score is the mean
# what has to be said of maps in layers, unless it is said otherwise
USUAL = {"kind": "coupling", "kernel": "spline", "base": "normal", "transforms": None, "dequantise": "even"}
CODES = 4096  # draws of the base that say where codes lie
CHECKED = 8  # records on which the error of a likelihood by an ODE is measured
CLIP = 10.0  # largest norm of a gradient: a spline that is almost flat gives a huge one now and then


@dataclass(kw_only=True, eq=False)
class Flow(FlatModel):
    """log p(x) = log p_Z(f(x)) + log |det ∂f/∂x|: invertible maps of noise to data, fitted by likelihood.

    Rows go through couplings of rational-quadratic splines (Durkan, Bekasov, Murray, Papamakarios 2019, arXiv
    1906.04032), pictures through the levels of Glow (Kingma, Dhariwal 2018, arXiv 1807.03039); of records that hold
    both, the picture is told its row. With ``kind="continuous"`` one velocity field carries data to noise (Lipman et
    al. 2022, arXiv 2210.02747), and of pictures, or more than 64 coordinates, the score is an estimate; how far it is
    off, by its solver and by its probe, stands in ``measurements["errors"]`` in nats a record.

    Numbers off any grid are scored exactly. Categories, pixels and numbers on a grid are spread over cells, so that
    the score is a bound on average over the spread, of which it takes eight draws. Where fields may have holes it is
    an estimate: the share of records without one is taken from the data.

    >>> model = Flow(width=16, transforms=2).fit("moons", given="moon", steps=30, seed=0)
    >>> model.sample(2, given={"moon": "upper"}, seed=0).names, model.density
    (('x', 'y', 'moon'), 'exact')
    """

    network: ClassVar[FlowNetwork | ContinuousNetwork]

    kind: Annotated[
        Literal["coupling", "autoregressive", "continuous"], doc("how rows are mapped; continuous: all, by an ODE")
    ] = "coupling"
    kernel: Annotated[Maps, doc("how a number is mapped")] = "spline"
    base: Annotated[Noise, doc("what the noise of rows is distributed like")] = "normal"
    transforms: Annotated[int | None, Ge(1), Le(256), doc("maps of rows (5), or steps a level of pictures (4)")] = None
    width: Annotated[int | None, Ge(4), doc("hidden units of rows (128), or channels of pictures (32)")] = None
    layers: Annotated[int | None, Ge(1), Le(64), doc("hidden layers of rows (2), or blocks of pictures (1)")] = None
    dequantise: Annotated[Literal["even", "learned"], doc("noise within grey levels of pictures")] = "even"
    lr: Annotated[float, Gt(0), doc("learning rate")] = 1e-3

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        super()._check(rest, given)
        rows, pictured = bool(rest.of_kind(Number, Category)), bool(rest.of_kind(Image))
        for name, usual in USUAL.items():
            value, idle = getattr(self, name), None
            if self.kind == "continuous" and name != "kind":
                idle = 'kind="continuous", which has no layers'
            elif name == "dequantise" and not pictured:
                idle = "rows, whose noise within cells is even"
            elif name in ("base", "kind") and not rows and self.kind != "continuous":
                idle = "pictures, whose maps and noise are always alike"
            if idle and value != usual:
                raise ArgumentError(f"{name}={value!r} says nothing of {idle}; leave it out")

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        pictured = bool(rest.of_kind(Image))
        if self.kind == "continuous":
            width = self.width or (32 if pictured else 256)
            return ContinuousNetwork(rest, given, width=width, layers=self.layers or 2)
        return FlowNetwork(
            rest, given, kernel=KERNELS[self.kernel](), base=BASES[self.base], kind=self.kind,
            transforms=self.transforms or (4 if pictured else 5), width=self.width or (32 if pictured else 128),
            layers=self.layers or (1 if pictured else 2), learned=self.dequantise == "learned",
        )  # fmt: skip

    @property
    def _steered(self) -> FlowNetwork | ContinuousNetwork:
        return self.network

    @property
    def _flat(self) -> FlatEncoding:
        return self.network.flat

    def _batch_size(self) -> int:
        return 64 if self._flat.shape else 512 if self.kind == "continuous" else 256

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.prepare(tensors, generator)
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """One player: maps and base together."""
        name = "matching" if self.kind == "continuous" else "nats"
        return [Player(name, self.network, self._loss, adam(self.lr), clip=CLIP)]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        losses = self.network.loss(batch, self._heard(batch, generator), generator)
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        network = self.network
        if isinstance(network, ContinuousNetwork):
            batch = {name: tensor[:CHECKED] for name, tensor in tensors.items()}
            self.__dict__["_errors"] = network.errors(network.spread(batch, generator)[0], network.embed(batch))

    def _measured(self) -> dict[str, Any]:
        own = {"errors": self.__dict__.pop("_errors")} if "_errors" in self.__dict__ else {}
        return super()._measured() | own

    # Verbs

    def _density(self) -> str:
        if not self.network.exact or self._flat.vector.cells.may_miss:
            return "estimate"  # how probable it is that a record has no hole is taken from the data
        return "bound" if self._noisy else "exact"

    @property
    def _noisy(self) -> bool:
        """Whether records are spread over cells before they are scored."""
        return bool(self._flat.shape) or self._flat.vector.noisy

    @torch.no_grad()
    def _sample(
        self, n: int, given: Evidence | None, generator: torch.Generator, *,
        temperature: Annotated[float, Ge(0), doc("what the noise is multiplied by; 0 gives the centre")] = 1.0,
    ) -> Records:  # fmt: skip
        z = self.network.draw(n, moved(generator, self.device), temperature)
        return self._made(z, None if given is None else given.values)

    @torch.no_grad()
    def _made(self, z: Tensor, given: Records | None) -> Records:
        """The records of noise."""
        pieces = []
        for start in range(0, len(z), BLOCK):
            part = None if given is None else given[start : start + BLOCK]
            block = z[start : start + BLOCK]
            pieces.append(self._records(self.network.decode(block, self._embedding(len(block), part)), part))
        return pieces[0].concat(*pieces[1:])

    @torch.no_grad()
    def _log_prob(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        draws = SCORE_DRAWS if self._noisy else 1
        out = []
        for tensors in self._blocks(records):
            c = self.network.embed(tensors)
            scores = []
            for draw in range(draws):
                source = Alike(seeded(0, draw, device=self.device))
                x, ladj = self.network.spread(tensors, source)
                scores.append((self.network.log_prob(x, c, source) + ladj).double())
            each = torch.stack(scores)
            # the mean density; but of estimates the mean of logs, or their noise would count in their favour
            score = each.logsumexp(0) - math.log(draws) if self.network.exact else each.mean(0)
            # that there are no holes is not part of the score: divided out as if holes fell without regard to values
            out.append((score - self._flat.vector.whole.log()).cpu())
        return torch.cat(out)

    @torch.no_grad()
    def _encode(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        return torch.cat(
            [self.network.encode(self._flat(t)[0], self.network.embed(t)).cpu() for t in self._blocks(records)]
        )

    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        if codes.ndim != 2 or codes.shape[1] != self.network.size:
            raise ArgumentError(f"codes have shape {tuple(codes.shape)}; they must be (n, {self.network.size})")
        return self._made(codes.float().to(self.device), None if given is None else given.values)

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        z = self.network.draw(CODES, seeded(0, device=self.device), 1.0).sort(0).values
        low, middle, high = (z[round(share * (CODES - 1))] for share in (0.159, 0.5, 0.841))
        return middle, (high - low) / 2
