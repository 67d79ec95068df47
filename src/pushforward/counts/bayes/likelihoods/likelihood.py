"""What a distribution of one number must answer; all of them are told by a mean and a spread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Means and variances of a number, by class and over all.

    Attributes:
        mean, variance: (K,) by class.
        overall_mean, overall_variance: over all classes, scalars.
        step: of the grid that the number lies on; 0: it lies on none.
        floor: the least variance of a class, as a share of that over all.
    """

    mean: Tensor
    variance: Tensor
    overall_mean: Tensor
    overall_variance: Tensor
    step: float
    floor: float


class Likelihood(ABC):
    """p(x | mean, spread): a density off the grid, a probability on it. It holds no state."""

    @abstractmethod
    def fit(self, moments: Moments) -> tuple[Tensor, Tensor]:
        """(K,) means and (K,) spreads of the distributions that have these moments."""

    @abstractmethod
    def log_prob(self, x: Tensor, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        """log p(x), broadcast."""

    @abstractmethod
    def log_between(self, low: float, high: float, mean: Tensor, spread: Tensor, step: float) -> Tensor:
        """(K,) log p(low ≤ x ≤ high); on a grid both are points of it, or infinite."""

    @abstractmethod
    def draw(
        self, k: Tensor, low: float, high: float, mean: Tensor, spread: Tensor, step: float, generator: torch.Generator
    ) -> Tensor:
        """(n,) numbers of the classes k, from low to high, by the inverse of the distribution function."""
