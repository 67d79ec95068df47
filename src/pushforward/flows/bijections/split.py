"""Half of the channels led further, half of them left as they are: the levels of a multi-scale flow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.bijections.squeeze import Squeeze


@final
class Split(Bijection):
    """(x_a, x_b) → (f(x_a), x_b) as one flat vector, f for the coarser levels (Dinh et al. 2016, arXiv 1605.08803).

    Args:
        shape: (channels, height, width).
        coarser: f, a map of the first half of the channels; None leaves all as it is, and flattens it.
        condition: numbers of c.
    """

    def __init__(self, shape: tuple[int, int, int], coarser: Bijection | None = None, condition: int = 0):
        super().__init__()
        self.shape, self.coarser = shape, coarser
        self.condition = max(condition, coarser.condition if coarser is not None else 0)
        self._half = shape[0] // 2

    @property
    def out(self) -> tuple[int]:
        """(channels × height × width,)."""
        return (math.prod(self.shape),)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, size), (n,)."""
        if self.coarser is None:
            return x.flatten(1), x.new_zeros(len(x))
        y, ladj = self.coarser(x[:, : self._half], c)
        return torch.cat([y.flatten(1), x[:, self._half :].flatten(1)], 1), ladj

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, size), (n, condition) → (n, *shape), (n,)."""
        if self.coarser is None:
            return y.view(-1, *self.shape), y.new_zeros(len(y))
        size = math.prod(self.coarser.out)
        x, ladj = self.coarser.inverse(y[:, :size].view(-1, *self.coarser.out), c)
        channels, height, width = self.shape
        rest = y[:, size:].view(-1, channels - self._half, height, width)
        return torch.cat([x, rest], 1), ladj

    def prepare(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The coarser levels take what they need from what reaches them."""
        if self.coarser is not None:
            self.coarser.prepare(x[:, : self._half], c)
        return self(x, c)[0]

    @classmethod
    def examples(cls) -> Sequence[Split]:
        return [cls((4, 2, 2), Squeeze((2, 2, 2)) >> cls((8, 1, 1))), cls((3, 2, 1))]
