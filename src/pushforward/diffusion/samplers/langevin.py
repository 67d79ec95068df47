"""Steps that are followed by a walk at the same noise level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal
from pushforward.diffusion.denoiser import Denoiser, score_of
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.samplers.sampler import Sampler, Stepper, at


@final
@dataclass(frozen=True)
class Langevin(Stepper):
    """Predict by DDIM, then correct: x ← x + ε ∇ log p_σ(x) + √(2ε) z (Song et al. 2021, arXiv 2011.13456, alg. 2).

    The walk has p_σ for its equilibrium, so that it takes back what went wrong before. Its ε = r h σ² is in proportion
    to the step h in log σ, where the paper's is constant: so draws come near the data as steps get many.

    Attributes:
        ratio: r, how far it walks.
    """

    order: ClassVar[float] = 1
    evaluations: ClassVar[int] = 2
    ratio: float = 1.0

    @property
    def drawn(self) -> bool:
        return True

    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        assert source is not None
        x = DDIM().step(denoiser, x, sigma, target, None)
        size = self.ratio * (sigma / target).log().clamp_max(0.5) * target**2  # of longer walks too much goes wrong
        return x + size * score_of(at(denoiser, x, target), x, target) + (2 * size).sqrt() * normal(x, source)

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(ratio=0.3), cls(ratio=2.0)]  # at 1 what walks and what steps do wrong cancels for a Gaussian
