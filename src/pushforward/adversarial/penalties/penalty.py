"""What a penalty on a discriminator is."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Critic(Protocol):
    """(n, size) real or drawn points → (n,) scores, under the same changes and conditions each time it is asked."""

    def __call__(self, points: Tensor, fake: bool = False) -> Tensor: ...


@dataclass(frozen=True)
class Judged:
    """What a discriminator said in one step.

    Attributes:
        critic: what said it.
        real, fake: (n, size) points.
        real_scores, fake_scores: (n,), or (n / k,) where k records are judged as one.
    """

    critic: Critic
    real: Tensor
    fake: Tensor
    real_scores: Tensor
    fake_scores: Tensor

    @functools.cached_property
    def slopes(self) -> tuple[Tensor, Tensor]:
        """(n, size) ∇D at real and at drawn points, with slopes of their own."""
        both = self.real_scores.sum() + self.fake_scores.sum()
        real, fake = torch.autograd.grad(both, (self.real, self.fake), create_graph=True)
        return real, fake


class Penalty(ABC):
    """A term that is added, times γ/2 and the mean squared distance of records, to what the discriminator minimises."""

    slopes: bool = True  # whether it takes slopes at the points that were judged

    @abstractmethod
    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        """(n,) terms by what they are taken at, such as ``{"real": …, "drawn": …}``; their sum is the penalty."""


def squared(slopes: Tensor) -> Tensor:
    """(n,) |∇D|² of (n, size) slopes."""
    return slopes.flatten(1).square().sum(1)
