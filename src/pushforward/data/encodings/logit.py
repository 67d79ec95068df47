"""The open interval to the whole line."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from pushforward.data.encodings.invertible import Invertible


class Logit(Invertible):
    """y = log((x - low) / (high - x)), column by column.

    Args:
        low: (d,), below all data.
        high: (d,), above all data.

    >>> Logit(torch.zeros(1), torch.ones(1))(torch.tensor([[0.5]]))[0].item()
    0.0
    """

    low: Tensor
    high: Tensor

    def __init__(self, low: Tensor, high: Tensor):
        super().__init__()
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = (x - self.low).log() - (self.high - x).log()
        return y, -(self.high - self.low).log() - logsigmoid(y) - logsigmoid(-y)

    def inverse(self, y: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * y.sigmoid()

    @classmethod
    def examples(cls) -> Sequence[Logit]:
        return [cls(torch.tensor([-5.0, -9.0], dtype=torch.float64), torch.tensor([5.0, 12.0], dtype=torch.float64))]
