"""Chains of trees: a proper density, rules kept, evidence of every kind."""

import functools
import itertools

import numpy as np
import pytest

import pushforward as pf


@functools.cache
def ruled(n=6000, seed=0):
    """A table in which three columns are functions of others, one has holes by rule, and one is noise."""
    rng = np.random.default_rng(seed)
    hour, minute = rng.integers(0, 24, n), 5 * rng.integers(0, 12, n)
    town = rng.choice([f"t{i:03d}" for i in range(150)], n, p=np.random.default_rng(9).dirichlet(np.full(150, 1.0)))
    land = np.array([f"l{int(t[1:]) % 7}" for t in town])
    late = np.where(hour == 13, np.nan, np.round(rng.gamma(2.0, 1 + hour / 6.0)))
    noise = rng.standard_normal(n)
    return {
        "time": 100 * hour + minute, "hour": hour, "minute": minute, "town": town, "land": land, "late": late,
        "noise": noise,
    }  # fmt: skip


@functools.cache
def learned():
    return pf.TreeChain().fit(ruled(), seed=0)


def broken(table):
    """The share of rows that break each rule."""
    town = table["town"].str[1:].astype(int)
    return {
        "time": (table["time"] != 100 * table["hour"] + table["minute"]).mean(),
        "land": (table["land"].str[1:].astype(int) != town % 7).mean(),
        "late": (table["late"].isna() != (table["hour"] == 13)).mean(),
    }


def test_rules_of_a_table_are_kept():
    found = broken(learned().sample(20_000, seed=1).to_pandas())
    assert max(found.values()) < 0.03
    # which states that many values share do not do
    other = broken(pf.DependencyTree().fit(ruled()).sample(20_000, seed=1).to_pandas())
    assert max(other.values()) > 0.1


def test_it_scores_rules_too():
    """A row that breaks a rule is far less probable than one that keeps it."""
    model, data = learned(), ruled()
    rows = {name: values[:500] for name, values in data.items()}
    wrong = rows | {"land": np.roll(rows["land"], 1)}
    changed = rows["land"] != wrong["land"]
    gap = model.log_prob(rows) - model.log_prob(wrong)
    assert np.median(gap[changed]) > 5


def test_probabilities_of_all_records_sum_to_one():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 400)
    data = {
        "a": np.array(list("pqr"))[a], "b": np.array(list("uvwx"))[(a + rng.integers(0, 2, 400)) % 4],
        "c": np.array(["yes", "no"])[(rng.random(400) < 0.2 + 0.3 * (a == 1)).astype(int)],
    }  # fmt: skip
    model = pf.TreeChain().fit(data, seed=0)
    cells = list(itertools.product("pqr", "uvwx", ["yes", "no"]))
    every = {name: [cell[i] for cell in cells] for i, name in enumerate("abc")}
    p = np.exp(model.log_prob(every))
    assert p.sum() == pytest.approx(1, abs=1e-9)
    n = 40_000
    drawn = model.sample(n, seed=0).to_pandas().value_counts()
    for cell, chance in zip(cells, p, strict=True):
        assert abs(drawn.get(cell, 0) / n - chance) < 5 * np.sqrt(chance * (1 - chance) / n) + 1e-9
    # of some fields: summed over the other one
    one = np.exp(model.log_prob({"a": ["p"], "c": ["no"]}))
    assert one == pytest.approx(sum(p[i] for i, cell in enumerate(cells) if cell[0] == "p" and cell[2] == "no"))


def test_a_number_has_a_density():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(4000)
    model = pf.TreeChain().fit({"x": x}, seed=0)
    line = np.linspace(-8, 8, 400_001)
    assert np.exp(model.log_prob({"x": line})).sum() * (line[1] - line[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("given", [{"hour": 7}, {"town": "t010"}, {"late": pf.between(10, 20), "hour": 20}])
def test_any_field_may_be_given(given):
    drawn = learned().sample(4000, given=given, seed=0).to_pandas()
    if "hour" in given:
        assert (drawn["hour"] == given["hour"]).all()
        assert (drawn["time"] // 100 == given["hour"]).mean() > 0.95
    if "town" in given:
        assert (drawn["land"] == "l3").mean() > 0.95
    if "late" in given:  # a range, in the shape that the data have within it
        real = ruled()["late"][(ruled()["hour"] == 20) & (ruled()["late"] >= 10) & (ruled()["late"] <= 20)]
        assert abs(drawn["late"].mean() - real.mean()) < 5 * real.std() / np.sqrt(len(real)) + 0.2


def test_holes_are_filled_by_rule():
    data = ruled(seed=1)
    seen = np.isin(data["town"], ruled()["town"])
    data = {name: values[seen][:400] for name, values in data.items()}
    rows = dict(data)
    rows["land"] = rows["land"].astype(object)
    rows["land"][:] = None
    found = learned().complete(rows, seed=0).to_numpy()["land"]
    assert (found == data["land"]).mean() > 0.95
    assert (learned().predict(rows, "land") == data["land"]).mean() > 0.95


def test_conditions_come_first_and_do_not_count():
    data = ruled()
    model = pf.TreeChain().fit(data, given=["noise", "land", "land"], seed=0)
    assert set(model.measurements["order"][:2]) == {"noise", "land"}
    whole = {name: values[:50] for name, values in data.items()}
    told = {name: whole[name] for name in ("noise", "land")}
    free = pf.TreeChain().fit(data, seed=0)  # the same trees from other fields would score land, too
    assert model.score(whole) > free.score(whole) + 1
    # company does not matter, nor whether a neighbour's condition is known
    mixed = whole | {"land": np.array([None, *whole["land"][1:]], dtype=object)}
    np.testing.assert_allclose(model.log_prob(mixed)[1:], model.log_prob(whole)[1:], atol=1e-9)
    np.testing.assert_allclose(model.log_prob(told), 0, atol=1e-9)


def test_two_digits_are_a_distribution():
    """Of every variable with more states than are told at once; a heavy first value leaves an empty group below it."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(4000) < 0.3, 0, rng.integers(0, 3000, 4000))
    model = pf.TreeChain().fit({"x": x, "y": 2 * x}, seed=0)
    told = np.stack([rng.integers(0, size, 50) for size in model._coding.sizes_with_holes], 1)
    for conditional in (*model._ordered, *model._free):
        assert conditional.second is not None
        table = conditional.table(told)
        np.testing.assert_allclose(table.sum(1), 1)
        for s in (0, 1, 57, table.shape[1] - 1):
            one = np.exp(conditional.log_prob(told, np.full(50, s)))
            np.testing.assert_allclose(one, table[:, s], atol=1e-12)


def test_numbers_that_single_precision_cannot_tell_apart():
    rng = np.random.default_rng(0)
    date = 20_240_100 + rng.integers(1, 32, 6000)
    tiny = rng.standard_normal(6000) * 1e-9
    model = pf.TreeChain().fit({"date": date, "odd": date % 2, "tiny": tiny, "large": tiny * 1e12}, seed=0)
    drawn = model.sample(2000, seed=0).to_numpy()
    assert (drawn["date"] % 2 == drawn["odd"]).mean() > 0.99
    assert np.corrcoef(drawn["large"], drawn["tiny"])[0, 1] > 0.99


def test_weights_of_a_large_range_and_columns_without_values():
    rng = np.random.default_rng(0)
    data = {"x": rng.integers(0, 5, 600), "y": [None] * 300 + [1.0] * 300}
    weights = np.where(np.arange(600) < 300, 2.0, 2e-12)
    model = pf.TreeChain().fit(data, weights=weights, seed=0)
    assert (model.log_prob({"x": data["x"], "y": [1.0] * 600}) < 1e-9).all()
    alone = pf.TreeChain().fit(data, weights=np.where(np.arange(600) < 300, 1.0, 0.0), seed=0)
    assert alone.sample(5, seed=0).column("y").null_count == 5


def test_saved_and_loaded_it_is_the_same(tmp_path):
    learned().save(tmp_path / "model")
    back = pf.load(tmp_path / "model")
    rows = {name: values[:100] for name, values in ruled().items()}
    assert (back.log_prob(rows) == learned().log_prob(rows)).all()
    for given in (None, {"hour": 7}):
        one, two = (model.sample(50, given=given, seed=0) for model in (back, learned()))
        assert one.table.equals(two.table)


def test_large_pictures_and_texts_are_refused():
    with pytest.raises(pf.DataError, match="784 pixels"):
        pf.TreeChain().fit({"image": np.zeros((4, 28, 28), np.uint8)})
    with pytest.raises(pf.DataError, match="text"):
        pf.TreeChain().fit(pf.read({"words": ["one two three", "four five six", "x y", "a b c d"]}, text=["words"]))
