"""Trees as arrays: proper probabilities, the same by every way of asking, and trust that held-out records decide."""

import dataclasses

import numpy as np
import pytest

from pushforward.counts.chains.digits import FEW, Digits
from pushforward.counts.chains.grove import Grove, Splits
from pushforward.counts.chains.growing import grown
from pushforward.counts.chains.trust import buckets, shares, trusted

TREES, LABELS = 3, 5


def forest(seed=0, n=2000, noise=0.3):
    """Three trees side by side, two of them of some depth, on records with holes."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    tree = rng.integers(0, TREES, n)
    rule = (np.nan_to_num(x[:, 0]) > 0) * 2 + (np.nan_to_num(x[:, 1]) > 0.5)
    label = np.where(rng.random(n) < noise, rng.integers(0, LABELS, n), rule)
    weight = rng.uniform(0.5, 2.0, n)
    held = rng.random(n) < 0.3
    parts = [
        grown(x[~held & (tree == g)], label[~held & (tree == g)], weight[~held & (tree == g)], 5 if g else n, g)
        for g in range(TREES)
    ]
    splits = Splits.joined(parts)
    leaves = splits.leaves(x, tree)
    grove = Grove.counted(splits, leaves[~held], label[~held], weight[~held], np.full(TREES, LABELS))
    return grove, x, tree, label, weight, held


def test_rows_go_where_scikit_learn_sends_them():
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 3)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    label = (np.nan_to_num(x[:, 0]) + rng.standard_normal(500) > 0).astype(int)
    peer = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=3, random_state=7).fit(x, label)
    assert (grown(x, label, np.ones(500), 3, 7).leaves(x, np.zeros(500, int)) == peer.apply(x)).all()


def test_counts_are_those_of_the_records_below():
    grove, x, tree, label, weight, held = forest()
    below = np.zeros((len(grove.share), (~held).sum()), bool)
    for rows, nodes in grove.splits.descend(x[~held], tree[~held]):
        below[nodes, rows] = True
    nodes = np.arange(len(below))
    np.testing.assert_allclose(grove.mass(nodes), below @ weight[~held])
    for s in range(LABELS):
        expected = below @ (weight[~held] * (label[~held] == s))
        np.testing.assert_allclose(grove.count(nodes, np.full(len(nodes), s)), expected, atol=1e-9)
    many = [len(set(label[~held][row])) for row in below]
    assert grove.distinct().tolist() == many


def test_all_ways_of_asking_agree():
    grove, x, tree, label, _, held = forest()
    grove = trusted(grove, shares(grove, x[held], tree[held], label[held], np.ones(held.sum())), buckets(grove))
    for g in range(TREES):
        rows = np.flatnonzero(tree == g)[:200]
        table = grove.table(x[rows], g)
        np.testing.assert_allclose(table.sum(1), 1)
        for s in range(LABELS):
            one = grove.log_prob(x[rows], np.full(len(rows), g), np.full(len(rows), s))
            np.testing.assert_allclose(np.exp(one), table[:, s])


def test_draws_have_the_probabilities_that_are_told():
    grove, x, tree, label, _, held = forest()
    grove = trusted(grove, shares(grove, x[held], tree[held], label[held], np.ones(held.sum())), buckets(grove))
    n = 20_000
    for row in (0, 1, 2, 3):
        drawn = grove.draw(np.repeat(x[row : row + 1], n, 0), np.full(n, tree[row]), np.random.default_rng(row))
        told = grove.table(x[row : row + 1], int(tree[row]))[0]
        found = np.bincount(drawn, minlength=LABELS) / n
        assert (np.abs(found - told) < 5 * np.sqrt(told * (1 - told) / n) + 1e-9).all()


def test_trust_is_what_makes_held_out_labels_most_probable():
    grove, x, tree, label, _, held = forest(n=20_000)
    best = shares(grove, x[held], tree[held], label[held], np.ones(held.sum()))

    def score(share):
        return trusted(grove, share, buckets(grove)).log_prob(x[held], tree[held], label[held]).mean()

    assert score(best) > score(np.full_like(best, 0.7)) + 1e-3
    used = np.unique(np.concatenate([buckets(grove)[nodes] for _, nodes in grove.splits.descend(x[held], tree[held])]))
    for bucket in used:  # no λ by itself does better by more than what the prior keeps it from
        for value in (0.0, 0.25, 0.5, 0.75, 0.99):  # the mean is concave in each λ
            other = best.copy()
            other[bucket] = value
            assert score(other) < score(best) + 1.5e-3


def test_a_tree_without_records_says_that_all_labels_are_alike():
    empty = Splits.joined([grown(np.zeros((1, 1), np.float32), np.zeros(1, int), np.ones(1), 1, 0) for _ in range(2)])
    label = np.array([3, 4, 3])
    grove = Grove.counted(empty, np.array([1, 1, 1]), label, np.ones(3), np.array([2, 5]))
    grove = trusted(grove, np.full(buckets(grove).max() + 1, 0.7), buckets(grove))
    x = np.zeros((400, 1), np.float32)
    np.testing.assert_allclose(grove.table(x, 0), 0.5)
    assert set(grove.draw(x, np.zeros(400, int), np.random.default_rng(0))) == {0, 1}


def test_rules_are_trusted_and_noise_is_not():
    firm, *a = forest(n=20_000, noise=0.0)
    loose, *b = forest(n=20_000, noise=1.0)

    def of_leaves(grove, x, tree, label, _, held):
        grove = trusted(grove, shares(grove, x[held], tree[held], label[held], np.ones(held.sum())), buckets(grove))
        mass = grove.mass(np.arange(len(grove.share)))
        leaf = (grove.splits.feature < 0) & (mass < 1000)
        return np.average(grove.share[leaf], weights=mass[leaf])

    assert of_leaves(firm, *a) > 0.9 > 0.4 > of_leaves(loose, *b)


def test_as_arrays_and_back():
    grove, x, tree, label, *_ = forest()
    grove = trusted(grove, np.linspace(0, 0.9, buckets(grove).max() + 1), buckets(grove))
    back = Grove.of_arrays({name: array.astype(float) for name, array in grove.arrays().items()})
    assert (back.log_prob(x, tree, label) == grove.log_prob(x, tree, label)).all()
    for f in dataclasses.fields(Splits):
        assert getattr(back.splits, f.name).dtype == getattr(grove.splits, f.name).dtype


@pytest.mark.parametrize("size, alone", [(3, 0), (FEW + 1, 1), (1000, 1), (5000, 0)])
def test_digits_name_every_state_once(size, alone):
    rng = np.random.default_rng(0)
    digits = Digits.of(rng.permutation(size), rng.gamma(0.3, size=size), alone)
    pairs = set(zip(digits.group.tolist(), digits.place.tolist(), strict=True))
    assert len(pairs) == size and np.concatenate(digits.members).size == size
    for g, members in enumerate(digits.members):
        assert (digits.group[members] == g).all() and (digits.place[members] == np.arange(len(members))).all()
    if alone and size > FEW:
        assert digits.sizes[digits.group[size - 1]] == 1
