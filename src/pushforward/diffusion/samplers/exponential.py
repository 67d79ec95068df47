"""Steps that solve the linear part exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.samplers.sampler import Sampler, Stepper, at


@final
@dataclass(frozen=True)
class Exponential(Stepper):
    """The exponential midpoint rule in log σ: DPM-Solver++ 2S (Lu et al. 2022, arXiv 2211.01095, algorithm 1).

    x ← (σ'/σ) x + (1 - σ'/σ) D(x_m; σ_m) with σ_m = √(σ σ') and x_m = (σ_m/σ) x + (1 - σ_m/σ) D(x; σ).
    """

    order: ClassVar[float] = 2
    evaluations: ClassVar[int] = 2

    @property
    def drawn(self) -> bool:
        return False

    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        middle = (sigma * target).sqrt()
        half = middle / sigma
        between = half * x + (1 - half) * at(denoiser, x, sigma)
        return target / sigma * x + (1 - target / sigma) * at(denoiser, between, middle)

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls()]
