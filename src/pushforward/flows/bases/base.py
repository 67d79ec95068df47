"""What noise is distributed like, and any density that can be drawn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Base(nn.Module, ABC):
    """p(z) over vectors of `size` numbers, with parameters that may be learned along with what stands on it.

    Args:
        size: numbers of a vector.
    """

    like: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        self.register_buffer("like", torch.empty(0), persistent=False)  # of the type and device of what is drawn

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """(n, size) → (n,)."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, size)."""

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Base]:
        """Small instances that the contract tests go through."""
