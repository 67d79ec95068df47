"""Flat at data and at draws."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty


class ZeroCentred(Penalty):
    """R₁ + R₂: E|∇D(x)|² + E|∇D(G(z))|², by double differentiation (Huang et al. 2024, arXiv 2501.05441)."""

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        both = judged.real_scores.sum() + judged.fake_scores.sum()
        slopes = torch.autograd.grad(both, (judged.real, judged.fake), create_graph=True)
        real, fake = (gradient.flatten(1).square().sum(1) for gradient in slopes)
        return {"real": real, "drawn": fake}
