"""Straight steps along the stochastic differential equation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.paths.cosine import Cosine
from pushforward.diffusion.paths.linear import Linear
from pushforward.diffusion.paths.path import Path
from pushforward.diffusion.samplers.sampler import Sampler, Stepper, at


@final
@dataclass(frozen=True)
class EulerMaruyama(Stepper):
    """dx_t = [f x_t - g² ∇ log p_t(x_t)] dt + g dw backwards in time, in straight steps (Song et al. 2021, 2011.13456).

    f = a'/a and g² = 2 s² (log σ)', whose marginals are those of the path. Steps must be short where noise is little:
    one that halves t wants twice what there is to take off.

    Attributes:
        path: along which steps are taken.
    """

    order: ClassVar[float] = 1
    evaluations: ClassVar[int] = 1
    path: Path = field(default_factory=Cosine)

    @property
    def drawn(self) -> bool:
        return True

    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        assert source is not None
        path, mean = self.path, at(denoiser, x, sigma)
        t, end = path.time(sigma), path.time(target)
        (a, s), (da, ds) = path.coefficients(t), path.rates(t)
        rate = ds / s - da / a  # of log σ
        drift = da * x + 2 * rate * a * (x - mean)  # of x_t = a x, with the score (a D - x_t) / s²
        fresh = (2 * s**2 * rate * (t - end)).sqrt()
        return (a * x + (end - t) * drift + fresh * normal(x, source)) / path.coefficients(end)[0]

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(), cls(Linear())]
