"""A distance between two samples that has nothing to set."""

from __future__ import annotations

import torch
from torch import Tensor


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    """2 E|x - y| - E|x - x'| - E|y - y'| without bias: a kernel distance, 0 on average where both are drawn alike.

    It is the maximum mean discrepancy of the kernel -|x - y| (Székely, Rizzo 2013; Sejdinovic et al. 2013, arXiv
    1207.6076).

    Args:
        x, y: (n, d) and (m, d); a sample of one has no distance within itself.

    >>> x = torch.tensor([[0.0], [1.0]])
    >>> energy_distance(x, x + 3).item()
    4.0
    """
    return 2 * torch.cdist(x, y).mean() - _within(x) - _within(y)


def _within(x: Tensor) -> Tensor:
    pairs = max(1, len(x) * (len(x) - 1))
    return torch.cdist(x, x).sum() / pairs
