"""The auto-encoder: a record as few numbers, from which it is made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, doc
from torch import Tensor, nn

from pushforward.autoencoders.coder import RANGE, Coder
from pushforward.autoencoders.network import Inputs, Outputs, VectorNetwork
from pushforward.autoencoders.normal import moments
from pushforward.data import Image, Number, Records, Schema
from pushforward.data.holes import exchange
from pushforward.errors import ArgumentError, DataError
from pushforward.training.player import Player, adam


class Gaussian(nn.Module):
    """One Gaussian over codes, kept as its mean and a root of its covariance."""

    mean: Tensor
    root: Tensor

    def __init__(self, latent: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(latent))
        self.register_buffer("root", torch.eye(latent))

    def fit(self, codes: Tensor, weight: Tensor | None) -> None:
        """Take the moments of (n, latent) codes, each counted as its weight says."""
        mean, covariance = moments(codes, weight)
        values, vectors = torch.linalg.eigh(covariance.double())  # dead entries stay dead
        self.mean.copy_(mean)
        self.root.copy_(vectors * values.clamp_min(0).sqrt())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, latent)."""
        noise = torch.randn(n, len(self.mean), generator=generator, device=self.mean.device)
        return self.mean + noise @ self.root.T


@dataclass(kw_only=True, eq=False)
class AutoEncoder(Coder):
    """z = f(x), x ≈ g(z): the encoder f and the decoder g for which g(f(x)) is most like x.

    Most like x is what makes it most probable under a Gaussian (numbers, pixels) and categorical (levels) likelihood
    around g(z), whose variances are those that the errors call for. With linear maps this is principal components.
    A sparse one keeps the few largest entries of z (Makhzani, Frey 2013, arXiv 1312.5663). A denoising one sees x
    with noise and is judged by x (Vincent, Larochelle, Bengio, Manzagol 2008): levels of noise are drawn anew for
    every record and number, up to `noise`, and the encoder is told them.

    Records are drawn by drawing codes from one Gaussian, which is rough; a `Latent` learns how codes are distributed.

    >>> model = AutoEncoder(latent=2, width=16).fit("penguins", given="species", steps=20)
    >>> model.encode("penguins").shape
    (344, 2)
    """

    assumes = "codes fall like one Gaussian"

    latent: Annotated[int, Ge(1), doc("numbers in a code")] = 16
    noise: Annotated[float, Ge(0), doc("most it learns to take off, in deviations (pixels: of full range)")] = 0.0
    sparse: Annotated[int | None, Ge(1), doc("entries of a code that are not zero; all if not said")] = None

    def _check(self, rest: Schema, given: Schema) -> None:
        super()._check(rest, given)
        if self.sparse is not None and self.sparse > self.latent:
            raise ArgumentError(f"sparse={self.sparse} is more than the {self.latent} entries that a code has")
        if self.noise and not rest.of_kind(Image, Number):
            raise DataError(f"noise={self.noise} needs numbers or a picture to be added to; the data has neither")

    # Learning

    def _build(self, rest: Schema, given: Schema) -> nn.Module:
        noised = len(rest.of_kind(Image)) + len(rest.of_kind(Number))
        return VectorNetwork(
            rest, given, heads=self.latent, latent=self.latent, told=noised if self.noise else 0,
            own=Gaussian(self.latent), **self._shape(rest),
        )  # fmt: skip

    def players(self) -> list[Player]:
        """Encoder and decoder together; and the critic, where there is one."""
        return self._against_critic(Player("reconstruction", self.network, self._loss, adam(self.lr)))

    def _loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        x, given = self.network.inputs(batch), self._heard(batch, generator)
        seen, level = self._noisy(batch, x, generator) if self.noise else (x, None)
        z = self._sparse(self.network.encode(seen, given, level))
        out = self._outputs(z, given)
        losses = self.network.nll(out, batch, x)
        errors = (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()
        return errors + self._pull(x, out, errors, batch)

    def _noisy(self, batch: Mapping[str, Tensor], x: Inputs, generator: torch.Generator) -> tuple[Inputs, Tensor]:
        """Inputs with noise, and (n, told) how much of it."""
        row, n, device = self.network.row, len(x.codes), x.codes.device
        told = self.noise * torch.rand(n, self._told, generator=generator, device=device)
        numbers = batch["numbers"]
        noise = torch.randn(numbers.shape, generator=generator, device=device)
        y = row.scores(numbers + noise * told[:, : row.d] * row.deviation)[0]
        picture = x.picture
        if self.network.picture is not None:
            grain = torch.randn(picture.shape, generator=generator, device=device)
            noisy = picture + RANGE * told[:, -1, None, None, None] * grain
            picture = noisy.clamp(-1, 1)  # as grey levels hold it
        return Inputs(picture, y, x.codes), told

    @property
    def _told(self) -> int:
        return self.network.row.d + (self.network.picture is not None)

    def _judged(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> Outputs:
        codes = self._codes(batch)
        self._gaussian.fit(codes, batch.get("weight"))
        return self._outputs(codes, self.network.embed(batch))

    # Codes

    def _width_of_codes(self) -> int:
        return self.latent

    def _excess(self) -> str | None:
        return self._beyond(self.latent) if self.sparse is None else self._beyond(self.sparse, "sparse")

    def _codes(self, batch: Mapping[str, Tensor]) -> Tensor:
        return self._of(self.network.inputs(batch), self.network.embed(batch))

    def _of(self, x: Inputs, given: Tensor | None, level: Tensor | None = None) -> Tensor:
        if self.noise and level is None:
            level = torch.zeros(len(x.codes), self._told, device=x.codes.device)
        return self._sparse(self.network.encode(x, given, level))

    def _sparse(self, z: Tensor) -> Tensor:
        if self.sparse is None or self.sparse == self.latent:
            return z
        kept = z.abs().topk(self.sparse, 1).indices
        return torch.zeros_like(z).scatter(1, kept, z.gather(1, kept))

    def _outputs(self, codes: Tensor, given: Tensor | None) -> Outputs:
        return self.network.decode(codes, given)

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self._sparse(self._gaussian.sample(n, generator))

    def codes_of(self, records: Records, schema: Schema) -> Tensor:
        """Codes that records stand for; of a prior that knows nothing of sparse ones, the largest entries are kept."""
        return self._sparse(super().codes_of(records, schema))

    @property
    def _gaussian(self) -> Gaussian:
        assert isinstance(self.network.own, Gaussian)
        return self.network.own

    def _code_moments(self) -> tuple[Tensor, Tensor]:
        return self._gaussian.mean, self._gaussian.root.norm(dim=1)

    # Denoising

    def _lacks(self, verb: str) -> str | None:
        if verb == "denoise" and not self.noise:
            return "it has not learned to; fit again with noise= the largest deviation it shall take off"
        return super()._lacks(verb)

    @torch.no_grad()
    def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records:
        level = self._levels(sigmas)
        pieces = []
        for tensors in self._blocks(records):
            x, given = self.network.inputs(tensors), self.network.embed(tensors)
            codes = self._of(x, given, level.expand(len(x.codes), -1))
            pieces.append(self._records(self._outputs(codes, given), None, None))
        return exchange(records, pieces[0].concat(*pieces[1:]), sigmas)

    def _levels(self, sigmas: Mapping[str, float]) -> Tensor:
        """(told,) how noisy each number and the picture are, in deviations and of full range."""
        row = self.network.row
        names = [field.name for field in row.cells.number_fields]
        level = torch.tensor([sigmas.get(name, 0.0) for name in names], device=self.device) / row.deviation
        if self.network.picture is not None:
            level = torch.cat([level, level.new_tensor([sigmas.get(self._picture_field(self.schema), 0.0)])])
        if bool((level > self.noise * (1 + 1e-6)).any()):
            worst = float(level.max())
            raise ArgumentError(
                f"noise={dict(sigmas)} is up to {worst:.3g} deviations (pixels: of full range), more than it "
                f"learned to take off; fit again with noise={worst:.3g} or more"
            )
        return level.float()
