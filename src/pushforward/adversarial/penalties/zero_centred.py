"""Flat at data and at draws."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty, squared


class ZeroCentred(Penalty):
    """R₁ + R₂: E|∇D(x)|² + E|∇D(G(z))|², by double differentiation (Huang et al. 2024, arXiv 2501.05441)."""

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        real, fake = judged.slopes
        return {"real": squared(real), "drawn": squared(fake)}
