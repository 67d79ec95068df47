"""Tables field after field: one coherent density, evidence of every kind, and what is learned."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import pushforward as pf


@functools.cache
def learned():
    """A model of two numbers, a class and a rest with holes that hangs on the class."""
    rng = np.random.default_rng(0)
    n = 3000
    kind = rng.integers(0, 3, n)
    data = {
        "size": 2.0 * kind + rng.standard_normal(n),
        "kind": np.array(["a", "b", "c"])[kind],
        "count": np.where(rng.random(n) < 0.4, 0, rng.poisson(3 + 4 * kind)),
        "rest": np.where(rng.random(n) < 0.3 * (kind == 2), np.nan, np.round(kind + 0.3 * rng.standard_normal(n), 1)),
    }
    model = pf.Autoregressive(width=64, dropout=0.1).fit(data, steps=1500, seed=0, device="cpu")
    return model, pf.read(data)


def test_what_is_drawn_hangs_together():
    model, data = learned()
    drawn = model.sample(4000, seed=0).to_pandas()
    real = data.to_pandas()
    for kind in "abc":
        one, two = drawn[drawn["kind"] == kind], real[real["kind"] == kind]
        assert abs(len(one) / 4000 - len(two) / 3000) < 0.05
        assert abs(one["size"].mean() - two["size"].mean()) < 0.25
        assert abs((one["count"] == 0).mean() - (two["count"] == 0).mean()) < 0.08
        assert abs(one["rest"].isna().mean() - two["rest"].isna().mean()) < 0.06


def test_drawing_in_order_is_drawing_from_the_density():
    """Shares of draws are the probabilities that `log_prob` says, cell by cell."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, 3, 500)
    data = {"a": np.array(list("pqr"))[first], "b": np.array(list("uv"))[(first + rng.integers(0, 2, 500)) % 2]}
    model = pf.Autoregressive(width=32).fit(data, steps=100, seed=0, device="cpu")
    n = 40_000
    drawn = model.sample(n, seed=0).to_pandas().value_counts()
    for (a, b), count in drawn.items():
        p = np.exp(model.log_prob({"a": [a], "b": [b]})[0])
        assert abs(count / n - p) < 5 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("given", [{"rest": 2.0}, {"count": 0}, {"kind": "b"}, {"count": 0, "kind": "c"}])
def test_any_field_may_be_given(given):
    model, _ = learned()
    drawn = model.sample(3000, given=given, seed=0).to_pandas()
    assert all((drawn[name] == value).all() for name, value in given.items())
    kind = np.arange(3)  # and what is known of it, by Bayes' rule
    chance = {
        "rest": np.array([1, 1, 0.7]) * np.exp(-(((given.get("rest", 0) - kind) / 0.3) ** 2) / 2),
        "count": 0.4 + 0.6 * np.exp(-(3 + 4 * kind)),
        "kind": np.array(list("abc")) == given.get("kind"),
    }
    p = np.prod([chance[name] for name in given], 0)
    p = p / p.sum()
    assert abs(drawn["size"].mean() - 2 * kind @ p) < 0.3
    assert abs((drawn["kind"] == "c").mean() - p[2]) < 0.1


def test_ranges_and_sets_together():
    model, data = learned()
    drawn = model.sample(2000, given={"size": pf.between(3, None), "count": pf.between(None, 4)}, seed=0).to_pandas()
    real = data.to_pandas()
    real = real[(real["size"] >= 3) & (real["count"] <= 4)]
    assert (drawn["size"] >= 3).all() and (drawn["count"] <= 4).all()
    assert abs((drawn["kind"] == "c").mean() - (real["kind"] == "c").mean()) < 0.12


def test_classes_are_told_from_the_rest():
    model, data = learned()
    truth = np.array(data.column("kind").to_pylist())
    found = model.predict(data, "kind")
    assert (found == truth).mean() > 0.9
    assert np.allclose(model.predict_proba(data[:5], "kind").sum(1), 1)


def test_conditions_come_first_and_do_not_count():
    _, data = learned()
    told = pf.Autoregressive(width=32).fit(data, given="rest", steps=60, seed=0, device="cpu")
    assert told.schema.names == data.names
    assert told.sample(5, given={"rest": 1.0}, seed=0).names == data.names
    assert np.isfinite(told.log_prob(data)).all()


def test_the_score_given_conditions_is_a_difference():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 800)
    data = {"x": 2.0 * kind + rng.standard_normal(800), "kind": np.array(list("abc"))[kind]}
    model = pf.Autoregressive(width=32, dropout=0.0).fit(data, given="kind", steps=1500, seed=0, device="cpu")
    one = {k: model.log_prob({"x": [0.0], "kind": [k]})[0] for k in "abc"}
    assert one["a"] > one["b"] > one["c"]  # what is told counts
    # a set that holds one level is that level, and one that holds all is what the data lack
    for k in "ab":  # c is far away, where two networks may differ
        assert abs(model.log_prob({"kind": pf.among(k), "x": [0.0]})[0] - one[k]) < 0.35
    lacking = model.log_prob({"x": [0.0]})[0]
    assert one["c"] < lacking < one["a"]
    ways = [{"kind": pf.among("a"), "x": pf.between(3, None)}, {"x": pf.between(3, None), "kind": pf.among("a")}]
    assert abs(model.log_prob(ways[0])[0] - model.log_prob(ways[1])[0]) < 0.2


def test_a_hole_that_training_never_saw():
    data = {"a": list(range(60)), "b": ["u", "v"] * 30}
    held = pf.read(data).to_pandas()
    held.loc[0, "b"] = None
    model = pf.Autoregressive(width=8).fit(data, steps=60, validation=held, seed=0, device="cpu")
    assert np.isfinite(model.history["held-out"][1]).all()  # the cell is left out, not taken for a level
