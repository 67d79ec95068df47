"""Steps that first add noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.samplers.sampler import Sampler, at

MOST = 2**0.5 - 1  # by which a noise level is raised, as a share of it


@final
@dataclass(frozen=True)
class Churn(Sampler):
    """Raise σ to (1 + γ) σ by fresh noise, then step down by Heun (Karras et al. 2022, arXiv 2206.00364, algorithm 2).

    What went wrong on the way is forgotten with the noise that it was hidden in.

    Attributes:
        amount: S_churn; γ = min(amount / steps, √2 - 1).
        low, high: noise levels between which it is done.
    """

    order: ClassVar[float] = 2
    evaluations: ClassVar[int] = 2
    amount: float = 8.0
    low: float = 0.0
    high: float = float("inf")

    @property
    def drawn(self) -> bool:
        return True

    def __call__(self, denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: Source | None = None) -> Iterator[Tensor]:
        """The states at each noise level after the first."""
        assert source is not None
        gamma, heun = min(self.amount / (len(sigmas) - 1), MOST), Heun()
        for level, target in pairwise(sigmas):
            sigma = level
            if self.low <= float(level) <= self.high:
                sigma = level * (1 + gamma)
                x = x + (sigma**2 - level**2).sqrt() * normal(x, source)
            x = at(denoiser, x, sigma) if target == 0 else heun.step(denoiser, x, sigma, target, None)
            yield x

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(), cls(amount=40.0)]
