"""What every map of one number promises that couplings and autoregressive maps apply coordinate by coordinate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor


class Kernel(ABC):
    """An increasing map of the line, whose parameters another network says.

    Parameters stand on the first axis and values are one long line behind it: operations over bins or components are
    then sums of long contiguous rows, which is what a processor is quick at.

    Attributes:
        parameters: P, how many numbers a value takes; all zero, the map is near the identity.
    """

    parameters: int

    @abstractmethod
    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (P, m) parameters → (m,) values, (m,) log dy/dx."""

    @abstractmethod
    def inverse(self, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (P, m) parameters → (m,) values, (m,) log dx/dy."""

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Kernel]:
        """Instances that the contract tests go through."""
