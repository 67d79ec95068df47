"""The original discriminator, and a generator whose slope does not vanish."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import softplus

from pushforward.adversarial.losses.loss import AdversarialLoss


class NonSaturating(AdversarialLoss):
    """The generator maximises E[log σ(D(G(z)))] instead (Goodfellow et al. 2014, arXiv 1406.2661, section 3)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real) + softplus(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-fake)

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return math.log(2) - self.discriminator(real, fake).mean() / 2
