"""The states of V variables side by side: where each begins, and what belongs to which."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class States(nn.Module):
    """V variables of S_v states, as one row of Σ S_v numbers.

    Args:
        sizes: S_v.

    >>> States([2, 3]).one_hot(torch.tensor([[1, 0], [0, -1]])).tolist()  # what is not known has no state
    [[0.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]]
    """

    first: Tensor
    owner: Tensor

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.sizes, self.total = tuple(sizes), sum(sizes)
        self.starts = tuple(itertools.accumulate(self.sizes, initial=0))[:-1]
        self.register_buffer("first", torch.tensor(self.starts), persistent=False)
        owner = [v for v, size in enumerate(self.sizes) for _ in range(size)]
        self.register_buffer("owner", torch.tensor(owner), persistent=False)

    def __len__(self) -> int:
        return len(self.sizes)

    def one_hot(self, states: Tensor) -> Tensor:
        """(n, V) states, -1 where not known → (n, Σ S)."""
        at = torch.where(states < 0, self.total, states + self.first)
        return torch.zeros(len(states), self.total + 1, device=states.device).scatter_(1, at, 1.0)[:, :-1]

    def each(self, logits: Tensor) -> Iterator[Tensor]:
        """(n, Σ S) → (n, S_v) of every variable in turn."""
        yield from logits.split(self.sizes, 1)

    def of(self, v: int) -> slice:
        """Where the states of variable v are."""
        return slice(self.starts[v], self.starts[v] + self.sizes[v])

    def surprise(self, logits: Tensor, states: Tensor) -> Tensor:
        """(n, V) minus the log probability of each state; 0 where it is not known."""
        terms = [
            cross_entropy(one, states[:, v], reduction="none", ignore_index=-1)
            for v, one in enumerate(self.each(logits))
        ]
        return torch.stack(terms, 1)
