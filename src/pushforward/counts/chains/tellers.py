"""What a chain is asked: each variable from those before it, and any variable from any others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor


class InOrder(ABC):
    """p(s_v | s_1 … s_{v-1}) over V variables of S_v states, of which a hole is the last."""

    @abstractmethod
    def log_prob(self, states: Tensor, values: Sequence[int]) -> Tensor:
        """(n, V) log probability of each of (n, V) states among those of its variable that are no holes.

        Args:
            states: known from the first to some other; of what is -1, or a hole, what is said means nothing.
            values: by variable, how many of its states are no holes.
        """

    @abstractmethod
    def draw(self, states: Tensor, generator: torch.Generator, barred: Sequence[int]) -> Tensor:
        """(n, V) states, those that are -1 drawn in order given those before them, which must be known.

        Args:
            states: of each of which a first part is known.
            generator: of the draws.
            barred: by variable, the number of its last states that are not drawn.
        """


class AtWill(ABC):
    """p(s_v | what is known), whichever variables are known."""

    @property
    @abstractmethod
    def counts(self) -> tuple[int, ...]:
        """States of each variable, holes among them."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where it computes."""

    @abstractmethod
    def of(self, states: Tensor, v: int) -> Tensor:
        """(n, V) states, -1 where not known → (n, S_v) logits of one variable."""

    def log_prob(self, states: Tensor, v: int, value: Tensor, values: int) -> Tensor:
        """(n,) log probability of a state of one variable (n,) among the first `values` of them, which are no holes."""
        logits = self.of(states, v)[:, :values].double()
        return logits.log_softmax(1).gather(1, value[:, None].clamp(0, values - 1))[:, 0]

    def draw(self, states: Tensor, v: int, generator: torch.Generator, barred: int) -> Tensor:
        """(n,) states of one variable, of which the last `barred` are not drawn."""
        logits = self.of(states, v)
        logits = logits[:, : logits.shape[1] - barred]
        return drawn(logits, uniform(logits, generator))


def uniform(logits: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 1) from [0, 1), one for each row."""
    return torch.rand(len(logits), 1, generator=generator, device=logits.device)


def drawn(logits: Tensor, u: Tensor) -> Tensor:
    """(n, S), (n, 1) → (n,) the states at whose shares of (0, 1) u lies."""
    mass = logits.softmax(1).cumsum(1)
    return (mass <= u * mass[:, -1:]).sum(1).clamp_max(logits.shape[1] - 1)
