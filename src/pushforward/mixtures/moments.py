"""What records say about a mixture, and the mixture that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances.kind import alive
from pushforward.mixtures.prior import Prior
from pushforward.training.statistic import Statistic

if TYPE_CHECKING:
    from pushforward.mixtures.gaussian import Mixture


@dataclass(frozen=True)
class Moments(Statistic):
    """Sums over records; they add.

    Attributes:
        mass: (K,) responsibilities.
        numbers: what the shape of the covariances wants to know of the numbers, such as sums of x and of x xᵀ.
        counts: (K, L) responsibilities of the levels.
        holes: (K, h) of the holes.
        score: () weighted sum of log densities.
        weight: () of the records.
    """

    mass: Tensor
    numbers: tuple[Tensor, ...]
    counts: Tensor
    holes: Tensor
    score: Tensor
    weight: Tensor

    def tensors(self) -> list[Tensor]:
        return [self.mass, *self.numbers, self.counts, self.holes, self.score, self.weight]

    @classmethod
    def of(cls, tensors: list[Tensor]) -> Self:
        """The moments of which these are the tensors."""
        mass, *numbers, counts, holes, score, weight = tensors
        return cls(mass, tuple(numbers), counts, holes, score, weight)

    def __add__(self, other: Self) -> Self:
        return self.of([a + b for a, b in zip(self.tensors(), other.tensors(), strict=True)])

    def times(self, factor: float) -> Self:
        """The moments of records that weigh so much as much."""
        return self.of([factor * tensor for tensor in self.tensors()])


def solve(moments: Moments, before: Mixture, prior: Prior) -> Mixture:
    """The mixture that fits the moments best; a component that no record belongs to stays where it was.

    Args:
        moments: of all records.
        before: the mixture that the moments were taken under.
        prior: what is believed beside them.
    """
    means, covariances = before.covariances.solve(moments.numbers, moments.mass, before.means, prior)
    tables = before.tables.clone()
    for f, start in enumerate(before.starts):
        n = before.levels[f]
        rows = moments.counts[:, start : start + n] + prior.smoothing / n
        tables[:, start : start + n] = rows / rows.sum(1, keepdim=True)
    weights = (moments.mass / moments.mass.sum()).clamp_min(1e-300)
    return type(before)(weights / weights.sum(), means, covariances, tables, before.levels, before.grid)


def collapsed(mixture: Mixture, ridge: float) -> Tensor:
    """(K,) which components have next to no variance in a direction in which the whole mixture has some."""
    if mixture.means.shape[1] == 0:
        return torch.zeros(len(mixture.weights), dtype=torch.bool)
    least, direction = mixture.covariances.smallest()  # (K,), (K, d), or of one for all
    apart = (mixture.means - mixture.weights @ mixture.means) @ direction.T
    between = mixture.weights @ apart.square()
    # on a grid no probability exceeds 1, however small a variance is
    free = direction.square() @ (mixture.grid == 0).to(least) > 0.5
    return (least <= 2 * ridge) & (between > 100 * ridge) & free & alive(mixture.weights)
