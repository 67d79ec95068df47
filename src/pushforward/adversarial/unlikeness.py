"""How unlike draws are to records, in one number by which moments of a game are told apart."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.energy import energy_distance

NEIGHBOURS = 8  # of a record, within which a draw counts as near; of five, fine detail that is missed would count


def reach(apart: Tensor) -> Tensor:
    """(n,) the distance of each record to its eighth neighbour, from (n, n) distances."""
    return apart.kthvalue(min(NEIGHBOURS + 1, len(apart))).values


def coverage(real: Tensor, drawn: Tensor) -> Tensor:
    """The share of records (n, d) that have a draw (m, d) nearer than their eighth neighbour."""
    return (torch.cdist(real, drawn).min(1).values <= reach(torch.cdist(real, real))).float().mean()


def unlikeness(real: Tensor, drawn: Tensor) -> Tensor:
    """An energy distance, and what density and coverage lack of 1; about 0 where both are drawn alike.

        (2 E|x - y| - E|x - x'| - E|y - y'|) / E|x - x'| + (1 - density)⁺ + (1 - coverage)

    The first sees the shares of modes, and hardly what lies between them. Balls around records that reach to their
    eighth neighbour see that: in how many of them a draw lies, over eight, and what share of them holds a draw (Naeem
    et al. 2020, arXiv 2002.09797).

    Args:
        real, drawn: (n, d) and (m, d).

    >>> x = torch.linspace(0, 1, 50)[:, None]
    >>> unlikeness(x, x + 0.001) < 0.2 < 2 < unlikeness(x, x + 3)
    tensor(True)
    """
    apart, across = torch.cdist(real, real), torch.cdist(real, drawn)
    inside = across <= reach(apart)[:, None]
    density = inside.sum(0).float().mean() / min(NEIGHBOURS, max(1, len(real) - 1))
    covered = inside.any(1).float().mean()
    share = energy_distance(real, drawn) / apart.mean().clamp_min(1e-12)
    return share + (1 - density).clamp_min(0) + (1 - covered)


def noise_of(x: Tensor, generator: torch.Generator, splits: int = 12) -> float:
    """The standard deviation of the unlikeness of two random halves of a sample (n, d): what is no difference."""
    n = len(x) // 2
    if n < 2:
        return 0.0
    orders = [torch.randperm(len(x), generator=generator, device=x.device) for _ in range(splits)]
    return float(torch.stack([unlikeness(x[order[:n]], x[order[n : 2 * n]]) for order in orders]).std())
