"""Straight steps along a path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.paths.cosine import Cosine
from pushforward.diffusion.paths.exploding import Exploding
from pushforward.diffusion.paths.path import Path
from pushforward.diffusion.samplers.sampler import Sampler, Stepper, at


@final
@dataclass(frozen=True)
class Euler(Stepper):
    """x_t ← x_t + Δt dx_t/dt of the probability-flow ODE (Song et al. 2021, arXiv 2011.13456).

    Attributes:
        path: along which straight steps are taken; on straight and on exploding paths it is DDIM.
    """

    order: ClassVar[float] = 1
    evaluations: ClassVar[int] = 1
    path: Path = field(default_factory=Cosine)

    @property
    def drawn(self) -> bool:
        return False

    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        t, end = self.path.time(sigma), self.path.time(target)
        velocity = self.path.velocity(at(denoiser, x, sigma), x, sigma)
        return (self.path.coefficients(t)[0] * x + (end - t) * velocity) / self.path.coefficients(end)[0]

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(), cls(Exploding())]
