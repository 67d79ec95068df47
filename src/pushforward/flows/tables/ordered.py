"""Every variable from those before it, by one masked network."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, linear, relu

from pushforward.counts.chains.tellers import InOrder, drawn, uniform
from pushforward.flows.tables.states import States


class Ordered(nn.Module, InOrder):
    """log p(s) = Σ_v log p(s_v | s_1 … s_{v-1}), all conditionals in one pass.

    A hidden unit of degree k sees the first k variables, and has a say in those after them (Germain, Gregor, Murray,
    Larochelle 2015, arXiv 1502.03509).

    Args:
        sizes: states of each variable, in order.
        width: hidden units of a layer; one for each variable at least.
        layers: hidden layers, the later ones beside what they add to.
        share: of hidden units that are left out in training (dropout).
    """

    degrees: Tensor
    inward: Tensor
    across: Tensor
    outward: Tensor

    def __init__(self, sizes: Sequence[int], *, width: int, layers: int, share: float):
        super().__init__()
        self.states, self.share = States(sizes), share
        width = max(width, len(sizes))
        count, total = len(self.states), self.states.total
        self.first, self.last = nn.Linear(total, width), nn.Linear(width, total)
        self.between = nn.ModuleList(nn.Linear(width, width) for _ in range(layers - 1))
        nn.init.zeros_(self.last.weight)
        # one variable is one of many that are summed over, but each has a single state
        with torch.no_grad():
            self.first.weight.mul_((total / count) ** 0.5)
        at = [unit * count // width for unit in range(width)]
        degrees = torch.tensor(at)
        owner = self.states.owner
        self.register_buffer("degrees", degrees, persistent=False)
        self.register_buffer("inward", (owner < degrees[:, None]).float(), persistent=False)
        self.register_buffer("across", (degrees <= degrees[:, None]).float(), persistent=False)
        self.register_buffer("outward", (degrees <= owner[:, None]).float(), persistent=False)
        # how many units have at most each degree; they stand in that order
        self._ends = [bisect_right(at, v) for v in range(count)]

    def forward(self, states: Tensor) -> Tensor:
        """(n, V) known states → (n, Σ S) logits."""
        x = self.states.one_hot(states)
        h = self._kept(relu(linear(x, self.first.weight * self.inward, self.first.bias)))
        for layer in self.between:
            assert isinstance(layer, nn.Linear)
            h = h + self._kept(relu(linear(h, layer.weight * self.across, layer.bias)))
        return linear(h, self.last.weight * self.outward, self.last.bias)

    def _kept(self, h: Tensor) -> Tensor:
        return dropout(h, self.share, self.training)

    def log_prob(self, states: Tensor, values: Sequence[int]) -> Tensor:
        terms = []
        for v, logits in enumerate(self.states.each(self(states))):
            chances = logits[:, : values[v]].double().log_softmax(1)  # that a cell is no hole is not part of the score
            terms.append(chances.gather(1, states[:, v : v + 1].clamp(0, values[v] - 1)))
        return torch.cat(terms, 1)

    def draw(self, states: Tensor, generator: torch.Generator, barred: Sequence[int]) -> Tensor:
        """As it says there; units are computed when what they see has become known, each once."""
        n, width = len(states), len(self.degrees)
        states = states.clone()
        sums = self.first.bias.expand(n, -1).clone()
        layers = [states.new_empty(n, width, dtype=sums.dtype) for _ in range(1 + len(self.between))]
        inward, start = self.first.weight.T.contiguous(), 0
        for v, end in enumerate(self._ends):
            if end > start:
                fresh = relu(sums[:, start:end])
                layers[0][:, start:end] = fresh
                for i, layer in enumerate(self.between):
                    weight, bias = layer.weight[start:end, :end], layer.bias[start:end]  # type: ignore[index]
                    fresh = fresh + relu(linear(layers[i][:, :end], weight, bias))
                    layers[i + 1][:, start:end] = fresh
                start = end
            if bool((states[:, v] < 0).any()):
                at = self.states.of(v)
                at = slice(at.start, at.stop - barred[v])
                logits = linear(layers[-1][:, :end], self.last.weight[at, :end], self.last.bias[at])
                states[:, v] = torch.where(states[:, v] < 0, drawn(logits, uniform(logits, generator)), states[:, v])
            sums[:, end:] += inward[self.states.starts[v] + states[:, v], end:]
        return states
