"""Whether draws are copies of what was learned from."""

from __future__ import annotations

import torch
from torch import Tensor

RARE = 0.05  # of records, that have a neighbour as near as that


def copied(real: Tensor, drawn: Tensor) -> float:
    """The share of draws nearer to a record than all but one in twenty records are to their nearest neighbour.

    Where draws are distributed like the data it is about a twentieth; where they are copies, 1.

    Args:
        real: (n, d) records that were learned from.
        drawn: (m, d) draws.

    >>> copied(torch.arange(100.0)[:, None], torch.arange(100.0)[:, None] + 0.01)
    1.0
    """
    if len(real) < 2:
        return float((torch.cdist(drawn, real).min(1).values < 1e-3 * real.shape[1] ** 0.5).float().mean())
    among = torch.cdist(real, real)
    among.fill_diagonal_(torch.inf)
    reach = among.min(1).values.quantile(RARE)
    return float((torch.cdist(drawn, real).min(1).values < reach).float().mean())
