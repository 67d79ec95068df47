"""A margin around the boundary, beyond which nothing is learned."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from pushforward.adversarial.losses.loss import AdversarialLoss


class Hinge(AdversarialLoss):
    """E[(1 - D(x))⁺ + (1 + D(G(z)))⁺] and -E D(G(z)) (Lim, Ye 2017, arXiv 1705.02894)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 - real) + relu(1 + fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return 1 - self.discriminator(real, fake).mean() / 2
