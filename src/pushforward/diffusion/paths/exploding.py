"""Noise on top of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import SIGMA_MAX, SIGMA_MIN
from pushforward.diffusion.paths.path import Path


@final
@dataclass(frozen=True)
class Exploding(Path):
    """a = 1, s = (σ₀^(1/ρ) + t (σ₁^(1/ρ) - σ₀^(1/ρ)))^ρ: noise grows on data (Karras et al. 2022, arXiv 2206.00364).

    A network is asked for data or noise, whichever is harder to see, so that its target has unit size at every level;
    levels are log-normal.

    Attributes:
        mean, deviation: of log σ in training; the paper's -1.2 and 1.2, in units of data of deviation 1.
        rho: how much the steps of a sampler shrink towards the data.

    >>> path = Exploding()
    >>> path.levels(torch.tensor(0.5)).log().item()
    -0.5
    """

    mean: float = -0.5
    deviation: float = 1.2
    rho: float = 7.0

    @property
    def _ends(self) -> tuple[float, float]:
        return SIGMA_MIN ** (1 / self.rho), SIGMA_MAX ** (1 / self.rho)

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self._ends
        return torch.ones_like(t), (low + t * (high - low)) ** self.rho

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self._ends
        return torch.zeros_like(t), self.rho * (high - low) * (low + t * (high - low)) ** (self.rho - 1)

    def time(self, sigma: Tensor) -> Tensor:
        low, high = self._ends
        return (sigma ** (1 / self.rho) - low) / (high - low)

    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        return 1 / (1 + sigma**2), sigma * (1 + sigma**2).rsqrt()

    def levels(self, u: Tensor) -> Tensor:
        return (self.mean + self.deviation * torch.special.ndtri(u.clamp(1e-5, 1 - 1e-5))).exp()

    @classmethod
    def examples(cls) -> list[Path]:
        return [cls(), cls(rho=3.0)]
