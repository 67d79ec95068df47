"""The variational auto-encoder as a family."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, doc
from torch import Tensor, nn

from pushforward.autoencoders.cleaning import Noise, cleaned
from pushforward.autoencoders.coder import RANGE, Coder
from pushforward.autoencoders.filling import Parts, filled
from pushforward.autoencoders.network import Inputs, Outputs, VectorNetwork
from pushforward.autoencoders.normal import moments
from pushforward.autoencoders.posterior import Posterior, active
from pushforward.conditional import BLOCK
from pushforward.data import Image, Records, Schema
from pushforward.data.encodings.noise import Alike
from pushforward.data.encodings.pixels import to_pixels
from pushforward.data.holes import exchange, overlay
from pushforward.data.masks import repainted, unknown_pixels
from pushforward.errors import CollapsedWarning
from pushforward.flows.bases import Base
from pushforward.flows.bases.mixture import Mixture
from pushforward.flows.bases.normal import Normal
from pushforward.flows.kernels.spline import SplineKernel
from pushforward.flows.layers import row_flow
from pushforward.flows.pushed import Pushed
from pushforward.training.player import Player, adam
from pushforward.training.randomness import generator as seeded
from pushforward.training.randomness import moved

MAPS, UNITS = 4, 64  # of a flow as prior: couplings, and their hidden units
FEW = 0.25  # share of the numbers of a code, below which so few that carry anything are a collapse


class Own(nn.Module):
    """What stands beside encoder and decoder.

    Attributes:
        prior: of codes.
        seen: steps, for the warm-up.
        center, spread: (latent,) mean and deviation over records of the posterior's mean.
    """

    seen: Tensor
    center: Tensor
    spread: Tensor

    def __init__(self, prior: Base):
        super().__init__()
        self.prior = prior
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("center", torch.zeros(prior.size))
        self.register_buffer("spread", torch.ones(prior.size))


@dataclass(kw_only=True, eq=False)
class VAE(Coder):
    """log p(x) ≥ E_q(z|x)[log p(x | z) + log p(z) - log q(z | x)]: codes that are noisy and can be drawn.

    The encoder gives a Gaussian q(z | x), the decoder the likelihood p(x | z), Gaussian with the variance that its
    errors call for (numbers, pixels), categorical (levels) and Bernoulli (holes). What is not known of a record is
    left out of both, which marginalises it (Kingma, Welling 2013, arXiv 1312.6114; Rybkin et al. 2021, arXiv
    2006.13202). `log_prob` is the importance-weighted bound (Burda et al. 2015, arXiv 1509.00519).

    >>> model = VAE(latent=2, width=16).fit("penguins", given="species", steps=200)
    >>> model.sample(2, given={"species": "Gentoo"}, seed=0).names[:2]
    ('species', 'island')
    """

    latent: Annotated[int, Ge(1), doc("numbers in a code")] = 16
    prior: Annotated[Literal["normal", "mixture", "flow"], doc("what codes are drawn from")] = "normal"
    components: Annotated[int, Ge(1), doc("Gaussians of a mixture as prior")] = 32
    beta: Annotated[float, Ge(0), doc("weight of the divergence from the prior (1: a bound of log p)")] = 1.0
    warmup: Annotated[int, Ge(0), doc("steps over which that weight rises from 0")] = 300
    free_bits: Annotated[float, Ge(0), doc("nats of each number of a code that cost nothing")] = 0.0

    # Learning

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        own = Own(self._new_prior())
        return VectorNetwork(rest, given, heads=2 * self.latent, latent=self.latent, own=own, **self._shape(rest))

    def _new_prior(self) -> Base:
        match self.prior:
            case "normal":
                return Normal(self.latent)
            case "mixture":
                return Mixture(self.latent, self.components)
        maps = row_flow(
            self.latent, SplineKernel(), kind="coupling", transforms=MAPS, condition=0, width=UNITS, layers=2
        )
        return Pushed(maps, Normal(self.latent))

    def players(self) -> list[Player]:
        """Encoder, decoder and prior together; and the critic, where there is one."""
        return self._against_critic(Player("bound", self.network, self._loss, adam(self.lr)))

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        x, given = self.network.inputs(batch), self._heard(batch, generator)
        q = self._posterior(x, given)
        z = q.sample(generator)
        out = self.network.decode(z, given)
        nll = self.network.nll(out, batch, x)
        share = batch["weight"] if "weight" in batch else torch.ones_like(nll)
        kl = (self._kl(q, z) * share[:, None]).mean(0)
        weight: float | Tensor = self.beta
        if self.network.training and self.warmup:
            self._own.seen += 1
            weight = self.beta * (self._own.seen / self.warmup).clamp_max(1)
        fit = (nll * share).mean()
        loss = fit + weight * kl.clamp_min(self.free_bits).sum() + self._pull(x, out, fit, batch)
        return loss, {"errors": fit, "divergence": kl.sum()}

    def _kl(self, q: Posterior, z: Tensor) -> Tensor:
        """(n, latent) divergence of q from the prior by number of the code; all in one column where it is drawn."""
        if self.prior == "normal":
            return q.divergence()
        kl = q.log_prob(z) - self._prior.log_prob(z)
        return (kl / self.latent)[:, None].expand(-1, self.latent)

    @property
    def _own(self) -> Own:
        assert isinstance(self.network.own, Own)
        return self.network.own

    @property
    def _prior(self) -> Base:
        return self._own.prior

    def _posterior(self, x: Inputs, given: Tensor | None) -> Posterior:
        # in half precision a divergence is lost in the difference of its terms
        return Posterior(*self.network.encode(x, given).float().chunk(2, 1))

    def _judged(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Outputs:
        x, given = self.network.inputs(batch), self.network.embed(batch)
        q = self._posterior(x, given)
        center, covariance = moments(q.mean, batch.get("weight"))
        self._own.center.copy_(center)
        self._own.spread.copy_(covariance.diagonal().clamp_min(0).sqrt())
        found, enough = self._active, max(1.0, FEW * self.latent)
        if found < enough:
            text = (
                f"posterior collapse: {found} of the {self.latent} numbers of a code carry anything about a record; "
                f"lower beta= (it is {self.beta:g}), say free_bits=0.1, a longer warmup= (it is {self.warmup}), or "
                "train longer"
            )
            self.history.note(self.history.last, text)
            warnings.warn(text, CollapsedWarning, stacklevel=2)
        return self.network.decode(q.sample(generator), given)

    def _measured(self) -> dict[str, Any]:
        return super()._measured() | {"active": self._active, "latent": self.latent}

    @property
    def _active(self) -> int:
        return int(active(self._own.spread).sum())

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        return self._own.center, self._own.spread

    # Codes

    def _width_of_codes(self) -> int:
        return self.latent

    def _excess(self) -> str | None:
        return self._beyond(self.latent)

    def _codes(self, batch: Mapping[str, Tensor]) -> Tensor:
        return self._posterior(self.network.inputs(batch), self.network.embed(batch)).mean

    @torch.no_grad()
    def _encode(
        self,
        records: Records,
        *,
        sample: Annotated[bool, doc("draws from the posterior instead of its means")] = False,
        seed: Annotated[int | None, Ge(0), doc("of the draws")] = None,
    ) -> Tensor:
        if not sample:
            return super()._encode(records)
        return self._draw_codes(records, seeded(seed, device=self.device))[0].float()

    @torch.no_grad()
    def _draw_codes(self, records: Records, generator: torch.Generator | Alike) -> tuple[Tensor, Tensor]:
        """(n, latent) codes drawn from q(z | record), and (n,) log q of them."""
        pieces = []
        for tensors in self._blocks(records):
            q = self._posterior(self.network.inputs(tensors), self.network.embed(tensors))
            z = q.sample(generator.again() if isinstance(generator, Alike) else generator)  # alike over all blocks
            pieces.append((z.cpu(), q.log_prob(z).double().cpu()))
        return torch.cat([z for z, _ in pieces]), torch.cat([log for _, log in pieces])

    def _outputs(self, codes: Tensor, given: Tensor | None) -> Outputs:
        return self.network.decode(codes, given)

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self._prior.sample(n, generator)

    # Filling and cleaning

    def _parts(self, given: Tensor | None) -> Parts:
        return Parts(self.network, self._prior, lambda x: self._posterior(x, given), given)

    @torch.no_grad()
    def _complete(
        self,
        records: Records,
        generator: torch.Generator,
        *,
        mask: Annotated[Any, doc("pixels that are unknown: (height, width) or (n, height, width) bool")] = None,
    ) -> Records:
        generator, picture = moved(generator, self.device), self.network.picture
        unknown = unknown_pixels(mask, None if picture is None else picture.shape, len(records))
        pieces = []
        for start, tensors in zip(range(0, len(records), BLOCK), self._blocks(records), strict=True):
            part = records[start : start + BLOCK]
            known = None if unknown is None else ~unknown[start : start + BLOCK].to(self.device)
            out = filled(self._parts(self.network.embed(tensors)), tensors, known, generator)
            drawn = self._records(out, part.select(self.given) if self.given else None, generator, holes=False)
            names = [f.name for f in part.schema if f.name in drawn.names and not isinstance(f, Image)]
            whole = overlay(exchange(part, drawn, names), part)
            if known is not None:
                whole = repainted(whole, self._picture_field(self.schema), to_pixels(out.picture), known)
            pieces.append(whole)
        return pieces[0].concat(*pieces[1:])

    @torch.no_grad()
    def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records:
        row, pieces = self.network.row, []
        name = self._picture_field(self.schema) if self.network.picture is not None else None
        scale = torch.tensor([sigmas.get(f.name, 0.0) for f in row.cells.number_fields], device=self.device)
        for tensors in self._blocks(records):
            given, x = self.network.embed(tensors), self.network.inputs(tensors)
            slope = row.scores(tensors["numbers"])[1].exp()
            noise = Noise(RANGE * sigmas.get(name, 0.0) if name else 0.0, scale * slope)
            out = cleaned(self._parts(given), x, noise, Alike(seeded(0, device=self.device)))
            pieces.append(self._records(out, None, None))
        return exchange(records, pieces[0].concat(*pieces[1:]), sigmas)

    # Likelihood

    def _density(self) -> str:
        return "bound"

    @torch.no_grad()
    def _log_prob(
        self, records: Records, *, samples: Annotated[int, Ge(1), doc("codes a record; more tighten the bound")] = 16
    ) -> Tensor:
        out = []
        for tensors in self._blocks(records):
            source = Alike(seeded(0, device=self.device))
            given, x = self.network.embed(tensors), self.network.inputs(tensors)
            q = self._posterior(x, given)
            logs = []
            for _ in range(samples):
                z = q.sample(source)
                fit = self.network.log_prob(self.network.decode(z, given), tensors)
                logs.append(fit + (self._prior.log_prob(z) - q.log_prob(z)).double())
            out.append((torch.stack(logs).logsumexp(0) - torch.tensor(float(samples)).log()).cpu())
        return torch.cat(out)

    @torch.no_grad()
    def _log_given(self, records: Records, codes: Tensor) -> Tensor:
        """(n,) log p(record | code), in the units of the data."""
        out = []
        for start, tensors in zip(range(0, len(records), BLOCK), self._blocks(records), strict=True):
            z = codes[start : start + BLOCK].float().to(self.device)
            found = self.network.log_prob(self.network.decode(z, self.network.embed(tensors)), tensors)
            out.append(found.cpu())
        return torch.cat(out)
