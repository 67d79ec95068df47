"""Steps that take the noise for what it seems to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal
from pushforward.diffusion.denoiser import Denoiser, noise_of
from pushforward.diffusion.samplers.sampler import Sampler, Stepper, at


@final
@dataclass(frozen=True)
class DDIM(Stepper):
    """x ← D + √(σ'² - η² v) ε̂ + η √v z with v = σ'² (σ² - σ'²) / σ² (Song, Meng, Ermon 2020, arXiv 2010.02502, eq. 12).

    Attributes:
        eta: η, how much of the noise is drawn anew: 0 follows the ODE, 1 is the ancestral sampler of DDPM (Ho, Jain,
            Abbeel 2020, arXiv 2006.11239).
    """

    order: ClassVar[float] = 1
    evaluations: ClassVar[int] = 1
    eta: float = 0.0

    @property
    def drawn(self) -> bool:
        return self.eta > 0

    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        mean = at(denoiser, x, sigma)
        fresh = (self.eta**2 * target**2 * (sigma**2 - target**2) / sigma**2).clamp_min(0)
        out = mean + (target**2 - fresh).sqrt() * noise_of(mean, x, sigma)
        if not self.eta:
            return out
        assert source is not None
        return out + fresh.sqrt() * normal(x, source)

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(), cls(eta=0.5), cls(eta=1.0)]
