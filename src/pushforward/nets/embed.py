"""A real number as waves, so that a network can tell close values apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Waves(nn.Module):
    """x → (cos 2π(f x + φ), sin 2π(f x + φ)) · √2 at frequencies spaced evenly in logarithm.

    Args:
        width: of the embedding, even.
        low, high: smallest and largest frequency, in cycles per unit.
    """

    frequencies: Tensor

    def __init__(self, width: int, low: float = 1 / 16, high: float = 4.0):
        super().__init__()
        spaced = torch.logspace(math.log10(low), math.log10(high), width // 2)
        self.register_buffer("frequencies", 2 * math.pi * spaced)

    def forward(self, x: Tensor) -> Tensor:
        """(...) → (..., width)."""
        angle = x[..., None] * self.frequencies
        return math.sqrt(2) * torch.cat([angle.cos(), angle.sin()], -1)
