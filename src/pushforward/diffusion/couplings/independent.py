"""Pairs by lot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import torch
from torch import Tensor

from pushforward.diffusion.couplings.coupling import Coupling, check_shapes, evenly


@final
class Independent(Coupling):
    """Every x beside a y that does not depend on it: π = p ⊗ q.

    >>> x = torch.arange(4.0)[:, None]
    >>> _, y = Independent()(x, x, torch.Generator().manual_seed(0))
    >>> sorted(y[:, 0].tolist())
    [0.0, 1.0, 2.0, 3.0]
    """

    @classmethod
    def of(cls, epsilon: float) -> Self:
        return cls()

    def __call__(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        check_shapes(x, y)
        rows = evenly(y, len(x), generator)
        return x, rows[torch.randperm(len(rows), generator=generator, device=y.device)]

    @classmethod
    def examples(cls) -> Sequence[Independent]:
        return [cls()]
