"""What turns vectors into codes of a finite codebook, and codes into vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Quantised:
    """Vectors brought to a codebook.

    Attributes:
        values: (n, k, width) the vectors of the codes, through which gradients flow to what was brought there.
        codes: (n, k) int64.
        cost: (n,) what the distance costs in training.
    """

    values: Tensor
    codes: Tensor
    cost: Tensor


class Quantiser(nn.Module, ABC):
    """A codebook of `size` vectors of `width` numbers.

    Attributes:
        size: codes that there are.
        width: numbers of a vector.
    """

    size: int
    width: int

    @abstractmethod
    def forward(self, h: Tensor) -> Quantised:
        """(n, k, width) → the codes that stand for it."""

    @abstractmethod
    def values(self, codes: Tensor) -> Tensor:
        """(n, k) codes → (n, k, width) their vectors."""

    def prepare(self, h: Tensor, generator: torch.Generator) -> None:
        """Take the codebook from (m, width) vectors, before training."""

    def learn(self, h: Tensor, codes: Tensor, generator: torch.Generator) -> None:
        """Move the codebook after a step that brought h (n, k, width) to codes (n, k)."""
