"""The original game, in which both sides play for one number."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import softplus

from pushforward.adversarial.losses.loss import AdversarialLoss


class Minimax(AdversarialLoss):
    """max over D, min over G: E[log σ(D(x))] + E[log(1 - σ(D(G(z))))] (Goodfellow et al. 2014, arXiv 1406.2661).

    For a fixed generator the best σ(D) is p/(p + q), and the value 2 JSD(p, q) - log 4. The generator's slope
    vanishes where the discriminator is sure, which is why this one fails in practice; it is here to be seen to.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real) + softplus(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -softplus(fake)

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return math.log(2) - self.discriminator(real, fake).mean() / 2
