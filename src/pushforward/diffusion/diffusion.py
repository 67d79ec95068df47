"""Diffusion as a family."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from torch import Tensor, nn

from pushforward.conditional import BLOCK
from pushforward.data import Image, Records, Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.noise import Alike
from pushforward.data.encodings.pixels import to_pixels
from pushforward.data.holes import overlay
from pushforward.data.masks import repainted, unknown_pixels
from pushforward.diffusion import likelihood, matching
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.denoisers import Denoisers
from pushforward.diffusion.guidance.guided import Interval, guided
from pushforward.diffusion.guidance.twisted import filled
from pushforward.diffusion.hurry import HURRIED, hurrying, stops
from pushforward.diffusion.network import Network
from pushforward.diffusion.paths import PATHS
from pushforward.diffusion.samplers import SAMPLERS
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.schedule import schedule
from pushforward.drawing.trail import Trail
from pushforward.errors import ArgumentError, CollapsedWarning
from pushforward.evidence import Evidence, evidence
from pushforward.flat import FlatModel, chosen_rows
from pushforward.metrics.copying import copied, warn_of_copies
from pushforward.training.place import half_pays
from pushforward.training.player import Player, adam
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

if TYPE_CHECKING:
    Ways: TypeAlias = str
    Way: TypeAlias = str
else:  # what the folders hold
    Ways, Way = Literal[*sorted(PATHS)], Literal[*sorted(SAMPLERS)]
WINDOWS = (0.1, 0.05)  # of averages of weights
CALM = 12  # side of a picture, beyond which noise is louder in training
RARER = 2  # steps to one of the weak network
SCORE_DRAWS = 4  # of the noise within levels and cells of a grid, over whose log densities a score is the mean
KEPT, LOOKED, GLANCE = 2048, 128, 18  # records that draws are held against, such draws, and the steps of each
JUDGED = 512  # records on which the denoiser is held against one that says nothing
CHECKED = 8  # records on which the error of a likelihood by an ODE is measured


@dataclass(kw_only=True, eq=False)
class Diffusion(FlatModel):
    """Noise refined step by step by a denoiser D(x; σ) = E[y | y + σ ε = x] (Karras et al. 2022, arXiv 2206.00364).

    Pictures go through a U-Net, rows of numbers and categories through residual blocks, and records that hold
    both through one network. Conditions are dropped at random in training, so that drawing works with some or
    none, and can be guided.

    A path says what the network is asked for; any sampler follows any of them. `log_prob` is that of the ordinary
    differential equation, an estimate; how far it is off, by its solver and where there is one by its probe, stands in
    ``measurements["errors"]`` in nats a record. ``measurements["error"]`` is the error of denoising over that of a
    network that says nothing: of held-out records where there are some. At 1 draws are noise, which a warning tells, as
    it tells of draws that copy records.

    >>> import pushforward as pf
    >>> model = Diffusion(width=32).fit("moons", given="moon", steps=20)
    >>> model.sample(2, given={"moon": "upper"}, seed=0).names
    ('x', 'y', 'moon')
    """

    network: ClassVar[Denoisers]

    along: Annotated[Ways, doc("path from data to noise: what is learned, and how often at which noise")] = "straight"
    width: Annotated[int | None, Ge(4), doc("channels (pictures, 32) or hidden units (rows, 256)")] = None
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks, a level or in all")] = 2
    dropout: Annotated[
        float, Ge(0), Lt(1), doc("share of hidden units left out in training, lest much is known by heart")
    ] = 0.0
    weak: Annotated[bool, doc("a smaller network learns beside, for guidance away from it")] = False
    hurry: Annotated[
        int, Ge(0), Le(16), doc("steps of a network that learns at the end of a run to draw in so few; 0: none")
    ] = 0
    lr: Annotated[float, Gt(0), doc("learning rate")] = 2e-3

    # Learning

    @property
    def _flat(self) -> FlatEncoding:
        return self.network.flat

    @property
    def _steered(self) -> Denoisers:
        return self.network

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        width = self.width or (32 if rest.of_kind(Image) else 256)
        return Denoisers(
            rest, given, width=width, layers=self.layers, weak=self.weak, quick=self.hurry > 0, drop=self.dropout
        )

    @property
    def _tiles(self) -> bool:
        schema, given = self.learning
        return bool(schema.without(given).of_kind(Image))

    def _batch_size(self) -> int:
        return 128 if self._flat.shape else 512

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.prepare(tensors, generator)
        self.network.to(self.device)
        rows = chosen_rows(tensors, KEPT, generator)
        self.__dict__["_some"] = {name: tensor[rows] for name, tensor in tensors.items()}

    _some: ClassVar[dict[str, Tensor]]  # records that are learned from, while a fit is under way

    def players(self) -> list[Player]:
        """The denoiser, and the weak one where it is wanted."""
        both, make = self.network, adam(self.lr)
        strong = nn.ModuleList([both.strong, both.doubt])
        out = [
            Player(
                "denoising", strong, lambda batch, source: self._loss(both.strong, batch, source), make,
                averages=WINDOWS,
            )
        ]  # fmt: skip
        if both.weak is not None:
            weak = both.weak
            out += [Player("weak", weak, lambda batch, source: self._loss(weak, batch, source), make, every=RARER)]
        return out

    def _loss(
        self, network: Network, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        y, _ = self._flat(batch, generator)
        given = network.embed(batch, self._dropped(batch, generator))
        denoiser = self.network.denoiser(network, self._path, given)
        each, sigma = matching.losses(denoiser, self._path, y, generator, self._louder)
        weight = batch.get("weight", 1.0)
        plain = (each * weight).mean()
        if network is not self.network.strong or not network.training:
            return plain, {}
        return (self.network.doubt(each, sigma) * weight).mean(), {"error": plain}

    @property
    def _late(self) -> float:
        return HURRIED if self.hurry else 0.0

    def _late_players(self) -> list[Player]:
        """The network that hurries; it begins as the one it learns from."""
        strong, quick = self.network.strong, self.network.quick
        assert quick is not None
        quick.load_state_dict(strong.state_dict())
        return [Player("hurrying", quick, self._hurry_loss, adam(self.lr / 2))]

    def _hurry_loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        strong, quick = self.network.strong, self.network.quick
        assert quick is not None
        y, _ = self._flat(batch, generator)
        drop = self._dropped(batch, generator)
        with torch.no_grad():
            teacher = self.network.denoiser(strong, self._path, strong.embed(batch, drop))
        pupil = self.network.denoiser(quick, self._path, quick.embed(batch, drop))
        losses = hurrying(teacher, pupil, self._path, self.hurry, y, generator)
        return (losses * batch.get("weight", 1.0)).mean()

    @torch.no_grad()
    def _settle(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        batch = {name: tensor[:CHECKED] for name, tensor in tensors.items()}
        x, _ = self._flat(batch, generator)
        told = self._told(self.network.embed(batch))

        def score(tolerance: float, draw: int) -> Tensor:
            return likelihood.log_prob(told, x, exact=self._traced, tolerance=tolerance, draw=draw)

        self.__dict__["_errors"] = likelihood.errors(score, self._traced)
        many = {name: tensor[:JUDGED] for name, tensor in tensors.items()}
        error = float(self._loss(self.network.strong, many, generator)[0]) / self._path.silence(self._louder)
        self.__dict__["_error"] = round(error, 4)
        if not error < 1:
            warnings.warn(
                f"draws are noise: held-out records are denoised {error:.2f} times as badly as by a network that says "
                "nothing; a longer run, or a smaller lr=, may cure it",
                CollapsedWarning, stacklevel=2,
            )  # fmt: skip
        warn_of_copies(self._copied(generator), "a shorter run, or a smaller width=")

    def _copied(self, generator: torch.Generator) -> float:
        """The share of copies among draws that are told what some records that were learned from are."""
        real, _ = self._flat(self._some, generator)
        told = self.network.embed({name: tensor[:LOOKED] for name, tensor in self.__dict__.pop("_some").items()})
        sigmas, noise = schedule(GLANCE, self.device), real[:LOOKED]
        noise = torch.randn(noise.shape, generator=generator, device=self.device) * (1 + sigmas[0] ** 2).sqrt()
        return copied(real, last(DDIM()(self._denoiser(told), noise, sigmas)))

    def _measured(self) -> dict[str, Any]:
        errors = {"errors": self.__dict__.pop("_errors"), "error": self.__dict__.pop("_error")}
        return super()._measured() | errors

    @property
    def _louder(self) -> float:
        """Noise of one pixel hides less of a larger picture, whose neighbours tell it (Hoogeboom, Heek, Salimans 2023,
        arXiv 2301.11093).
        """
        return max(1.0, math.sqrt(math.prod(self._flat.shape[1:])) / CALM) if self._flat.shape else 1.0

    # Denoisers

    @property
    def _path(self) -> Any:
        return PATHS[self.along]()

    def _denoiser(self, given: Tensor | None) -> Denoiser:
        return self.network.denoiser(self.network.strong, self._path, given)

    def _told(self, given: Tensor | None) -> likelihood.Told:
        return lambda rows: self._denoiser(None if given is None else given[rows])

    @property
    def _traced(self) -> bool:
        """Whether the trace of a likelihood is computed, not estimated."""
        return self._flat.size <= (likelihood.PIXELS if self._flat.shape else likelihood.ROWS)

    # Verbs

    def _density(self) -> str:
        return "estimate"

    def _lacks(self, verb: str) -> str | None:
        if verb == "denoise" and self._flat.shape is None:
            return "rows are not learned in the units of their numbers; it works for pictures"
        if verb in ("encode", "decode", "traverse", "interpolate") and self.given and self.absent == 0:
            return "codes are taken without conditions, which absent=0 does not learn"
        return None

    @torch.no_grad()
    def _sample(  # type: ignore[override]  # with return_path it gives all that was on the way
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        steps: Annotated[int, Ge(1), Le(10_000), doc("noise levels that are visited")] = 18,
        sampler: Annotated[Way, doc("how it goes from level to level")] = "heun",
        guidance: Annotated[float, Ge(0), doc("how strongly it is led; 1 as learned")] = 1.0,
        against: Annotated[
            Literal["untold", "weak"], doc("what guidance leads away from: no conditions, or the weak network")
        ] = "untold",
        least: Annotated[float, Ge(0), doc("noise level above which guidance holds")] = 0.0,
        most: Annotated[float, Gt(0), doc("noise level below which guidance holds")] = 1e6,
        around: Annotated[Any, doc("from a denoiser to one that is followed in its place")] = None,
        hurry: Annotated[bool, doc("by the network that learned to, in its few steps")] = False,
        return_path: Annotated[bool, doc("give a Trail, the records at all noise levels")] = False,
    ) -> Records | Trail:
        self._check_guidance(guidance, against, given)
        network = self._hurrying() if hurry else self.network.strong
        sigmas = stops(self.hurry, self.device) if hurry else schedule(steps, self.device)
        source, states = moved(generator, self.device), []
        for start in range(0, n, BLOCK):
            part, many = None if given is None else given.values[start : start + BLOCK], min(BLOCK, n - start)
            denoiser = self._led(network, many, part, guidance, against, (least, most))
            denoiser = denoiser if around is None else around(denoiser)
            x = torch.randn(many, self._flat.size, generator=source, device=self.device) * (1 + sigmas[0] ** 2).sqrt()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._tiles and half_pays(self.device)):
                path = DDIM()(denoiser, x, sigmas) if hurry else SAMPLERS[sampler]()(denoiser, x, sigmas, source)
                shown = list(zip([x, *path], sigmas, strict=True)) if return_path else [(last(path), sigmas[-1])]
            # along a path data is shown beside noise as on the circle: both of deviation 1
            states.append([self._records(x * (1 + sigma**2).rsqrt(), part) for x, sigma in shown])
        whole = [pieces[0].concat(*pieces[1:]) for pieces in zip(*states, strict=True)]
        return Trail(tuple(whole), tuple(sigmas.tolist())) if return_path else whole[0]

    def _hurrying(self) -> Network:
        if self.network.quick is None:
            raise ArgumentError("hurry=True needs a network that learned to; fit again with hurry=4")
        return self.network.quick

    def _check_guidance(self, guidance: float, against: str, given: Evidence | None) -> None:
        if guidance == 1:
            return
        if against == "weak" and self.network.weak is None:
            raise ArgumentError("against='weak' needs a weak network; fit again with weak=True")
        if against == "untold" and given is None:
            why = "the model has no conditions" if not self.given else f"name one of {list(self.given)} in given="
            raise ArgumentError(f"guidance={guidance} needs something to follow; {why}")

    def _led(
        self, network: Network, n: int, given: Records | None, weight: float, against: str, interval: Interval
    ) -> Denoiser:
        """The denoiser of n records, led away from a lesser one."""

        def of(network: Network, given: Records | None) -> Denoiser:
            return self.network.denoiser(network, self._path, self._embedding(n, given, network))

        if weight == 1:
            return of(network, given)
        weak = self.network.weak
        lesser = of(weak, given) if against == "weak" and weak is not None else of(network, None)
        return guided(of(network, given), lesser, weight, interval)

    def denoiser(self, n: int = 1, given: Any = None) -> Denoiser:
        """D(x; σ) for n records, to be wrapped, combined and given to ``sample(around=…)``.

        Args:
            n: how many records go through it together.
            given: what they are told: values for all, or one a record; what is not named is not told.

        >>> model = Diffusion(width=16).fit("moons", given="moon", steps=5)
        >>> upper = model.denoiser(3, {"moon": "upper"})
        >>> upper(torch.zeros(3, 2), torch.ones(3)).shape
        torch.Size([3, 2])
        """
        self._require_fit("denoiser")
        fixed = evidence(given, n, self.schema, *self._allowed())
        with torch.no_grad():
            return self._denoiser(self._embedding(n, None if fixed is None else fixed.values))

    def _log_prob(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        draws = SCORE_DRAWS if self._flat.vector.noisy else 1
        out = []
        for tensors in self._blocks(records):
            with torch.no_grad():
                told = self._told(self.network.embed(tensors))
            score = torch.zeros(len(tensors["codes"]), dtype=torch.float64, device=self.device)
            for draw in range(draws):
                x, ladj = self._flat(tensors, Alike(seeded(0, draw, device=self.device)))
                # the mean of logs: the log of a mean would count the noise of an estimate in its favour
                score += (likelihood.log_prob(told, x, exact=self._traced) + ladj) / draws
            # that there are no holes is not part of the score: divided out as if holes fell without regard to values
            out.append((score - self._flat.vector.whole.log()).cpu())
        return torch.cat(out)

    @torch.no_grad()
    def _encode(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        pieces = []
        for tensors in self._blocks(records):
            told = self._told(self._embedding(len(tensors["codes"]), None))
            pieces.append(likelihood.encode(told, self._flat(tensors)[0]).cpu())
        return torch.cat(pieces)

    @torch.no_grad()
    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        if codes.ndim != 2 or codes.shape[1] != self._flat.size:
            raise ArgumentError(f"codes have shape {tuple(codes.shape)}; they must be (n, {self._flat.size})")
        values = None if given is None else given.values
        told = self._told(self._embedding(len(codes), values))
        return self._records(likelihood.decode(told, codes.float().to(self.device)), values)

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        zero = torch.zeros(self._flat.size, device=self.device)
        return zero, zero + 1

    @torch.no_grad()
    def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records:
        name = self._picture_field(self.schema)
        if set(sigmas) != {name}:
            raise ArgumentError(f"noise={dict(sigmas)} names other fields than the picture; say noise={{{name!r}: …}}")
        out = []
        for tensors in self._blocks(records):
            x, _ = self._flat(tensors)
            # of the full range, which is 2 in [-1, 1], in units of the data's own deviation
            sigma = 2 * sigmas[name] / self._flat.levels.scale.mean()
            picture, _ = self._flat.inverse(self._denoiser(self.network.embed(tensors))(x, sigma.expand(len(x))))
            assert picture is not None
            out.append(to_pixels(picture))
        return repainted(records, name, torch.cat(out), torch.zeros(1, 1, 1, 1, dtype=torch.bool))

    @torch.no_grad()
    def _complete(
        self,
        records: Records,
        generator: torch.Generator,
        *,
        mask: Annotated[Any, doc("pixels that are unknown: (height, width) or (n, height, width) bool")] = None,
        particles: Annotated[int, Ge(1), Le(1024), doc("draws of a record that compete; more are more exact")] = 8,
    ) -> Records:
        generator, pieces = moved(generator, self.device), []
        unknown, rows = unknown_pixels(mask, self._flat.shape, len(records)), max(1, BLOCK // particles)
        for start, tensors in zip(range(0, len(records), rows), self._blocks(records, rows), strict=True):
            tensors["holes"] = torch.zeros_like(tensors["holes"])
            known = self._flat.known(tensors)
            if unknown is not None:
                hidden = unknown[start : start + rows].flatten(1).to(self.device)
                known[:, : hidden.shape[1]] = ~hidden
            values, _ = self._flat(tensors, generator)
            x = filled(self._told(self.network.embed(tensors)), values, known, particles, generator)
            pieces.append(self._filled(records[start : start + rows], x, known))
        return pieces[0].concat(*pieces[1:])

    def _filled(self, records: Records, x: Tensor, known: Tensor) -> Records:
        """The records with what was not known of them as it was drawn."""
        drawn = self._records(x, records.select(self.given) if self.given else None)
        whole = overlay(drawn, records)
        if self._flat.shape is None:
            return whole
        name = self._picture_field(self.schema)
        picture, _ = self._flat.inverse(x)
        assert picture is not None
        return repainted(whole, name, to_pixels(picture), known[:, : self._flat.pixels].view(len(x), *self._flat.shape))


def last(states: Iterator[Tensor]) -> Tensor:
    """Where a sampler ends."""
    *_, x = states
    return x
