"""Nearly the same at neighbours of data and of draws."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty

SIGMA = 0.05  # distance of a neighbour, coordinate by coordinate, in deviations of the data


class Nearby(Penalty):
    """R₁ + R₂ by differences: (D(x + σ ε) - D(x))² / σ² ≈ (ε·∇D)², whose mean is |∇D|².

    It needs no double differentiation, for about half the time of a step; the price is the noise of one direction
    (Lin et al. 2025, arXiv 2501.08316).
    """

    slopes = False

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        def squares(points: Tensor, scores: Tensor, fake: bool) -> Tensor:
            epsilon = torch.randn(points.shape, generator=generator, device=points.device)
            return ((judged.critic(points + SIGMA * epsilon, fake) - scores) / SIGMA).square()

        return {
            "real": squares(judged.real, judged.real_scores, False),
            "drawn": squares(judged.fake, judged.fake_scores, True),
        }
