"""Relativistic pairing: is this record more real than that one?"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import softplus

from pushforward.adversarial.losses.loss import AdversarialLoss


class Relativistic(AdversarialLoss):
    """E[log(1 + exp(-(D(x) - D(G(z)))))], and the same with the sign turned for the generator.

    Every drawn record is compared with a real one, so a mode that is dropped still pulls. The best discriminator is
    log p/q up to a constant. With penalties on its slope at data and draws the game converges locally (Jolicoeur-
    Martineau 2018, arXiv 1807.00734; Huang, Gokaslan, Kuleshov, Tompkin 2024, arXiv 2501.05441).

    >>> import torch
    >>> one = torch.ones(1)
    >>> round(Relativistic().discriminator(one, -one).item(), 3), round(Relativistic().generator(one, -one).item(), 3)
    (0.127, 2.127)
    """

    paired = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(real - fake)

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return math.log(2) - self.discriminator(real, fake).mean()

    def boundary(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real.mean() + fake.mean()) / 2
