"""Coordinates or channels in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import torch
from torch import Tensor

from pushforward.errors import ArgumentError
from pushforward.flows.bijections.bijection import Bijection


@final
class Permutation(Bijection):
    """y_i = x_{order(i)}.

    Args:
        order: every whole number below d once.

    >>> Permutation([2, 0, 1])(torch.tensor([[10.0, 11.0, 12.0]]))[0].tolist()
    [[12.0, 10.0, 11.0]]
    """

    order: Tensor
    back: Tensor

    def __init__(self, order: Sequence[int]):
        super().__init__()
        if sorted(order) != list(range(len(order))):
            raise ArgumentError(f"order={list(order)} is no permutation; it must hold 0 … {len(order) - 1} once each")
        self.shape = (len(order),)
        self.register_buffer("order", torch.tensor(order))
        self.register_buffer("back", self.order.argsort())

    @classmethod
    def reversed(cls, size: int) -> Self:
        """Last to first."""
        return cls(range(size)[::-1])

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        return x[:, self.order], x.new_zeros(len(x))

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        return y[:, self.back], y.new_zeros(len(y))

    @classmethod
    def examples(cls) -> Sequence[Permutation]:
        return [cls([2, 0, 1]), cls.reversed(1)]
