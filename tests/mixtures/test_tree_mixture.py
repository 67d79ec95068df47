"""Hidden trees: expected counts against sums over all that is hidden, EM, and what a plain tree cannot learn."""

import itertools

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.counts.trees.tree import Tree
from pushforward.mixtures.hidden_tree import Expected, Shape, kernel, maximise, start

PARENTS, K, SIZES = (-1, 0, 1), 2, (2, 3, 2)


def table(generator, *shape):
    values = torch.rand(*shape, generator=generator, dtype=torch.float64) + 0.1
    return values / values.sum(-1, keepdim=True)


def grow(seed=0):
    g = torch.Generator().manual_seed(seed)
    edges = tuple(table(g, K, K) for _ in PARENTS[1:])
    return Tree(PARENTS, table(g, K), edges, tuple(table(g, K, s).T.contiguous() for s in SIZES))


SHAPE = Shape((0, 1, 2), PARENTS, SIZES, (None, None, None), K)
STATES = torch.from_numpy(np.random.default_rng(0).integers(0, SIZES, (60, 3)))


def test_expected_counts_are_posteriors_summed():
    tree = grow()
    weights = torch.rand(60, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = Expected.of(tree, STATES, weights)
    prior, edges = torch.zeros(K).double(), torch.zeros(2, K, K).double()
    emissions, score = torch.zeros(sum(SIZES), K).double(), 0.0
    for x, weight in zip(STATES.tolist(), weights, strict=True):
        terms = {}
        for z in itertools.product(range(K), repeat=3):
            p = tree.prior[z[0]] * tree.transition(1)[z[0], z[1]] * tree.transition(2)[z[1], z[2]]
            terms[z] = p * torch.stack([tree.emissions[i][x[i], z[i]] for i in range(3)]).prod()
        total = sum(terms.values())
        score += weight * total.log()
        for z, p in terms.items():
            share = weight * p / total
            prior[z[0]] += share
            edges[0, z[0], z[1]] += share
            edges[1, z[1], z[2]] += share
            for i in range(3):
                emissions[sum(SIZES[:i]) + x[i], z[i]] += share
    torch.testing.assert_close(found.prior, prior, check_dtype=False, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.edges, edges, check_dtype=False, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.emissions, emissions, check_dtype=False, rtol=1e-6, atol=1e-6)
    assert found.score.item() == pytest.approx(score.item())


def test_full_steps_never_lower_the_likelihood_but_for_what_is_smoothed():
    tree, scores = grow(3).to(torch.float32), []
    for _ in range(30):
        counts = Expected.of(tree, STATES, torch.ones(60))
        scores.append(counts.score.item())
        tree = maximise(counts, SHAPE, backing=0.0)
    assert all(after > before - 0.05 for before, after in itertools.pairwise(scores))
    assert scores[-1] > scores[0] + 1


def test_the_start_counts_every_record_once():
    counts = start(STATES, torch.ones(60), SHAPE, seed=0)
    assert counts.prior.sum() == 60
    torch.testing.assert_close(counts.edges.sum((1, 2)), torch.full((2,), 60.0))
    for part in counts.emissions.split(list(SIZES)):
        assert part.sum() == 60


def test_a_running_mean_keeps_its_weight():
    one, other = (Expected.of(grow(seed).to(torch.float32), STATES[:n], torch.ones(n)) for seed, n in ((0, 60), (1, 7)))
    mixed = one.blended(other, 0.25)
    torch.testing.assert_close(mixed.prior.sum(), torch.tensor(60.0))
    assert mixed.weight == 60


def test_to_blur_leaves_the_margin_as_it_was():
    rng = np.random.default_rng(0)
    counts = np.append(rng.integers(1, 400, 30), 4000).astype(float)
    age = np.arange(31.0)
    smooth = np.exp(-0.5 * ((age[:, None] - np.linspace(5, 25, 6)) / 4) ** 2) * counts[:, None] + 0.5
    blur = kernel(age, counts, np.rint(smooth))
    assert blur is not None
    moved = blur.double().numpy() @ (counts / counts.sum())
    np.testing.assert_allclose(moved / moved.sum(), counts / counts.sum(), atol=1e-3)


def test_a_number_that_is_another_name_of_a_category_is_not_blurred():
    assert kernel(np.arange(8.0), np.full(8, 100.0), np.diag(np.full(8, 100.0))) is None


def test_states_without_order_are_not_blurred():
    assert kernel(None, np.ones(3), np.ones((3, 2))) is None


def parity(n=6000):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, n)).astype(bool)
    return {"a": a, "b": b, "c": a ^ b}


def test_what_takes_three_fields_to_see_is_learned():
    data = parity()
    plain = pf.DependencyTree().fit(data).score(data)
    hidden = pf.TreeMixture(trees=1, states=8).fit(data, steps=60, seed=0).score(data)
    assert plain == pytest.approx(-3 * np.log(2), abs=0.01)
    assert hidden > -2 * np.log(2) - 0.05


def test_cells_that_are_empty_together_are_drawn_empty_together():
    rng = np.random.default_rng(1)
    gone = rng.random(5000) < 0.3
    job, boss = (
        np.where(gone, None, np.array(list(word), object)[rng.integers(0, 3, 5000)]) for word in ("abc", "xyz")
    )
    model = pf.TreeMixture(trees=2, states=8).fit({"job": job, "boss": boss, "x": rng.random(5000)}, steps=15)
    drawn = model.sample(20_000, seed=0).to_numpy()
    empty = [np.array([value is None for value in drawn[name]]) for name in ("job", "boss")]
    assert abs(empty[0].mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 5000)
    assert (empty[0] == empty[1]).mean() > 0.98


def test_a_scan_learns_what_records_learn(tmp_path):
    path = pf.read(parity(800)).save(tmp_path / "parity.parquet")
    one, other = (pf.TreeMixture(trees=2, states=4).fit(read(path), steps=3) for read in (pf.read, pf.scan))
    assert all(torch.equal(one._state()[name], other._state()[name]) for name in one._state())


def test_records_of_no_weight_are_not_learned():
    data = parity(2000)
    other = {name: np.concatenate([values, ~values[:500]]) for name, values in data.items()}
    weights = np.concatenate([np.ones(2000), np.zeros(500)])
    model = pf.TreeMixture(trees=1, states=8).fit(other, weights=weights, steps=40, seed=0)
    wrong = {"a": [True], "b": [True], "c": [True]}
    assert np.exp(model.log_prob(wrong))[0] < 0.02


def test_a_number_keeps_to_the_side_of_its_category():
    """Plums weigh 40, and nothing weighs between 75 and 90: no state of the weight may mix plums with apples."""
    rng = np.random.default_rng(0)
    kind = rng.choice(2, 400, p=[0.8, 0.2])
    weight = np.where(kind == 1, rng.normal(40, 8, 400), rng.normal(170, 20, 400)).round(1)
    names = np.array(["apple", "plum"])[kind]
    model = pf.TreeMixture().fit({"kind": names, "weight": weight}, seed=0)
    drawn = model.sample(4000, given={"kind": "plum"}, seed=1).to_numpy()["weight"]
    assert (np.asarray(drawn, float) > 80).mean() < 0.03
