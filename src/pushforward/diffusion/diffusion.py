"""Diffusion as a family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor, nn

from pushforward.conditional import BLOCK
from pushforward.data import Image, Records, Schema, pictures
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.noise import Alike
from pushforward.data.encodings.pixels import to_pixels
from pushforward.data.holes import overlay
from pushforward.diffusion import edm, ode
from pushforward.diffusion.guidance import guided, observed
from pushforward.diffusion.network import Network
from pushforward.diffusion.samplers.heun import heun
from pushforward.errors import ArgumentError
from pushforward.evidence import Evidence
from pushforward.flat import FlatModel
from pushforward.training.player import Player, adam
from pushforward.training.randomness import generator, moved

ODE_STEPS = 32  # for likelihoods and codes
SCORE_DRAWS = 4  # of the noise within levels and cells of a grid, over whose densities a score is the mean
FILL_STEPS, FILL_CHURN = 32, 0.5  # for completing records


@dataclass(kw_only=True, eq=False)
class Diffusion(FlatModel):
    """Noise refined step by step by a denoiser D(x; σ) = E[y | y + σ ε = x] (Karras et al. 2022, arXiv 2206.00364).

    Pictures go through a U-Net, rows of numbers and categories through residual blocks, and records that hold
    both through one network. Conditions are dropped at random in training, so that drawing works with some or
    none, and can be guided.

    >>> import pushforward as pf
    >>> model = Diffusion(width=32).fit("moons", given="moon", steps=20)
    >>> model.sample(2, given={"moon": "upper"}, seed=0).names
    ('x', 'y', 'moon')
    """

    network: ClassVar[Network]

    width: Annotated[int | None, Ge(4), doc("channels (pictures, 32) or hidden units (rows, 256)")] = None
    layers: Annotated[int, Ge(1), Le(64), doc("residual blocks, a level or in all")] = 2
    lr: Annotated[float, Gt(0), doc("learning rate")] = 2e-3

    # Learning

    @property
    def _flat(self) -> FlatEncoding:
        return self.network.flat

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        return Network(rest, given, self.width or (32 if rest.of_kind(Image) else 256), self.layers)

    def _batch_size(self) -> int:
        return 128 if self._flat.shape else 512

    def _prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        self.network.prepare(tensors, generator)
        self.network.to(self.device)

    def players(self) -> list[Player]:
        """One player: the denoiser."""
        return [Player("denoising", self.network, self._loss, adam(self.lr))]

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        y, _ = self._flat(batch, generator)
        losses = edm.loss(self._denoiser(self._heard(batch, generator)), y, generator)
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()

    @property
    def _steered(self) -> Network:
        return self.network

    # Verbs

    def _denoiser(self, given: Tensor | None) -> edm.Denoiser:
        def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
            return edm.precondition(x, sigma, lambda h, c: self.network(h, c, given))

        return denoiser

    def _density(self) -> str:
        return "estimate"

    def _lacks(self, verb: str) -> str | None:
        if verb == "denoise" and self._flat.shape is None:
            return "rows are not learned in the units of their numbers; it works for pictures"
        if verb == "complete" and not self._flat.vector.width:
            return "pictures have no missing cells"
        if verb in ("encode", "decode", "traverse", "interpolate") and self.given and self.absent == 0:
            return "codes are taken without conditions, which absent=0 does not learn"
        return None

    @torch.no_grad()
    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        steps: Annotated[int, Ge(1), Le(10_000), doc("noise levels; each costs two evaluations")] = 18,
        guidance: Annotated[float, Ge(0), doc("how strongly conditions are followed; 1 as learned")] = 1.0,
    ) -> Records:
        if guidance != 1 and given is None:
            why = "the model has no conditions" if not self.given else f"name one of {list(self.given)} in given="
            raise ArgumentError(f"guidance={guidance} needs something to follow; {why}")
        sigmas = edm.schedule(steps, self.device)
        noise = torch.randn(n, self._flat.size, generator=generator).to(self.device) * (1 + sigmas[0] ** 2).sqrt()
        pieces = []
        for start in range(0, n, BLOCK):
            x = noise[start : start + BLOCK]
            part = None if given is None else given.values[start : start + BLOCK]
            denoiser = self._denoiser(self._embedding(len(x), part))
            if guidance != 1:
                denoiser = guided(denoiser, self._denoiser(self._embedding(len(x), None)), guidance)
            *_, x = heun(denoiser, x, sigmas)
            pieces.append(self._records(x, part))
        return pieces[0].concat(*pieces[1:])

    def _log_prob(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        draws = SCORE_DRAWS if self._flat.vector.noisy else 1
        out = []
        for tensors in self._blocks(records):
            with torch.no_grad():
                denoiser = self._denoiser(self.network.embed(tensors))
            scores = []
            for draw in range(draws):
                x, ladj = self._flat(tensors, Alike(generator(0, draw, device=self.device)))
                scores.append(ode.log_prob(denoiser, x, ODE_STEPS) + ladj)
            # that there are no holes is not part of the score: divided out as if holes fell without regard to values
            score = torch.stack(scores).logsumexp(0) - math.log(draws)
            out.append((score - self._flat.vector.whole.log()).cpu())
        return torch.cat(out)

    def _encode(self, records: Records) -> Tensor:
        self._refuse_holes(records)
        return torch.cat(
            [
                ode.encode(self._told(len(t["codes"]), None), self._flat(t)[0], ODE_STEPS).cpu()
                for t in self._blocks(records)
            ]
        )

    def _decode(self, codes: Tensor, given: Evidence | None) -> Records:
        if codes.ndim != 2 or codes.shape[1] != self._flat.size:
            raise ArgumentError(f"codes have shape {tuple(codes.shape)}; they must be (n, {self._flat.size})")
        told = None if given is None else given.values
        x = ode.decode(self._told(len(codes), told), codes.float().to(self.device), ODE_STEPS)
        return self._records(x, told)

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        zero = torch.zeros(self._flat.size, device=self.device)
        return zero, zero + 1

    def _told(self, n: int, given: Records | None) -> edm.Denoiser:
        with torch.no_grad():
            return self._denoiser(self._embedding(n, given))

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
            clean = self._denoiser(self.network.embed(tensors))(x, sigma.expand(len(x)))
            picture, _ = self._flat.inverse(clean)
            assert picture is not None
            out.append(to_pixels(picture).cpu())
        columns = {f.name: records.column(f.name) for f in records.schema}
        columns[name] = pictures.to_arrow(torch.cat(out).numpy())
        return Records(records.schema, pa.table(columns, schema=records.schema.arrow))

    @torch.no_grad()
    def _complete(self, records: Records, generator: torch.Generator) -> Records:
        generator = moved(generator, self.device)
        pieces = []
        for start, tensors in zip(range(0, len(records), BLOCK), self._blocks(records), strict=True):
            tensors["holes"] = torch.zeros_like(tensors["holes"])
            known = self._flat.known(tensors)
            values, _ = self._flat(tensors, generator)
            denoiser = observed(self._denoiser(self.network.embed(tensors)), known, values)
            sigmas = edm.schedule(FILL_STEPS, self.device)
            noise = torch.randn(values.shape, generator=generator, device=self.device)
            *_, x = heun(denoiser, sigmas[0] * noise, sigmas, churn=FILL_CHURN, generator=generator)
            part = records[start : start + BLOCK]
            given = part.select(self.given) if self.given else None
            pieces.append(overlay(self._records(x, given), part))
        return pieces[0].concat(*pieces[1:])
