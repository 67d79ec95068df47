"""Codes as a small picture with a channel for each number of their vectors, so that what draws pictures can learn which
codes stand beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shades(digits: Tensor, levels: Sequence[int], size: tuple[int, int]) -> Tensor:
    """(n, rows · columns, width) digits → (n, width, rows, columns): digit i of L is the middle of the i-th of L equal
    stretches of [-1, 1].

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
