"""The first path of diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from pushforward.diffusion.paths.path import Path


@final
@dataclass(frozen=True)
class Linear(Path):
    """log a = -¼ t² (β₁ - β₀) - ½ t β₀, s = √(1 - a²): noise comes in at a rate that grows linearly.

    A network is asked for the noise, and all times are trained alike (Ho, Jain, Abbeel 2020, arXiv 2006.11239; in
    continuous time Song et al. 2021, arXiv 2011.13456). Where noise is all there is, what is said of the data errs by σ
    times as much as what is said of the noise, so that it wants longer training than the others.

    Attributes:
        low, high: β₀ and β₁.

    >>> path = Linear()
    >>> a, s = path.coefficients(torch.tensor(1.0))
    >>> round(a.item(), 4), round(s.item(), 4)
    (0.0066, 1.0)
    """

    low: float = 0.1
    high: float = 20.0

    def _log(self, t: Tensor) -> Tensor:
        return -0.25 * t**2 * (self.high - self.low) - 0.5 * t * self.low

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        log = self._log(t)
        return log.exp(), (-torch.expm1(2 * log)).sqrt()

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        a, s = self.coefficients(t)
        slope = -0.5 * (self.low + t * (self.high - self.low))
        return slope * a, -slope * a**2 / s

    def time(self, sigma: Tensor) -> Tensor:
        log = 0.5 * (sigma**2).log1p()  # -log a
        span = self.high - self.low
        # the root of ¼ span t² + ½ low t = log, written so that nothing cancels
        return 2 * log / (0.5 * self.low + (0.25 * self.low**2 + span * log).sqrt())

    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        return torch.ones_like(sigma), -sigma

    def levels(self, u: Tensor) -> Tensor:
        a, s = self.coefficients(u)
        return s / a

    @classmethod
    def examples(cls) -> list[Path]:
        return [cls(), cls(low=0.5, high=8.0)]
