"""Codes as a small picture with a channel for each number of their vectors, so that what draws pictures can learn which
codes stand beside each other.

The i-th of L levels has the i-th of L equal stretches of [-1, 1]. A picture of codes stands on the middle of each, or
as one of a few grey levels near it: a density that is learned from such pictures has peaks no narrower than that, and
what is drawn a little off still means the same code.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pushforward.data.encodings.noise import Source, uniform

WHITE = 255
NEAR = 0.1  # share of a stretch that grey levels are drawn from; with a half, fewer draws meet what they are told


def shades(digits: Tensor, levels: Sequence[int], size: tuple[int, int]) -> Tensor:
    """(n, rows · columns, width) digits → (n, width, rows, columns), the middles of their stretches.

    Args:
        digits: from 0 to L - 1; slopes pass through them.
        levels: L of each number.
        size: rows and columns.

    >>> shades(torch.tensor([[[0.0], [1.0]]]), (2,), (1, 2))
    tensor([[[[-0.5000,  0.5000]]]])
    """
    many = torch.tensor(levels, device=digits.device)
    return ((2 * digits + 1) / many - 1).transpose(1, 2).unflatten(2, size)


def digits(x: Tensor, levels: Sequence[int]) -> Tensor:
    """(n, width, rows, columns) in [-1, 1], and what is a little beyond → (n, rows · columns, width) int64 digits.

    >>> digits(torch.tensor([[[[-0.9, 7.0]]]]), (2,))
    tensor([[[0],
             [1]]])
    """
    many = torch.tensor(levels, device=x.device)
    found = ((x.flatten(2).transpose(1, 2) + 1) / 2 * many).floor().long()
    return found.clamp_min(0).minimum(many - 1)


def painted(digits: Tensor, levels: Sequence[int], size: tuple[int, int], source: Source) -> tuple[Tensor, Tensor]:
    """(n, rows, columns, width) uint8, each grey level drawn near the middle of the stretch of its digit, and (n,)
    how many pictures could have been drawn, as a logarithm.

    Args:
        digits: (n, rows · columns, width) int64.
        levels: L of each number.
        size: rows and columns.
        source: of the draws.

    >>> pixels, many = painted(torch.tensor([[[0], [1]]]), (2,), (1, 2), torch.Generator().manual_seed(0))
    >>> pixels.shape, round(float(many.exp()))
    (torch.Size([1, 1, 2, 1]), 169)
    """
    many = torch.tensor(levels, device=digits.device)
    middle = WHITE * (digits + 0.5) / many
    around = WHITE * NEAR / 2 / many
    low = (middle - around).ceil().minimum(middle.round())
    room = (middle + around).floor().maximum(middle.round()) - low + 1
    pixels = low + (uniform(room.double(), source) * room).floor()
    return pixels.unflatten(1, size).to(torch.uint8), room.double().log().flatten(1).sum(1)
