"""The game of generator and discriminator as a family."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor, nn

from pushforward.adversarial.augment import Augment
from pushforward.adversarial.losses import LOSSES
from pushforward.adversarial.moves import Moves
from pushforward.adversarial.network import Game
from pushforward.adversarial.penalties import PENALTIES
from pushforward.adversarial.phrasing import Phrasing, parts, widened
from pushforward.adversarial.plane import looked_at
from pushforward.adversarial.probe import ENOUGH, Trial, chosen, probe
from pushforward.adversarial.search import searched
from pushforward.adversarial.unlikeness import coverage
from pushforward.adversarial.watch import DROPPED, YOUNG, Watch
from pushforward.conditional import BLOCK
from pushforward.data import Image, Records, Schema, Text
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.holes import blank, overlay
from pushforward.drawing.scene import Scene
from pushforward.errors import ArgumentError, CollapsedWarning, DataError
from pushforward.evidence import Evidence
from pushforward.flat import FlatModel, as_records, chosen_rows
from pushforward.metrics.copying import copied, warn_of_copies
from pushforward.training.place import to_device
from pushforward.training.player import Player, adam, inverse_root
from pushforward.training.progress import Progress
from pushforward.training.randomness import moved
from pushforward.training.run import Run

if TYPE_CHECKING:
    Loss: TypeAlias = str
    Slopes: TypeAlias = str
else:  # what the folders hold
    Loss, Slopes = Literal[*sorted(LOSSES)], Literal[*sorted(PENALTIES)]
TEXTS = "texts."  # before the names of what is known of texts
BETAS = (0.0, 0.99)  # momentum would carry a player past a move of the other
USUAL = {"pictures": 0.01, "rows": 0.04}  # weight of the penalty; of rows over the root of how many numbers they are
PLATEAU = {"pictures": 3000, "rows": 500}  # steps after which the learning rate falls, lest a settled game flares up
MANY, WATCHED = 1000, 0.1  # rows, of which a share is not learned from, but tells when the game stood best
TENTH, TENFOLD = 0.1, 10.0  # of it, that are tried beside it
PROBED, TRIED = 0.06, 200  # share of a run that trials take, and their steps in a run without a budget
SMALL = 256  # pixels of a picture, up to which a step costs little
RARE = 1e-3  # share of holes, below which they begin no more rarely
KEPT = 2048  # records that are looked at beside draws


@dataclass(kw_only=True, eq=False)
class GAN(FlatModel):
    """A generator G and a discriminator D that tells its draws from data play min over G, max over D.

    By default D learns which of two records is the real one, and G to be taken for it: E f(D(G(z)) - D(x)) with
    f(t) = log(1 + eᵗ); γ/2 ℓ² E|∇D|² at data and at draws keeps the game from going round, where ℓ² is the mean squared
    distance of two records, so that units do not matter. In equilibrium the draws are distributed like the data
    (Goodfellow et al. 2014, arXiv 1406.2661; Huang et al. 2024, arXiv 2501.05441). Records hold a picture, a row, or
    both, which are then drawn and judged together; texts beside these are drawn as vectors, of which words are made.

    A game does not end at its best. Of a thousand rows or more a tenth is held out, unless `validation=` says
    otherwise, and the latest average of G's weights stays whose draws were as near to these as can be told.

    Drawing takes one pass. A D without steep slopes does not see that black is not quite black, so that black and white
    are set apart from the grey levels next to them, if there are any. There is no likelihood; `history` shows how the
    game went.

    >>> model = GAN(width=16).fit("moons", given="moon", steps=20, seed=0)
    >>> model.sample(2, given={"moon": "upper"}, seed=0).names
    ('x', 'y', 'moon')
    """

    network: ClassVar[Game]

    latent: Annotated[int | None, Ge(1), doc("numbers of the noise (pictures 64, rows 16)")] = None
    width: Annotated[int | None, Ge(4), doc("channels (pictures, 16) or hidden units (rows, 128)")] = None
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks, a stage or in all")] = 1
    loss: Annotated[Loss, doc("what the players minimise")] = "relativistic"
    penalty: Annotated[Slopes, doc("what keeps the slope of the discriminator small")] = "zero-centred"
    gamma: Annotated[float | None, Ge(0), doc("weight of the penalty; chosen by short trials if not said")] = None
    spectral: Annotated[bool, doc("keeps every layer of the discriminator to slope 1")] = False
    augment: Annotated[
        float | Literal["adaptive"], Ge(0), Le(1), doc("share of pictures that are changed before they are judged")
    ] = "adaptive"
    colour: Annotated[bool, doc("changes of brightness and contrast do no harm")] = False
    flips: Annotated[bool, doc("pictures may as well be mirrored")] = False
    pack: Annotated[int | None, Ge(1), doc("records judged as one (pictures 1, rows 2)")] = None
    mismatched: Annotated[
        float | None, Ge(0), Le(1), doc("weight of real records under another's conditions (texts 0.5, else 0)")
    ] = None
    inference: Annotated[bool, doc("learns an encoder along with the game")] = False
    lr: Annotated[float, Gt(0), doc("learning rate")] = 5e-4

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        if all(isinstance(field, Text) for field in rest):
            raise DataError(
                f"{list(rest.names)} are texts alone, which GAN draws beside a picture or a row; ngram writes new ones"
            )
        self._check_pictures(rest)
        self._check_texts(given)

    def _survey(self, first: Callable[[], tuple[Records, np.ndarray | None]], run: Run) -> None:
        schema, given = self.learning
        texts = schema.without(given).of_kind(Text)
        self.__dict__["_phrasing"] = Phrasing.of(first()[0], texts, run) if texts else Phrasing({})

    _phrasing: ClassVar[Phrasing]  # texts that are drawn, as numbers

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        pictured = bool(rest.of_kind(Image))
        return Game(
            widened(rest, self._widths()), given, latent=self.latent or (64 if pictured else 16),
            width=self.width or (16 if pictured else 128), layers=self.layers,
            pack=self.pack or (1 if pictured else 2), spectral=self.spectral, inference=self.inference,
            blurred=[part for name, width in self._widths().items() for part in parts(name, width)],
        )  # fmt: skip

    def _widths(self) -> dict[str, int]:
        """By field of texts that are drawn the numbers that each becomes."""
        if "_phrasing" in self.__dict__:
            return self._phrasing.widths
        return {name: sizes["width"] for name, sizes in self.measurements.get("texts", {}).items()}

    def _tensors(self, records: Records) -> dict[str, Tensor]:
        return super()._tensors(self._phrasing.numbers(records) if self._phrasing.wordings else records)

    def _records(self, x: Tensor, given: Records | None) -> Records:
        if not self._phrasing.wordings:
            return super()._records(x, given)
        schema = self._drawn_schema(given)
        return self._phrasing.texts(as_records(x, self._flat, self._phrasing.schema(schema), given), schema)

    @property
    def _steered(self) -> Game:
        return self.network

    @property
    def _flat(self) -> FlatEncoding:
        return self.network.flat

    def _batch_size(self) -> int:
        if not self._flat.shape:
            return 256
        return (
            64 if self._flat.pixels <= SMALL else 32
        )  # of large pictures, more steps are worth more than larger batches

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.prepare(tensors, generator)
        self.network.to(self.device)
        if tensors["holes"].shape[1]:  # missing as often as in the data from the start: short games hardly move that
            share = tensors["holes"].float().mean(0).clamp(RARE, 1 - RARE)
            odds = torch.stack([1 - share, share], 1).log().flatten()
            self.network.generator.write.last.bias.data[-len(odds) :] = odds
        dials = self.network.discriminator
        unsaid = 0.0 if self.penalty == "none" else self._usual
        dials.gamma.fill_(unsaid if self.gamma is None else self.gamma)
        dials.augmentation.fill_(0.0 if self.augment == "adaptive" else self.augment)
        some = chosen_rows(tensors, KEPT, generator)
        self.__dict__["_some"] = {name: tensor[some] for name, tensor in tensors.items()}
        seed = int(torch.randint(2**62, (1,), generator=generator, device=self.device))
        self.__dict__["_watch"] = Watch(self.network, self._some, seed, self.history)

    _some: ClassVar[dict[str, Tensor]]  # records, while a fit is under way
    _watch: ClassVar[Watch]

    def _tune(self, tensors: dict[str, Tensor], batch: int, run: Run) -> Iterator[Progress]:
        if self.gamma is not None or self.penalty == "none":
            return
        share = PROBED / 3
        if run.steps and run.steps * share < ENOUGH:
            return
        one = replace(
            run, folder=None, validation=0,
            minutes=None if run.minutes is None else run.minutes * share,
            steps=max(1, round(run.steps * share)) if run.steps else TRIED if run.minutes is None else None,
        )  # fmt: skip
        trials: list[Trial] = []
        gammas = (self._usual, TENTH * self._usual, TENFOLD * self._usual)
        yield from probe(self.network, self._players, tensors, batch, one, gammas, trials)
        self.network.discriminator.gamma.fill_(chosen(trials, self._usual))

    @property
    def _usual(self) -> float:
        """The weight of the penalty where nothing says otherwise."""
        return USUAL["pictures"] if self._flat.shape else USUAL["rows"] / self._flat.size**0.5

    def _watched(self, n: int) -> float:
        """A game over rows may flare up late; by held-out records its best moment is known."""
        schema, given = self.learning
        return 0.0 if n < MANY or schema.without(given).of_kind(Image) else min(WATCHED, KEPT / n)

    def players(self) -> list[Player]:
        """Two: the generator, with the encoder where there is one, and the discriminator."""
        return self._players(self.network, self.__dict__.get("_watch"))

    def _players(self, network: Game, watch: Watch | None = None) -> list[Player]:
        shape = network.flat.shape
        texts = network.condition is not None and bool(network.condition.schema.of_kind(Text))
        mismatched = self.mismatched if self.mismatched is not None else 0.5 if texts else 0.0
        moves = Moves(
            network, LOSSES[self.loss](), PENALTIES[self.penalty](),
            augment=Augment(shape, self.colour, self.flips) if shape and self.augment != 0 else None,
            adaptive=self.augment == "adaptive", absent=self.absent, mismatched=mismatched, watch=watch,
        )  # fmt: skip
        maker = network.generator if network.encoder is None else nn.ModuleList([network.generator, network.encoder])
        steady = inverse_root(constant=PLATEAU["pictures" if shape else "rows"])
        side = partial(Player, optimizer=adam(self.lr, BETAS), factor=steady)
        return [
            side("generator", maker, moves.generate, margin=0.0 if watch is None else watch.noise),
            side("discriminator", network.discriminator, moves.discriminate, averages=()),
        ]

    def _scene(self, step: int) -> Scene | None:
        names = tuple(self._flat.vector.cells.columns)
        if self._flat.size != 2 or len(names) != 2 or self._steered.condition is not None:
            return None
        return looked_at(self.network, self._some, step, names)

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        network = self.network
        if network.encoder is not None:
            batch = {name: tensor[:KEPT] for name, tensor in tensors.items()}
            codes = network.encoder(network.flat(batch)[0], network.embed(batch))
            network.center.copy_(codes.mean(0))
            network.spread.copy_(codes.std(0, unbiased=False))
        real, _ = network.flat(self._some, generator)
        z = torch.randn(len(real), self.network.generator.latent, generator=generator, device=self.device)
        drawn = network.generator(z, network.embed(self._some), generator)
        self._warn(copied(real, drawn), float(coverage(real, drawn)), len(real))
        del self.__dict__["_some"], self.__dict__["_watch"]

    def _warn(self, share: float, near: float, records: int) -> None:
        """Tell a person what they would want to know of the outcome.

        Args:
            share: of copies among draws.
            near: share of records that draws come near to.
            records: how many they are.
        """
        if self.network.discriminator.seen <= YOUNG:
            return
        if near < DROPPED:
            warnings.warn(
                f"mode collapse: draws come near {near:.0%} of the data; see history.notes and history.plot(); a "
                f"larger gamma= (it is {float(self.network.discriminator.gamma):g}) or a longer run may cure it",
                CollapsedWarning, stacklevel=2,
            )  # fmt: skip
        warn_of_copies(share, "a shorter run, or a larger gamma=", records)

    def _measured(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"gamma": round(float(self.network.discriminator.gamma), 6)}
        return super()._measured() | facts | ({"texts": self._phrasing.sizes} if self._phrasing.wordings else {})

    # State

    def _state(self) -> dict[str, Tensor]:
        return super()._state() | {f"{TEXTS}{name}": value for name, value in self._phrasing.tensors().items()}

    def _skeleton(self) -> dict[str, Tensor]:
        with torch.device("meta"):
            known = Phrasing.empty(self.measurements.get("texts", {})).tensors()
        return super()._skeleton() | {f"{TEXTS}{name}": value for name, value in known.items()}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        phrasing = Phrasing.empty(self.measurements.get("texts", {}))
        phrasing.load({name: state.pop(f"{TEXTS}{name}") for name in phrasing.tensors()})
        self.__dict__["_phrasing"] = phrasing
        super()._restore(state, device)

    # Verbs

    def _takes_parts(self, verb: str) -> bool:
        return verb == "complete"  # the picture may be what is missing

    def _density(self) -> str:
        return "none"

    def _lacks(self, verb: str) -> str | None:
        if verb in ("encode", "decode", "reconstruct", "traverse", "interpolate") and not self.inference:
            return "no encoder was learned; fit again with inference=True"
        if verb == "complete" and len(self.schema) - len(self.given) == 1 and not self._flat.vector.width:
            return "pictures have no missing cells"
        return None

    @torch.no_grad()
    def _sample(
        self, n: int, given: Evidence | None, generator: torch.Generator, *,
        truncation: Annotated[float, Gt(0), Le(1), doc("what the noise is multiplied by; less is more alike")] = 1.0,
    ) -> Records:  # fmt: skip
        generator = moved(generator, self.device)
        z = truncation * torch.randn(n, self.network.generator.latent, generator=generator, device=self.device)
        return self._made(z, None if given is None else given.values, generator)

    @torch.no_grad()
    def _made(self, z: Tensor, given: Records | None, generator: torch.Generator | None) -> Records:
        """The records of noise, the most probable ones where no generator draws what noise leaves open."""
        pieces = []
        for start in range(0, len(z), BLOCK):
            part = None if given is None else given[start : start + BLOCK]
            block = z[start : start + BLOCK]
            pieces.append(
                self._records(self.network.generator(block, self._embedding(len(block), part), generator), part)
            )
        return pieces[0].concat(*pieces[1:])

    @torch.no_grad()
    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        if codes.ndim != 2 or codes.shape[1] != self.network.generator.latent:
            raise ArgumentError(
                f"codes have shape {tuple(codes.shape)}; they must be (n, {self.network.generator.latent})"
            )
        return self._made(codes.float().to(self.device), None if given is None else given.values, None)

    @torch.no_grad()
    def _encode(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        encoder = self.network.encoder
        assert encoder is not None
        return torch.cat([encoder(self._flat(t)[0], self.network.embed(t)).cpu() for t in self._blocks(records)])

    def _reconstruct(self, records: Records) -> Records:
        given = records.select(self.given) if self.given else None
        return self._made(self._encode(records).to(self.device), given, None)

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        return self.network.center, self.network.spread

    @torch.no_grad()
    def _complete(
        self, records: Records, generator: torch.Generator, *,
        candidates: Annotated[int, Ge(1), doc("draws that a search begins with, a record")] = 64,
        steps: Annotated[int, Ge(0), doc("of the search, down the slope")] = 30,
    ) -> Records:  # fmt: skip
        generator, records = moved(generator, self.device), overlay(blank(self.schema, len(records)), records)
        rows = max(1, BLOCK // 8)
        pieces = []
        for start in range(0, len(records), rows):
            part = records[start : start + rows]
            values, known, tensors = self._evidence(part)
            told = self.network.embed(tensors)

            def generate(z: Tensor, told: Tensor | None = told, n: int = len(part)) -> Tensor:
                said = None if told is None else told.repeat_interleave(len(z) // n, 0)
                return self.network.generator(z, said, None, whole=True)

            z = searched(
                generate,
                values,
                known,
                self.network.generator.latent,
                candidates=candidates,
                steps=steps,
                generator=generator,
            )
            x = self.network.generator(z, told, generator, whole=True)
            given = part.select(self.given) if self.given else None
            pieces.append(overlay(self._records(x, given), part))
        return pieces[0].concat(*pieces[1:])

    def _evidence(self, records: Records) -> tuple[Tensor, Tensor, Mapping[str, Tensor]]:
        """(n, size) values, which of them are known, and the named tensors of records with holes."""
        tensors = to_device(self._tensors(records), self.device)
        tensors["holes"] = torch.zeros_like(tensors["holes"])  # a cell is to be filled, not to be a hole
        known = self._flat.known(tensors)
        if self._flat.shape:
            there = records.column(self._picture_field(self.schema)).is_valid().to_numpy(zero_copy_only=False)
            known[:, : self._flat.pixels] &= torch.from_numpy(there.copy()).to(self.device)[:, None]
        return self._flat(tensors)[0], known, tensors
