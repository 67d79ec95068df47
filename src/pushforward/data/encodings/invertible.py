"""What every invertible encoding promises: a map, its inverse, and how it stretches volume."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Invertible(nn.Module, ABC):
    """An invertible map of d columns, each on its own; parameters are buffers, so that they are saved."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, d) data → (n, d) code and (n, d) log |dy/dx|."""

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """(n, d) code → (n, d) data."""

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Invertible]:
        """Small instances that the contract tests go through."""
