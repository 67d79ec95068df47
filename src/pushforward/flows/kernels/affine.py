"""A shift and a scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from pushforward.flows.kernels.kernel import Kernel

MOST = math.log(1000)  # of log scale, either way


@final
class AffineKernel(Kernel):
    """y = x eˢ + t, the scale between 1/1000 and 1000 (Dinh, Sohl-Dickstein, Bengio 2016, arXiv 1605.08803)."""

    parameters = 2

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (2, m) parameters → (m,) values, (m,) log dy/dx."""
        s = _bounded(theta[1])
        return torch.addcmul(theta[0], x, s.exp()), s

    def inverse(self, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (2, m) parameters → (m,) values, (m,) log dx/dy."""
        s = -_bounded(theta[1])
        return (y - theta[0]) * s.exp(), s

    @classmethod
    def examples(cls) -> Sequence[AffineKernel]:
        return [cls()]


def _bounded(s: Tensor) -> Tensor:
    """log scale within its bounds, where it stays."""
    return s.clamp(-MOST, MOST)
