"""Whether draws are copies of what was learned from."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from pushforward.errors import CopiedWarning

RARE = 0.05  # of records, that have a neighbour as near as that
MUCH = 0.5  # as far, or less, is much nearer
OFTEN = 0.25  # share of draws too near to a training record, from which on a person is told
FEW = 30  # records, below which there is little else to learn than what each is


def warn_of_copies(share: float, cure: str, records: int = FEW) -> None:
    """Tell a person if copies are likely, and what makes fewer.

    Args:
        share: what `copied` found.
        cure: what helps beside more data.
        records: what was learned from; of few, copies are likely whatever the share is so far.
    """
    if share > OFTEN or records < FEW:
        few = f" of {records} records" if records < FEW else ""
        warnings.warn(
            f"copies{few} are likely: {share:.0%} of draws are nearer to a training record than 95% of those are to "
            f"one another; more data, {cure} make fewer",
            CopiedWarning, stacklevel=3,
        )  # fmt: skip


def copied(real: Tensor, drawn: Tensor) -> float:
    """The share of draws nearer to a record than all but one in twenty records are to their nearest neighbour.

    It also has to be much nearer to that record than to all others: a draw in the middle of all is near to each, and
    copies none. How much is a matter of dimensions: by chance the nearest of many records is r times as far as the next
    with probability r^d. Where draws are distributed like the data it is about a twentieth, or less; where they are
    copies, 1.

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
    much = min(MUCH, RARE ** (1 / real.shape[1]))
    nearest, second = torch.cdist(drawn, real).topk(2, largest=False).values.unbind(1)
    return float(((nearest < reach) & (nearest < much * second)).float().mean())
