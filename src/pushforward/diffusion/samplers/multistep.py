"""Steps that remember the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, final

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.samplers.sampler import Sampler, at


@final
@dataclass(frozen=True)
class Multistep(Sampler):
    """DPM-Solver++ 2M (Lu et al. 2022, arXiv 2211.01095), as an ODE and as an SDE.

    With h = log σ - log σ' and w = 1 - e^(-(1 + η²) h), x ← (σ'/σ) e^(-η² h) x + w D̃ + σ' √(1 - e^(-2 η² h)) z, where D̃
    continues the line through what the denoiser said last and what it says now to the middle of the step. The linear
    part is solved exactly, so that two orders cost one evaluation a step.

    Attributes:
        eta: η, how much noise is drawn on the way: 0 follows the ODE, 1 the SDE.
    """

    order: ClassVar[float] = 2
    evaluations: ClassVar[int] = 1
    eta: float = 0.0

    @property
    def drawn(self) -> bool:
        return self.eta > 0

    def __call__(self, denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: Source | None = None) -> Iterator[Tensor]:
        """The states at each noise level after the first."""
        last, before = None, None
        for sigma, target in pairwise(sigmas):
            mean = at(denoiser, x, sigma)
            if target == 0:
                x = mean
            else:
                h = sigma.log() - target.log()
                ahead = mean
                if last is not None and before is not None:
                    ahead = mean + h / (2 * before) * (mean - last)
                x = target / sigma * (-(self.eta**2) * h).exp() * x - (-(1 + self.eta**2) * h).expm1() * ahead
                if self.eta:
                    assert source is not None
                    x = x + target * (-(-2 * self.eta**2 * h).expm1()).sqrt() * normal(x, source)
                last, before = mean, h
            yield x

    @classmethod
    def examples(cls) -> list[Sampler]:
        return [cls(), cls(eta=1.0)]
