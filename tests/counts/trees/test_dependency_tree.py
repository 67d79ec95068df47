"""The family of trees: counts, densities, evidence, holes."""

import numpy as np
import pytest
import torch

import pushforward as pf

RNG = np.random.default_rng(0)


def chain(n=20_000):
    """a → b → c, each a copy of the one before with some noise; d on its own; e has holes where a is high."""
    a = RNG.integers(0, 4, n)
    b = np.where(RNG.random(n) < 0.8, a, RNG.integers(0, 4, n))
    c = np.where(RNG.random(n) < 0.7, b, RNG.integers(0, 4, n))
    e = RNG.integers(0, 3, n)
    words = np.array(["p", "q", "r"], object)[e]
    words[(a == 3) & (RNG.random(n) < 0.5)] = None
    return {name: np.array(list("wxyz"))[v] for name, v in {"a": a, "b": b, "c": c}.items()} | {
        "d": RNG.integers(0, 2, n).astype(bool),
        "e": words,
    }


DATA = chain()
MODEL = pf.DependencyTree().fit(DATA)


def test_the_tree_that_made_the_data_is_found():
    edges = {frozenset(edge) for edge in MODEL.edges}
    assert {frozenset("ab"), frozenset("bc"), frozenset("ae")} <= edges


def test_likelihood_is_that_of_counts():
    model = pf.DependencyTree(smoothing=1e-9).fit({"a": DATA["a"], "b": DATA["b"]})
    pairs, counts = np.unique(np.stack([DATA["a"], DATA["b"]], 1), axis=0, return_counts=True)
    found = model.log_prob({"a": pairs[:, 0], "b": pairs[:, 1]})
    np.testing.assert_allclose(np.exp(found), counts / counts.sum(), rtol=1e-6)


def test_chain_rule_and_marginals():
    rows = {name: DATA[name][:50] for name in "abc"}
    both = MODEL.log_prob(rows)
    first = MODEL.log_prob({"a": rows["a"]})
    given = pf.DependencyTree().fit(DATA, given=["a"])
    rest = given.log_prob({name: rows[name] for name in "abc"})
    np.testing.assert_allclose(both, first + rest, atol=1e-9)


def test_holes_come_where_they_came():
    drawn = MODEL.sample(40_000, seed=0).to_numpy()
    gone = np.array([value is None for value in drawn["e"]])
    assert abs(gone[drawn["a"] == "z"].mean() - 0.5) < 5 * 0.5 / np.sqrt(8_000)
    assert gone[drawn["a"] != "z"].mean() < 0.002


def test_draws_given_evidence_follow_the_conditional():
    n = 30_000
    drawn = MODEL.sample(n, given={"c": "w", "b": pf.among("x", "y")}, seed=1).to_numpy()
    assert set(drawn["b"]) == {"x", "y"} and set(drawn["c"]) == {"w"}
    share = np.exp(MODEL.log_prob({"b": ["x"], "c": ["w"]}) - MODEL.log_prob({"b": pf.among("x", "y"), "c": "w"}))
    assert abs((drawn["b"] == "x").mean() - share[0]) < 5 * 0.5 / np.sqrt(n)


def test_predictions_are_ratios_of_likelihoods():
    rows = {name: DATA[name][:20] for name in "abde"}
    chances = MODEL.predict_proba(rows, "c")
    terms = [MODEL.log_prob(rows | {"c": [level] * 20}) for level in "wxyz"]
    np.testing.assert_allclose(chances, np.exp(np.stack(terms, 1) - MODEL.log_prob(rows)[:, None]), atol=1e-9)


@pytest.mark.parametrize("kind", [pf.DependencyTree, lambda: pf.TreeMixture(trees=2, states=6)])
def test_a_density_in_the_plane_integrates_to_one(kind):
    points = np.random.default_rng(1).standard_normal((800, 2)) @ np.array([[1, 0.8], [0, 0.6]])
    model = kind().fit(points) if kind is pf.DependencyTree else kind().fit(points, steps=10)
    # cells end where bins do, so that only the tails are off
    edges = [np.unique(np.concatenate([np.linspace(-14, 14, 801), axis.edges])) for axis in model.coding.axes]
    grid = np.stack(np.meshgrid(*[(e[1:] + e[:-1]) / 2 for e in edges], indexing="ij"), -1).reshape(-1, 2)
    area = np.multiply.outer(*[np.diff(e) for e in edges]).ravel()
    assert np.exp(model.log_prob(grid)) @ area == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", [pf.DependencyTree, pf.TreeMixture])
def test_units_move_the_density_by_their_logarithm(kind):
    points = np.random.default_rng(2).standard_normal((300, 3))
    options = {} if kind is pf.DependencyTree else {"steps": 3}
    one = kind().fit(points, **options).log_prob(points)
    other = kind().fit(points * [1000, 1, 1], **options).log_prob(points * [1000, 1, 1])
    np.testing.assert_allclose(other, one - np.log(1000), atol=1e-9)
    scaled = kind().fit(points * 1e8, **options).log_prob(points * 1e8)
    np.testing.assert_allclose(scaled, one - 3 * np.log(1e8), atol=1e-6)


def test_a_range_is_the_sum_of_its_values():
    ages = np.random.default_rng(3).integers(18, 80, 3000)
    model = pf.DependencyTree().fit({"age": ages, "old": ages > 50})
    parts = [model.log_prob({"age": [age], "old": [True]})[0] for age in range(40, 61)]
    whole = model.log_prob({"age": pf.between(40, 60), "old": True})[0]
    assert np.exp(parts).sum() == pytest.approx(np.exp(whole), rel=1e-9)


def test_evidence_that_is_rare_costs_no_rejections():
    drawn = MODEL.sample(1000, given={"a": "w", "b": "z", "c": "w", "d": True}, seed=0)
    assert len(drawn) == 1000
    assert set(drawn.to_numpy()["b"]) == {"z"}


def test_text_is_refused_by_name():
    with pytest.raises(pf.DataError, match="'note' is text"):
        pf.DependencyTree().fit(pf.read({"note": ["a b c d", "e f g h"], "x": [1.0, 2.0]}, text=["note"]))


def test_a_scan_counts_what_records_count(tmp_path):
    path = pf.read(DATA).save(tmp_path / "data.parquet")
    one, other = pf.DependencyTree().fit(pf.read(path)), pf.DependencyTree().fit(pf.scan(path))
    assert all(torch.equal(one._state()[name], other._state()[name]) for name in one._state())


def test_thousands_of_levels_share_states():
    n = 20_000
    key = np.random.default_rng(4).zipf(1.3, n).clip(max=3000)
    side = (key % 2).astype(bool)
    model = pf.DependencyTree().fit(pf.read({"key": key, "side": side}, category=["key"]))
    assert max(model.coding.sizes) <= 256
    total = sum(
        np.exp(model.log_prob({"key": model.schema["key"].values[i : i + 500]})).sum()
        for i in range(0, len(model.schema["key"].values), 500)
    )
    assert total == pytest.approx(1, abs=1e-9)
