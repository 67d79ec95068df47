"""Blocks of pixels as channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from pushforward.errors import ArgumentError
from pushforward.flows.bijections.bijection import Bijection


@final
class Squeeze(Bijection):
    """Every 2×2 block of pixels becomes one pixel of four times as many channels (arXiv 1605.08803).

    Args:
        shape: (channels, height, width), the sides even.
    """

    def __init__(self, shape: tuple[int, int, int]):
        super().__init__()
        if shape[1] % 2 or shape[2] % 2:
            raise ArgumentError(f"shape={shape} has an odd side; pad the picture to even ones")
        self.shape = shape

    @property
    def out(self) -> tuple[int, int, int]:
        """(4 channels, height / 2, width / 2)."""
        channels, height, width = self.shape
        return 4 * channels, height // 2, width // 2

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape) → (n, *out), (n,)."""
        return pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *out) → (n, *shape), (n,)."""
        return pixel_shuffle(y, 2), y.new_zeros(len(y))

    @classmethod
    def examples(cls) -> Sequence[Squeeze]:
        return [cls((1, 2, 4))]
