"""The standard normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from pushforward.flows.bases.base import Base

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@final
class Normal(Base):
    """N(z; 0, I).

    >>> Normal(1).log_prob(torch.zeros(1, 1)).exp().item()  # 1 / √(2π)
    0.3989422...
    """

    def log_prob(self, z: Tensor) -> Tensor:
        """(n, size) → (n,)."""
        return (-0.5 * z**2 - _HALF_LOG_TAU).sum(1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, size)."""
        return torch.randn(n, self.size, generator=generator, device=generator.device, dtype=self.like.dtype)

    @classmethod
    def examples(cls) -> Sequence[Normal]:
        return [cls(1), cls(2)]
