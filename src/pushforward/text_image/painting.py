"""What draws pictures from words, in pixels or in the codes of a `VQ`, as points that one denoiser refines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias, final

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.autoencoders.network import Inputs
from pushforward.autoencoders.vq import VQ
from pushforward.data import Image, Records, Schema
from pushforward.data.encodings.pixels import from_pixels, to_pixels
from pushforward.data.holes import blank, overlay
from pushforward.data.masks import repainted
from pushforward.data.pictures import or_black, to_arrow
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.diffusion import Diffusion, last
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.samplers.heun import Heun
from pushforward.latent import Latent
from pushforward.training.place import half_pays

Painter: TypeAlias = Diffusion | Latent
LEVELS = 18  # of noise that a picture goes through


@final
@dataclass(frozen=True)
class Painting:
    """Points of deviation 1 that stand for pictures, and how a fitted model denoises them.

    Attributes:
        model: a Diffusion of pictures, or a Latent of which a Diffusion draws the codes of a VQ.
    """

    model: Painter

    @property
    def diffusion(self) -> Diffusion:
        """What denoises points."""
        if isinstance(self.model, Diffusion):
            return self.model
        assert isinstance(self.model._prior, Diffusion)
        return self.model._prior

    @property
    def coder(self) -> VQ | None:
        """What brings pictures to codes; None where points are pixels."""
        if isinstance(self.model, Diffusion):
            return None
        assert isinstance(self.model._coder, VQ)
        return self.model._coder

    @property
    def given(self) -> tuple[str, ...]:
        """The fields that pictures may be told."""
        return self.model.given

    @property
    def image(self) -> Image:
        """The field of the picture."""
        return next(field for field in self.model.schema.of_kind(Image) if field.name not in self.given)

    @property
    def size(self) -> int:
        """Numbers of a point."""
        return self.diffusion.network.flat.size

    def points(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) pictures in [-1, 1] → (n, size); slopes pass through."""
        network = self.diffusion.network
        if self.coder is not None:
            grid, nothing = self.coder.network, x.new_empty(len(x), 0)
            x = grid.squares(grid.quantiser(grid.encode(Inputs(x, nothing, nothing), None)).values)
        levels, _ = network.flat.levels(x.permute(0, 2, 3, 1))
        return levels.permute(0, 3, 1, 2).flatten(1)

    def pictures(self, points: Tensor) -> Tensor:
        """(n, size) → (n, channels, height, width) in [-1, 1] and a little beyond."""
        x, _ = self.diffusion.network.flat.inverse(points)
        assert x is not None
        if self.coder is None:
            return x
        return self.coder._outputs(self.coder.network.of_squares(x), None).picture

    def of(self, records: Records) -> Tensor:
        """(n, size) points of the pictures of records; black where there is none."""
        pixels = torch.from_numpy(or_black(records.column(self.image.name)))
        return self.points(from_pixels(pixels.to(self.diffusion.device)))

    def records(self, points: Tensor) -> Records:
        """(n, size) points as records of a picture each."""
        schema, pixels = Schema((self.image,)), to_pixels(self.pictures(points)).cpu().numpy()
        return Records(schema, pa.table({self.image.name: to_arrow(pixels)}, schema=schema.arrow))

    # Denoising

    def denoiser(self, told: Records, n: int, guidance: float = 1.0) -> Denoiser:
        """D(x; σ) of n points that are told what is known of as many records; led by it, if anything is.

        Args:
            told: records of which the picture is not looked at; they may hold nothing.
            n: how many, which records of nothing do not say.
            guidance: how strongly they are led; 1 as learned.
        """
        model, heard = self.diffusion, [name for name in told.names if name in self.given]
        known = [name for name in heard if told.column(name).null_count < len(told)]  # or both say the same
        given, weight = (told.select(known), guidance) if known else (None, 1.0)
        led = model._led(model.network.strong, n, given, weight, "untold", (0.0, math.inf))

        def denoised(x: Tensor, sigma: Tensor) -> Tensor:
            with torch.autocast(x.device.type, torch.bfloat16, enabled=half_pays(x.device)):
                return led(x, sigma)

        return denoised

    def noise(self, n: int, sigma: Tensor, source: torch.Generator) -> Tensor:
        """(n, size) points at the first noise level."""
        return torch.randn(n, self.size, generator=source, device=sigma.device) * (1 + sigma**2).sqrt()

    @staticmethod
    def refined(denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: torch.Generator) -> Tensor:
        """(n, size) points from the first noise level to the last."""
        return x if len(sigmas) < 2 else last(Heun()(denoiser, x, sigmas, source))

    @staticmethod
    def behind(denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: torch.Generator) -> Tensor:
        """(n, size) for each point in noise one that may be behind it, by chance: `refined` follows an ordinary
        differential equation, which always leads to the same.
        """
        return x if len(sigmas) < 2 else last(DDIM(eta=1.0)(denoiser, x, sigmas, source))

    def completed(self, records: Records, unknown: Tensor, sigmas: Tensor, source: torch.Generator) -> Records:
        """Records whose unknown pixels are drawn, told all else.

        Among codes, what is known of a picture is put in its place in what each step takes the picture to be (hard
        consistency: Song et al. 2023, arXiv 2307.08123), so draws are approximate.

        Args:
            records: with their pictures.
            unknown: (n, channels, height, width) bool.
            sigmas: noise levels.
            source: of the draws.
        """
        whole = overlay(blank(self.model.schema, len(records)), records)
        if isinstance(self.model, Diffusion):
            return self.model._complete(whole, source, mask=unknown[:, 0].numpy())
        known = from_pixels(torch.from_numpy(or_black(whole.column(self.image.name))).to(sigmas.device))
        plain, away = self.denoiser(whole, len(whole)), unknown.to(sigmas.device)

        def agreeing(x: Tensor, sigma: Tensor) -> Tensor:
            return self.points(torch.where(away, self.pictures(plain(x, sigma)).clamp(-1, 1), known))

        x = self.refined(agreeing, self.noise(len(whole), sigmas[0], source), sigmas, source)
        return repainted(whole, self.image.name, to_pixels(self.pictures(x)), ~unknown)

    def log_prob(self, records: Records) -> Tensor:
        """(n,) log probability of the pictures of records given all else that is known."""
        return self.model._log_prob(overlay(blank(self.model.schema, len(records)), records))
