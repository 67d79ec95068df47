"""What an adversarial loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class AdversarialLoss(ABC):
    """The terms of both players, as functions of the scores D(x) of real and D(G(z)) of drawn records."""

    paired: bool = False  # whether a drawn record is judged beside a real one, so that the generator needs real scores

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """(n,), (n,) scores → (n,) what the discriminator minimises."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """(n,), (n,) scores → (n,) what the generator minimises."""

    @abstractmethod
    def divergence(self, real: Tensor, fake: Tensor) -> Tensor:
        """How far apart data and draws are, as this discriminator sees it; 0 where it cannot tell them apart."""

    def boundary(self, real: Tensor, fake: Tensor) -> Tensor:
        """The score at which real and drawn are held equally likely."""
        return torch.zeros((), device=real.device)
