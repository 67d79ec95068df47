"""Along straight lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from pushforward.diffusion.paths.path import Path


@final
@dataclass(frozen=True)
class Straight(Path):
    """a = 1 - t, s = t: flow matching (Lipman et al. 2022, arXiv 2210.02747; Liu, Gong, Liu 2022, arXiv 2209.03003).

    A network is asked for the velocity ε - y. The logit of the times that are trained is normal (Esser et al. 2024,
    arXiv 2403.03206), which is to say that log σ is.

    Attributes:
        mean, deviation: of the logit of t.

    >>> path = Straight()
    >>> path.time(torch.tensor([0.0, 1.0, 3.0])).tolist()
    [0.0, 0.5, 0.75]
    """

    mean: float = 0.0
    deviation: float = 1.0

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return 1 - t, t

    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return -torch.ones_like(t), torch.ones_like(t)

    def time(self, sigma: Tensor) -> Tensor:
        return sigma / (1 + sigma)

    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        return 1 / (1 + sigma), -sigma / (1 + sigma)

    def levels(self, u: Tensor) -> Tensor:
        return (self.mean + self.deviation * torch.special.ndtri(u.clamp(1e-5, 1 - 1e-5))).exp()

    @classmethod
    def examples(cls) -> list[Path]:
        return [cls(), cls(mean=-0.5, deviation=1.5)]
