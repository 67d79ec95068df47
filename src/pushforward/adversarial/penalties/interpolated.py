"""Slope 1 between data and draws."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty, squared

TINY = 1e-12  # under a root, whose slope at 0 is none


class Interpolated(Penalty):
    """2 E(|∇D(u x + (1 - u) G(z))| - 1)² with u uniform (Gulrajani et al. 2017, arXiv 1704.00028); γ ℓ² is their λ."""

    slopes = False

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        u = torch.rand(len(judged.real), 1, generator=generator, device=judged.real.device)
        between = (u * judged.real + (1 - u) * judged.fake).detach().requires_grad_()
        (slopes,) = torch.autograd.grad(judged.critic(between).sum(), between, create_graph=True)
        norm = (squared(slopes) + TINY).sqrt()
        return {"between": 2 * (norm - 1).square()}
