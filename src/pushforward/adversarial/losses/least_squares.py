"""Real is 1, drawn is 0, and errors are squared."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.losses.loss import AdversarialLoss


class LeastSquares(AdversarialLoss):
    """E[(D(x) - 1)² + D(G(z))²] and E[(D(G(z)) - 1)²]; the best D is p/(p + q) (Mao et al. 2016, arXiv 1611.04076)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - 1).square() + fake.square()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - 1).square()

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return 1 - 2 * self.discriminator(real, fake).mean()

    def boundary(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.full((), 0.5, device=real.device)
