"""The tree that tells most: pairwise counts, mutual information, the maximum spanning tree (Chow, Liu 1968)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from pushforward.training.statistic import Statistic

BLOCK = 1 << 22  # numbers of a one-hot block


@dataclass(frozen=True)
class PairCounts(Statistic):
    """How often each state of a variable occurs with each state of another; it adds over records.

    Attributes:
        table: (T, T), T the sum of all variables' states; of two states of one variable only the diagonal is filled.
        weight: () of the records.
    """

    table: Tensor
    weight: Tensor

    @classmethod
    def of(cls, states: Tensor, sizes: Sequence[int], weights: Tensor) -> Self:
        """From (n, V) states, none unknown.

        >>> states = torch.tensor([[0, 1], [0, 0], [1, 1]])
        >>> PairCounts.of(states, (2, 2), torch.ones(3)).table[:2, 2:].tolist()
        [[1.0, 1.0], [0.0, 1.0]]
        """
        starts = torch.tensor(np.cumsum([0, *sizes[:-1]]))
        total = sum(sizes)
        table = torch.zeros(total, total, dtype=torch.float64)
        block = max(1, BLOCK // total)
        for at in range(0, len(states), block):
            here, share = states[at : at + block] + starts, weights[at : at + block].sqrt().float()
            hot = torch.zeros(len(here), total)
            hot.scatter_(1, here, share[:, None].expand(-1, here.shape[1]))
            table += hot.T @ hot
        return cls(table, weights.sum().double())


def mutual_information(counts: PairCounts, sizes: Sequence[int]) -> np.ndarray:
    """(V, V) nats that two variables tell about each other, less what chance makes of few records.

    I(a; b) = Σ p(a, b) log p(a, b) / (p(a) p(b)), less the first term of its bias (Miller 1955).
    """
    starts = np.cumsum([0, *sizes])
    n = float(counts.weight)
    joint = counts.table.numpy() / n
    single = joint.diagonal()
    out = np.zeros((len(sizes), len(sizes)))
    for i in range(len(sizes)):
        here = slice(starts[i], starts[i + 1])
        for j in range(i):
            there = slice(starts[j], starts[j + 1])
            p, a, b = joint[here, there], single[here], single[there]
            x, y = np.nonzero(p > 0)
            nats = float((p[x, y] * np.log(p[x, y] / (a[x] * b[y]))).sum())
            free = len(x) - np.count_nonzero(a) - np.count_nonzero(b) + 1
            out[i, j] = out[j, i] = nats - free / (2 * n)
    return out


def spanning_tree(weights: np.ndarray) -> tuple[list[int], list[int]]:
    """The spanning tree of greatest weight: an order of the variables, parents first, and each one's parent (-1: root).

    The root is the variable that tells most about all others (Prim 1957).

    >>> spanning_tree(np.array([[0, 3, 1], [3, 0, 2], [1, 2, 0.0]]))
    ([1, 0, 2], [-1, 1, 1])
    """
    size = len(weights)
    root = int(weights.sum(1).argmax())
    order, parents = [root], [-1]
    best, link = weights[root].copy(), np.full(size, root)
    best[root] = -np.inf
    for _ in range(size - 1):
        new = int(best.argmax())
        order.append(new)
        parents.append(int(link[new]))
        better = weights[new] > best
        better[order] = False
        best[better], link[better] = weights[new][better], new
        best[new] = -np.inf
    return order, parents
