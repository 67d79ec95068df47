"""Learning a hidden Chow-Liu tree: a start from the data's own tree, expected counts, and a smoothed maximisation.

Every variable has K hidden states; the hidden states form the tree that Chow and Liu's algorithm finds for the
variables (Liu, Van den Broeck 2021, arXiv 2106.02264).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from pushforward.counts.trees.tree import Tree, likelihoods, upward
from pushforward.training.statistic import Statistic

SPARSE = 0.02  # pseudo-counts of the plain kind, which make nothing impossible
SWEEPS = 8  # of the latent-class model that the start is taken from
NEAR = 2.5  # states on either side that a state shares with
BLURS = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # pseudo-counts from neighbours


@dataclass(frozen=True)
class Shape:
    """What does not change while a tree is learned.

    Attributes:
        order: the variable of each position; parents stand before their children.
        parents: position of each position's parent; -1 for the first.
        sizes: states of each position, a hole among them.
        kernels: for each position, (S, S) pseudo-counts that states get from their neighbours; None if they get none.
        hidden: K.
    """

    order: tuple[int, ...]
    parents: tuple[int, ...]
    sizes: tuple[int, ...]
    kernels: tuple[Tensor | None, ...]
    hidden: int


@dataclass(frozen=True)
class Expected(Statistic):
    """Expected counts under a tree; they add over records.

    Attributes:
        prior: (K,) of the root's hidden states.
        edges: (V - 1, K, K) of hidden states of parent and child.
        emissions: (sum of sizes, K) of each variable's states with its hidden ones.
        score: () sum of log probabilities; weight: () of the records.
    """

    prior: Tensor
    edges: Tensor
    emissions: Tensor
    score: Tensor
    weight: Tensor

    @classmethod
    def of(cls, tree: Tree, states: Tensor, weights: Tensor) -> Self:
        """Counts of (n, V) states, in the order of the tree, with the posterior of what is hidden."""
        up = upward(tree, likelihoods(tree, states))
        root = up.beliefs[0] * tree.prior
        posterior = [root / root.sum(1, keepdim=True) * weights[:, None].to(root.dtype)]
        edges = torch.zeros(len(tree) - 1, *tree.edges[0].shape) if len(tree) > 1 else torch.zeros(0, 1, 1)
        for i in range(1, len(tree)):
            message = up.messages[i]
            assert message is not None
            rest = posterior[tree.parents[i]] / message.clamp_min(1e-30)
            edges[i - 1] = (rest.T @ up.beliefs[i]) * tree.transition(i)
            posterior.append(up.beliefs[i] * (rest @ tree.transition(i)))
        tables = [torch.zeros_like(e).index_add_(0, states[:, i], posterior[i]) for i, e in enumerate(tree.emissions)]
        score = (up.log_prob * weights).sum()
        return cls(posterior[0].sum(0), edges, torch.cat(tables), score, weights.sum())

    def blended(self, other: Self, rate: float) -> Self:
        """The running mean: (1 - rate) of this and rate of `other`, brought to the weight of this."""
        one, two = 1 - rate, rate * float(self.weight / other.weight)
        mixed = [one * a + two * b for a, b in zip(self.tensors(), other.tensors(), strict=True)]
        return type(self)(*mixed)


def maximise(counts: Expected, shape: Shape, backing: float) -> Tree:
    """The tree that fits expected counts, smoothed so that what is rare follows what is like it.

    A row of transitions gets `backing` pseudo-counts of the rows of those hidden states that show the same values: with
    W(z, z') = Σ_x p(x | z) p(z' | x), the row of z is drawn towards Σ_z' W(z, z') p(child | z'). Smoothing towards the
    margins instead would invent rows that do not occur. The states of a number get pseudo-counts of their
    neighbours.
    """
    tables = counts.emissions.split(list(shape.sizes))
    emissions = []
    for table, kernel in zip(tables, shape.kernels, strict=True):
        if kernel is not None:
            table = table + kernel @ (table / table.sum(0, keepdim=True).clamp_min(1e-9))
        margin = (table.sum(1, keepdim=True) + 0.1) / (table.sum() + 0.1 * len(table))
        table = table + SPARSE * margin
        emissions.append(table / table.sum(0, keepdim=True))
    edges = []
    for i, table in enumerate(counts.edges, start=1):
        margin = (table.sum(0) + 1e-3) / (table.sum() + 1e-3 * shape.hidden)
        table = table + SPARSE * margin
        if backing:
            row = table.sum(1, keepdim=True)
            emission = emissions[shape.parents[i]]
            joint = emission * row.T
            alike = emission.T @ (joint / joint.sum(1, keepdim=True).clamp_min(1e-20))  # W
            table = table + backing * (alike @ (table / row))
        edges.append(table / table.sum(1, keepdim=True))
    prior = counts.prior + SPARSE / shape.hidden
    return Tree(shape.parents, prior / prior.sum(), tuple(edges), tuple(emissions))


def start(states: Tensor, weights: Tensor, shape: Shape, seed: int) -> Expected:
    """Counts in which the hidden state of a variable is its value and the latent class of its record.

    The commonest pairs of value and class are kept, and others join one of the same value. So the first tree knows
    already what the Chow-Liu tree knows, and EM only has to refine it.
    """
    k = shape.hidden
    classes = latent_classes(states, weights, shape.sizes, max(2, k // 2), seed)
    rng = np.random.default_rng(seed)
    hidden = torch.stack([merged(states[:, i], classes, k, rng) for i in range(len(shape.sizes))], 1)
    share = weights.float()
    edges = torch.zeros(len(shape.sizes) - 1, k * k)
    for i in range(1, len(shape.sizes)):
        edges[i - 1].index_add_(0, hidden[:, shape.parents[i]] * k + hidden[:, i], share)
    tables = []
    for i, size in enumerate(shape.sizes):
        tables.append(torch.zeros(size * k).index_add_(0, states[:, i] * k + hidden[:, i], share).reshape(size, k))
    prior = torch.zeros(k).index_add_(0, hidden[:, 0], share)
    zero = torch.zeros((), dtype=torch.float64)
    return Expected(prior, edges.reshape(-1, k, k), torch.cat(tables), zero, weights.sum().double())


def latent_classes(states: Tensor, weights: Tensor, sizes: Sequence[int], classes: int, seed: int) -> Tensor:
    """(n,) the class of each record in a mixture of independent variables, after some sweeps of EM."""
    generator = torch.Generator().manual_seed(seed)  # of our own; nobody else draws from it
    label = torch.randint(classes, (len(states),), generator=generator)
    for sweep in range(SWEEPS):
        if sweep < 2:  # hard at first, since soft labels drawn at random are all alike
            posterior = torch.nn.functional.one_hot(label, classes).float()
        share = posterior * weights[:, None].float()
        mass = share.sum(0)
        log_joint = ((mass + 1) / (mass.sum() + classes)).log().repeat(len(states), 1)
        for i, size in enumerate(sizes):
            table = torch.zeros(size, classes).index_add_(0, states[:, i], share)
            log_joint += (
                ((table + table.sum(1, keepdim=True) / mass.sum()) / (mass + 1)).clamp_min(1e-12).log()[states[:, i]]
            )
        posterior, label = log_joint.softmax(1), log_joint.argmax(1)
    return label


def merged(states: Tensor, classes: Tensor, most: int, rng: np.random.Generator) -> Tensor:
    """(n,) hidden states: the `most` commonest pairs of state and class, which the others join."""
    width = int(classes.max()) + 1
    pairs, counts = np.unique((states * width + classes).numpy(), return_counts=True)
    ranked = pairs[np.argsort(-counts, kind="stable")]
    kept = ranked[:most]
    value, label = kept // width, kept % width
    home = {int(pair): i for i, pair in enumerate(kept)}
    for pair in ranked[most:]:
        x, m = divmod(int(pair), width)
        alike = np.flatnonzero(value == x)
        if len(alike):
            home[int(pair)] = int(rng.choice(alike))
        else:
            group = np.flatnonzero(label == m)
            group = group if len(group) else np.arange(len(kept))
            home[int(pair)] = int(group[np.abs(value[group] - x).argmin()])
    places = np.array([home[int(pair)] for pair in pairs])
    return torch.from_numpy(places[np.searchsorted(pairs, (states * width + classes).numpy())])


def kernel(places: np.ndarray | None, counts: np.ndarray, pairs: np.ndarray) -> Tensor | None:
    """(S, S) pseudo-counts that each state gives to its neighbours on the line; None where that foretells nothing.

    How many, is what foretells best each record of a pair table from all others (leave one out): smooth numbers get
    many, a number that is but another name for a category gets none.

    Args:
        places: (S,) where on the line each state lies; None where states have no order. NaN: a hole.
        counts: (S,) how often each occurs.
        pairs: (S, K) how often each occurs with hidden states of another variable, about as fine as its own will be.
    """
    if places is None:
        return None
    hole = np.isnan(places)
    rank = np.argsort(np.argsort(np.where(hole, np.inf, places), kind="stable"), kind="stable").astype(float)
    near = np.exp(-0.5 * ((rank[:, None] - rank) / NEAR) ** 2)
    near[hole], near[:, hole] = 0.0, 0.0
    near[hole, hole] = 1.0
    joint = _balanced(near, (counts + 0.1) / (counts + 0.1).sum())
    near = joint / joint.sum(0)
    mass = np.maximum(pairs.sum(0), 1e-300)
    neighbours = near @ (pairs / mass) - near.diagonal()[:, None] / mass  # without the record itself
    margin, scores = counts[:, None] / counts.sum(), []
    for blur in BLURS:
        others = pairs - 1 + blur * neighbours + SPARSE * margin
        total = np.maximum(mass - 1 + blur + SPARSE, 1e-9)
        scores.append(float((pairs * np.log(np.maximum(others, 1e-9) / total)).sum()))
    best = BLURS[int(np.argmax(scores))]
    return torch.from_numpy(best * near).float() if best else None


def _balanced(near: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """(S, S) joint distribution a(x) near(x, y) a(y) with both margins as given (Sinkhorn), so that to blur by it
    leaves how common each state is as it was.
    """
    a = np.sqrt(margin)
    for _ in range(200):
        a = np.sqrt(a * margin / np.maximum(near @ a, 1e-300))
    return a[:, None] * near * a
