"""Channels brought to mean 0 and deviation 1 once, and learned from there on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from pushforward.flows.bijections.bijection import Bijection

LEAST = 1e-3  # deviation of a channel that is (almost) constant


@final
class ActNorm(Bijection):
    """y = (x - m) e^-s, channel by channel, m and s taken from some records by `prepare`.

    (Kingma, Dhariwal 2018, arXiv 1807.03039.)

    Args:
        shape: (d,), or (channels, height, width).
    """

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape
        self.mean, self.log_scale = (nn.Parameter(torch.zeros(shape[0], *[1] * (len(shape) - 1))) for _ in range(2))
        self._pixels = math.prod(shape[1:])

    @torch.no_grad()
    def prepare(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Take mean and deviation from some records."""
        dims = [0, *range(2, x.ndim)]
        self.mean.copy_(x.mean(dims).view_as(self.mean))
        self.log_scale.copy_(x.std(dims, unbiased=False).clamp_min(LEAST).log().view_as(self.mean))
        return self(x)[0]

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape) → (n, *shape), (n,)."""
        ladj = -self._pixels * self.log_scale.sum()
        return (x - self.mean) * (-self.log_scale).exp(), ladj.expand(len(x))

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape) → (n, *shape), (n,)."""
        ladj = self._pixels * self.log_scale.sum()
        return y * self.log_scale.exp() + self.mean, ladj.expand(len(y))

    @classmethod
    def examples(cls) -> Sequence[ActNorm]:
        return [cls((3,)), cls((2, 3, 3))]
