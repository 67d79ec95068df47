"""What a penalty on a discriminator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Judged:
    """What a discriminator said in one step.

    Attributes:
        critic: (n, size) points → (n,) scores, the same augmentation and conditions each time it is asked.
        real, fake: (n, size) points.
        real_scores, fake_scores: (n,).
    """

    critic: Critic
    real: Tensor
    fake: Tensor
    real_scores: Tensor
    fake_scores: Tensor


class Penalty(ABC):
    """A term that is added, times γ/2, to what the discriminator minimises."""

    slopes: bool = True  # whether it takes slopes at the points that were judged

    @abstractmethod
    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        """(n,) terms by what they are taken at, such as ``{"real": …, "fake": …}``; their sum is the penalty."""


def slope(scores: Tensor, points: Tensor) -> Tensor:
    """(n,) |∇D|² at points, itself with a slope."""
    (gradient,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    return gradient.flatten(1).square().sum(1)
