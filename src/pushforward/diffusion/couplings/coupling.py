"""What a coupling is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor

from pushforward.errors import ArgumentError


class Coupling(ABC):
    """(x, y) ↦ (x, y'): the rows of a batch beside rows of another, whose shares of the pairs stay what they are."""

    together: ClassVar[bool] = False  # whether rows come in pairs, so that both data sets are gone through in one order
    noisy: ClassVar[bool] = False  # whether it is made for a bridge with noise, and there is none without

    @classmethod
    @abstractmethod
    def of(cls, epsilon: float) -> Self:
        """The coupling as a bridge of variance `epsilon` a unit of time begins from it."""

    @abstractmethod
    def __call__(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(n, d), (m, d) → (n, d), (n, d): x as it is, and a row of y beside each of its rows.

        Args:
            x, y: two batches, on one device.
            generator: what is drawn is drawn from it; on that device.
        """

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Coupling]:
        """Small instances that the contract tests go through."""


def evenly(y: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """n rows of y (m, d), each as often as any other but for one; y itself where it has as many.

    >>> rows = evenly(torch.arange(3.0)[:, None], 7, torch.Generator().manual_seed(0))[:, 0].long()
    >>> sorted(rows.bincount().tolist())
    [2, 2, 3]
    """
    if len(y) == n:
        return y
    times, rest = divmod(n, len(y))
    some = torch.randperm(len(y), generator=generator, device=y.device)[:rest]
    return torch.cat([y.repeat(times, 1), y[some]])


def squares(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) squared distances of x (n, d) and y (m, d), each about its own mean.

    Which plan is best does not depend on where the batches lie: (x - a)·(y - b) differs from x·y by what depends on one
    of the two alone. About their means distances are small, and assignments are found up to four times as fast.
    """
    return torch.cdist((x - x.mean(0)).float(), (y - y.mean(0)).float()).square()


def check_shapes(x: Tensor, y: Tensor) -> None:
    """Refuse batches whose rows have different lengths, or that are empty.

    Raises:
        ArgumentError: it is so.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ArgumentError(f"x and y have shapes {tuple(x.shape)} and {tuple(y.shape)}; give (n, d) and (m, d)")
