"""Residual blocks of dense layers, steered by an embedding."""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn.functional import dropout, silu


class ResidualMLP(nn.Module):
    """x → x + Linear(SiLU(scale · norm(Linear(x)) + shift)), block after block, with scale and shift from c.

    Args:
        inputs, outputs: widths of what goes in and comes out.
        width: of the hidden layers.
        layers: residual blocks.
        condition: width of the embedding c.
        drop: share of hidden units that are left out in training (dropout).
    """

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, condition: int, drop: float = 0.0):
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(_Block(width, condition, drop) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """(n, inputs), (n, condition) → (n, outputs)."""
        h = self.first(x)
        for block in self.blocks:
            h = block(h, c)
        return self.last(self.norm(h))


class _Block(nn.Module):
    def __init__(self, width: int, condition: int, drop: float):
        super().__init__()
        self.drop = drop
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.steer = nn.Linear(condition, 2 * width)
        self.up, self.down, self.act = nn.Linear(width, width), nn.Linear(width, width), nn.SiLU()
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.steer(c).chunk(2, 1)
        h = self.norm(x) * (1 + scale) + shift
        return x + self.down(dropout(self.act(self.up(h)), self.drop, self.training))


def dense(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    """Linear maps with SiLU between them; without hidden layers, one linear map.

    Args:
        inputs, outputs: widths of what goes in and comes out.
        width: of the hidden layers.
        layers: hidden layers.

    >>> len(dense(3, 2, 8, 0)), len(dense(3, 2, 8, 2))
    (1, 5)
    """
    widths = [inputs, *[width] * layers, outputs]
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*parts[:-1])


class PlainMLP(nn.Module):
    """x → x + Linear(SiLU(Linear(SiLU(x)))), block after block, without normalisation: its slope is what it seems.

    Args:
        inputs, outputs: widths of what goes in and comes out.
        width: of the hidden layers.
        layers: residual blocks.

    >>> import torch
    >>> PlainMLP(3, 2, 8, 1)(torch.zeros(4, 3)).shape
    torch.Size([4, 2])
    """

    def __init__(self, inputs: int, outputs: int, width: int, layers: int):
        super().__init__()
        self.first, self.last = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.up, self.down = (nn.ModuleList(nn.Linear(width, width) for _ in range(layers)) for _ in range(2))
        for weight in self.down.parameters():  # every block begins as the identity
            nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) → (n, outputs)."""
        h = self.first(x)
        for up, down in zip(self.up, self.down, strict=True):
            h = h + down(silu(up(silu(h))))
        return self.last(silu(h))
