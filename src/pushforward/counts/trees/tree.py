"""Trees of discrete variables as tensors: probabilities, expected counts and draws, all exact.

Every variable i has a hidden state z_i, the hidden states form a tree, and what is seen of i depends on z_i alone:

    p(z, x) = p(z_1) Π_i p(z_i | z_parent(i)) Π_i p(x_i | z_i).

Where x_i is a copy of z_i this is a Chow-Liu tree. Sums over all that is not known are one pass of messages
from the leaves to the root (Pearl 1982); expected counts and draws are one pass back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

TINY = {torch.float32: 1e-30, torch.float64: 1e-290}


@dataclass(frozen=True)
class Tree:
    """The parameters of a tree of V variables; parents stand before their children.

    Attributes:
        parents: of each variable; -1 for the first, which is the root.
        prior: (K_0,) probabilities of the root's hidden states.
        edges: for each variable but the root, (K_parent, K_i) probabilities of z_i given its parent's state.
        emissions: for each variable, (S_i, K_i) probability of each state of x_i given z_i: columns sum to 1.
    """

    parents: tuple[int, ...]
    prior: Tensor
    edges: tuple[Tensor, ...]
    emissions: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.parents)

    def to(self, kind: torch.dtype) -> Tree:
        """The same tree in another precision."""
        edges, emissions = (tuple(t.to(kind) for t in tensors) for tensors in (self.edges, self.emissions))
        return Tree(self.parents, self.prior.to(kind), edges, emissions)

    def transition(self, i: int) -> Tensor:
        """(K_parent, K_i) of a variable that is not the root."""
        return self.edges[i - 1]


@dataclass(frozen=True)
class Upward:
    """Messages from the leaves to the root.

    Attributes:
        beliefs: for each variable, (n, K_i) p(what is known at and below i | z_i), up to a factor.
        messages: for each variable but the root, (n, K_parent) the same given the parent's state; None for the root.
        log_prob: (n,) log probability of what is known.
    """

    beliefs: list[Tensor]
    messages: list[Tensor | None]
    log_prob: Tensor


def likelihoods(tree: Tree, codes: Tensor) -> list[Tensor]:
    """For each variable, (n, K_i) probability of its state (n, V), and 1 where that is not known (-1)."""
    out = []
    for i, emission in enumerate(tree.emissions):
        padded = torch.cat([emission, torch.ones_like(emission[:1])])
        out.append(padded[codes[:, i]])
    return out


def upward(tree: Tree, known: Sequence[Tensor]) -> Upward:
    """The pass from the leaves to the root.

    Args:
        tree: the parameters.
        known: for each variable, (n, K_i) or (1, K_i) likelihood of what is known of it.
    """
    beliefs: list[Tensor] = list(known)
    messages: list[Tensor | None] = [None] * len(tree)
    scale: Tensor | float = 0.0
    for i in range(len(tree) - 1, -1, -1):
        top = beliefs[i].amax(1, keepdim=True).clamp_min(TINY[beliefs[i].dtype])
        beliefs[i] = beliefs[i] / top
        scale = scale + top[:, 0].double().log()
        if i:
            message = beliefs[i] @ tree.transition(i).T
            messages[i] = message
            parent = tree.parents[i]
            beliefs[parent] = beliefs[parent] * message
    total = (beliefs[0] @ tree.prior).double()
    return Upward(beliefs, messages, scale + total.log())


def posteriors(tree: Tree, up: Upward) -> list[Tensor]:
    """For each variable, (n, K_i) posterior probabilities of its hidden state."""
    root = up.beliefs[0] * tree.prior
    out = [root / root.sum(1, keepdim=True)]
    for i in range(1, len(tree)):
        rest = out[tree.parents[i]] / _positive(up.messages[i])
        out.append(up.beliefs[i] * (rest @ tree.transition(i)))
    return out


def _positive(message: Tensor | None) -> Tensor:
    assert message is not None
    return message.clamp_min(TINY[message.dtype])


# Draws


def draw(tree: Tree, known: Sequence[Tensor], n: int, generator: torch.Generator) -> list[Tensor]:
    """For each variable, (n,) hidden states from their distribution given what is known.

    Args:
        tree: the parameters.
        known: for each variable, (n, K_i) likelihood of what is known of each record, or (1, K_i) of all.
        n: how many records.
        generator: of the draws.
    """
    up = upward(tree, known)
    root = up.beliefs[0] * tree.prior
    out = [_drawn(root, torch.zeros(n, dtype=torch.int64) if len(root) == 1 else None, generator)]
    for i in range(1, len(tree)):
        parent, belief = out[tree.parents[i]], up.beliefs[i]
        if len(belief) == 1:
            out.append(_drawn(tree.transition(i) * belief, parent, generator))
        else:
            out.append(_drawn(tree.transition(i)[parent] * belief, None, generator))
    return out


def _drawn(weights: Tensor, rows: Tensor | None, generator: torch.Generator) -> Tensor:
    """A column for each of `rows` of a table of weights, in proportion to them; one for every row if None.

    Rows of few tables are looked up in one sorted list: row r fills the numbers from r to r + 1.
    """
    total = weights.cumsum(1)
    total = total / total[:, -1:].clamp_min(TINY[total.dtype])
    n = len(weights) if rows is None else len(rows)
    u = torch.rand(n, generator=generator, dtype=total.dtype)
    if rows is None:
        found = (total <= u[:, None]).sum(1)
    elif len(weights) == 1:
        found = torch.searchsorted(total[0], u, right=True)
    else:
        line = (total + torch.arange(len(total), dtype=total.dtype)[:, None]).reshape(-1)
        found = torch.searchsorted(line, rows + u, right=True) - rows * total.shape[1]
    return found.clamp(0, total.shape[1] - 1)
