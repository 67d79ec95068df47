"""Any variables from any others, by one network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, relu

from pushforward.counts.chains.tellers import AtWill
from pushforward.flows.tables.states import States


class Free(nn.Module, AtWill):
    """p(s_v | what is known), whichever variables are known, for every v at once.

    In training a random number of random variables is known, and the others are asked for; each is weighed so that all
    orders in which a record may be told count alike (Uria, Murray, Larochelle 2014, arXiv 1310.1757).

    Args:
        sizes: states of each variable.
        width: hidden units of a layer.
        layers: hidden layers, the later ones beside what they add to.
        share: of hidden units that are left out in training (dropout).
    """

    def __init__(self, sizes: Sequence[int], *, width: int, layers: int, share: float):
        super().__init__()
        self.states, self.share = States(sizes), share
        count, total = len(self.states), self.states.total
        self.first, self.last = nn.Linear(total + count, width), nn.Linear(width, total)
        self.between = nn.ModuleList(nn.Linear(width, width) for _ in range(layers - 1))
        nn.init.zeros_(self.last.weight)
        with torch.no_grad():
            self.first.weight.mul_((total / count) ** 0.5)

    @property
    def counts(self) -> tuple[int, ...]:
        return self.states.sizes

    @property
    def device(self) -> torch.device:
        return self.last.weight.device

    def forward(self, states: Tensor) -> Tensor:
        """(n, V) states, -1 where not known → (n, Σ S) logits."""
        h = self.hidden(states)
        return self.last(h)

    def hidden(self, states: Tensor) -> Tensor:
        """(n, width) of what is known."""
        x = torch.cat([self.states.one_hot(states), (states >= 0).float()], 1)
        h = dropout(relu(self.first(x)), self.share, self.training)
        for layer in self.between:
            h = h + dropout(relu(layer(h)), self.share, self.training)
        return h

    def of(self, states: Tensor, v: int) -> Tensor:
        at = self.states.of(v)
        return nn.functional.linear(self.hidden(states), self.last.weight[at], self.last.bias[at])

    def loss(self, states: Tensor, generator: torch.Generator) -> Tensor:
        """(n,) V times the mean surprise of what was hidden: the surprise of a record in an order by chance."""
        n, count = states.shape
        known = torch.randint(count, (n, 1), generator=generator, device=states.device)
        rank = torch.rand(n, count, generator=generator, device=states.device).argsort(1).argsort(1)
        told = rank < known
        surprise = self.states.surprise(self(torch.where(told, states, -1)), torch.where(told, -1, states))
        return surprise.sum(1) * count / (count - known[:, 0])
