"""Trees of discrete variables, against sums over all that is hidden."""

import itertools

import numpy as np
import pytest
import torch

from pushforward.counts.trees.chow_liu import PairCounts, mutual_information, spanning_tree
from pushforward.counts.trees.tree import Tree, draw, likelihoods, posteriors, upward

PARENTS = (-1, 0, 0, 2)
HIDDEN, SEEN = (3, 2, 3, 2), (2, 3, 2, 4)


def table(generator, *shape):
    values = torch.rand(*shape, generator=generator, dtype=torch.float64) + 0.05
    return values / values.sum(-1, keepdim=True)


def grow(seed=0):
    g = torch.Generator().manual_seed(seed)
    edges = tuple(table(g, HIDDEN[PARENTS[i]], HIDDEN[i]) for i in range(1, 4))
    emissions = tuple(table(g, k, s).T.contiguous() for k, s in zip(HIDDEN, SEEN, strict=True))
    return Tree(PARENTS, table(g, HIDDEN[0]), edges, emissions)


TREE = grow()


def joint():
    """p(z, x) of everything, hidden and seen, as one array."""
    out = torch.zeros(*HIDDEN, *SEEN, dtype=torch.float64)
    for z in itertools.product(*map(range, HIDDEN)):
        p = TREE.prior[z[0]]
        for i in range(1, 4):
            p = p * TREE.transition(i)[z[PARENTS[i]], z[i]]
        for x in itertools.product(*map(range, SEEN)):
            out[(*z, *x)] = p * torch.stack([TREE.emissions[i][x[i], z[i]] for i in range(4)]).prod()
    return out


JOINT = joint()
MARGIN = JOINT.sum((0, 1, 2, 3))
STATES = torch.tensor(list(itertools.product(*map(range, SEEN))))


def test_the_sum_over_what_is_hidden_is_that_of_the_messages():
    found = upward(TREE, likelihoods(TREE, STATES)).log_prob
    torch.testing.assert_close(found, MARGIN.reshape(-1).log(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("unknown", [(0,), (1, 3), (0, 1, 2), (0, 1, 2, 3)])
def test_what_is_not_known_is_summed_over(unknown):
    states = STATES.clone()
    states[:, list(unknown)] = -1
    wanted = MARGIN.sum(unknown, keepdim=True).expand_as(MARGIN).reshape(-1).log()
    torch.testing.assert_close(upward(TREE, likelihoods(TREE, states)).log_prob, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("variable", range(4))
def test_posteriors_of_hidden_states(variable):
    found = posteriors(TREE, upward(TREE, likelihoods(TREE, STATES)))[variable]
    others = [i for i in range(4) if i != variable]
    wanted = JOINT.sum(others).movedim(0, -1).reshape(-1, HIDDEN[variable])
    torch.testing.assert_close(found, wanted / wanted.sum(1, keepdim=True), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shared", [True, False], ids=["one for all", "one a record"])
def test_draws_follow_the_posterior(shared):
    n = 40_000
    known = likelihoods(TREE, torch.tensor([[-1, 2, -1, 1]]))
    if not shared:
        known = [k.expand(n, -1) for k in known]
    drawn = draw(TREE, known, n, torch.Generator().manual_seed(0))
    flat = drawn[0] * 6 + drawn[1] * 3 + drawn[2]
    found = torch.bincount(flat, minlength=18).double() / n
    wanted = JOINT[..., 2, :, 1].sum((3, 4, 5)).reshape(-1)
    wanted = wanted / wanted.sum()
    assert ((found - wanted).abs() < 5 * (wanted * (1 - wanted) / n).sqrt() + 1e-4).all()


def test_the_spanning_tree_is_the_best_of_all():
    rng = np.random.default_rng(0)
    weights = np.triu(rng.random((5, 5)), 1)
    weights = weights + weights.T
    order, parents = spanning_tree(weights)
    found = sum(weights[child, parent] for child, parent in zip(order[1:], parents[1:], strict=True))
    pairs = list(itertools.combinations(range(5), 2))

    def connected(edges):
        group = {0}
        for _ in range(5):
            group |= {b for a, b in edges if a in group} | {a for a, b in edges if b in group}
        return len(group) == 5

    best = max(sum(weights[e] for e in edges) for edges in itertools.combinations(pairs, 4) if connected(edges))
    assert found == pytest.approx(best)
    assert all(parent in order[: order.index(child)] for child, parent in zip(order[1:], parents[1:], strict=True))


def test_mutual_information_of_a_known_table():
    p = np.array([[0.3, 0.1], [0.2, 0.4]])
    counts = (p * 100_000).astype(int)
    states = torch.tensor([[i, j] for i in range(2) for j in range(2) for _ in range(counts[i, j])])
    found = mutual_information(PairCounts.of(states, (2, 2), torch.ones(len(states))), (2, 2))[0, 1]
    wanted = (p * np.log(p / (p.sum(1, keepdims=True) * p.sum(0)))).sum()
    assert found == pytest.approx(wanted, abs=1e-5)


def test_chance_tells_nothing():
    rng = np.random.default_rng(0)
    sizes = (8,) * 6
    told = []
    for _ in range(20):
        states = torch.from_numpy(rng.integers(0, 8, (500, 6)))
        told.append(mutual_information(PairCounts.of(states, sizes, torch.ones(500)), sizes)[np.triu_indices(6, 1)])
    assert abs(np.mean(told)) < 5 * np.std(told) / np.sqrt(np.size(told))


def test_weights_stand_for_repetitions():
    states = torch.tensor([[0, 1], [1, 1], [0, 0]])
    weighed = PairCounts.of(states, (2, 2), torch.tensor([1.0, 4.0, 2.0]))
    repeated = PairCounts.of(states.repeat_interleave(torch.tensor([1, 4, 2]), 0), (2, 2), torch.ones(7))
    torch.testing.assert_close(weighed.table, repeated.table, atol=1e-6, rtol=1e-6)
