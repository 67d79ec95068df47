"""Along a quarter of a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor

from pushforward.diffusion.paths.path import Path

QUARTER = math.pi / 2


@final
@dataclass(frozen=True)
class Cosine(Path):
    """a = cos(π t / 2), s = sin(π t / 2): x_t keeps the deviation of data (Nichol, Dhariwal 2021, arXiv 2102.09672).

    A network is asked for the velocity (Salimans, Ho 2022, arXiv 2202.00512), and all angles are trained alike. Where
    data is a standard normal the ODE stands still, so that it is the straightest line to take steps along.

    >>> import torch
    >>> path = Cosine()
    >>> path.time(torch.tensor(1.0)).item()
    0.5
    """

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return (QUARTER * t).cos(), (QUARTER * t).sin()

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return -QUARTER * (QUARTER * t).sin(), QUARTER * (QUARTER * t).cos()

    def time(self, sigma: Tensor) -> Tensor:
        return sigma.atan() / QUARTER

    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        return 1 / (1 + sigma**2), -sigma * (1 + sigma**2).rsqrt()

    def levels(self, u: Tensor) -> Tensor:
        return (QUARTER * u).tan()

    @classmethod
    def examples(cls) -> list[Path]:
        return [cls()]
