"""The channels of every pixel mixed by one linear map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

from torch import Tensor

from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.bijections.lu import LU


@final
class Convolution(Bijection):
    """The 1×1 convolution of Glow (Kingma, Dhariwal 2018, arXiv 1807.03039), by `LU`.

    Args:
        shape: (channels, height, width).
        order: (channels,) that they are brought to first; as they come if not said.
    """

    def __init__(self, shape: tuple[int, int, int], order: Tensor | None = None):
        super().__init__()
        self.shape = shape
        self.mix = LU(shape[0], order)
        self._pixels = math.prod(shape[1:])

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape) → (n, *shape), (n,)."""
        y, ladj = self.mix(_rows(x))
        return _pictures(y, x), self._pixels * ladj[: len(x)]

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape) → (n, *shape), (n,)."""
        x, ladj = self.mix.inverse(_rows(y))
        return _pictures(x, y), self._pixels * ladj[: len(y)]

    @classmethod
    def examples(cls) -> Sequence[Convolution]:
        return [cls((3, 2, 2))]


def _rows(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _pictures(rows: Tensor, like: Tensor) -> Tensor:
    n, channels, height, width = like.shape
    return rows.view(n, height, width, channels).permute(0, 3, 1, 2)
