"""Pairs as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import torch
from torch import Tensor

from pushforward.diffusion.couplings.coupling import Coupling, check_shapes
from pushforward.errors import ArgumentError


@final
class Paired(Coupling):
    """The i-th x beside the i-th y, for data that comes in pairs: a sketch and its photograph, before and after.

    >>> x = torch.arange(2.0)[:, None]
    >>> Paired()(x, 10 * x, torch.Generator())[1].tolist()
    [[0.0], [10.0]]
    """

    together = True

    @classmethod
    def of(cls, epsilon: float) -> Self:
        return cls()

    def __call__(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """As for any coupling.

        Raises:
            ArgumentError: there are not as many x as y.
        """
        check_shapes(x, y)
        if len(x) != len(y):
            raise ArgumentError(f"{len(x)} rows cannot be paired with {len(y)}; give as many of each")
        return x, y

    @classmethod
    def examples(cls) -> Sequence[Paired]:
        return [cls()]
