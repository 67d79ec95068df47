"""The distance that mass has to be moved."""

from __future__ import annotations

from torch import Tensor

from pushforward.adversarial.losses.loss import AdversarialLoss


class Wasserstein(AdversarialLoss):
    """E D(G(z)) - E D(x) over D of slope 1, which `penalty="interpolated"` sees to.

    The best D gives the first Wasserstein distance (Arjovsky, Chintala, Bottou 2017, arXiv 1701.07875).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake - real

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake

    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - fake).mean()

    def boundary(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real.mean() + fake.mean()) / 2
