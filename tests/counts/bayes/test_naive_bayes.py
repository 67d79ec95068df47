"""Naive Bayes against scikit-learn and closed forms: scores, draws, chunks, weights, and what is refused."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats
from sklearn.naive_bayes import CategoricalNB, GaussianNB, MultinomialNB

import pushforward as pf


def by_class(n=600, seed=0):
    """Floats of three classes, two of them categories' company."""
    rng = np.random.default_rng(seed)
    k = rng.integers(0, 3, n)
    return {
        "a": k + rng.standard_normal(n),
        "b": 3.0 * rng.standard_normal(n) - k,
        "colour": np.array(list("rgbw"))[(k + rng.integers(0, 2, n)) % 4],
        "count": rng.negative_binomial(3, 0.3, n) + 2 * k,
        "label": np.array(["x", "y", "z"])[k],
    }


def test_gaussian_classes_are_those_of_scikit_learn():
    data = by_class()
    x = np.stack([data["a"], data["b"]], 1)
    floats = {name: data[name] for name in ("a", "b", "label")}
    model = pf.NaiveBayes().fit(floats)
    prior = (np.unique(data["label"], return_counts=True)[1] + 1) / 603
    peer = GaussianNB(priors=prior, var_smoothing=0).fit(x, data["label"])
    np.testing.assert_allclose(model.predict_proba(floats, "label"), peer.predict_proba(x), atol=1e-9)
    np.testing.assert_allclose(model.log_prob({"a": x[:, 0], "b": x[:, 1]}), _evidence(peer, x), rtol=1e-9)


def _evidence(peer, x):
    return np.logaddexp.reduce(peer._joint_log_likelihood(x), 1)


@pytest.mark.parametrize("smoothing", [0.01, 1.0, 7.0])
def test_tables_are_those_of_scikit_learn(smoothing):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 500)
    codes = (y[:, None] + rng.integers(0, 3, (500, 4))) % 5
    data = {**{f"c{j}": [f"v{c}" for c in codes[:, j]] for j in range(4)}, "y": [f"k{c}" for c in y]}
    model = pf.NaiveBayes(smoothing=smoothing).fit(data)
    prior = (np.bincount(y) + smoothing) / (500 + 3 * smoothing)
    peer = CategoricalNB(alpha=smoothing, class_prior=prior).fit(codes, y)
    np.testing.assert_allclose(model.predict_proba(data, "y"), peer.predict_proba(codes), atol=1e-9)


def test_words_are_those_of_scikit_learn():
    notes = ["red red ball", "blue ball", "red sky", "blue blue sea sky", "sea", "ball red"] * 4
    data = pf.read({"note": notes, "y": list("aabbba") * 4}, text=["note"])
    model = pf.NaiveBayes(field="y").fit(data)
    words = ["ball", "blue", "red", "sea", "sky", "unknown", "stop"]
    counts = np.array([[[*note.split(), "stop"].count(w) for w in words] for note in notes])
    peer = MultinomialNB(class_prior=[13 / 26, 13 / 26]).fit(counts, list("aabbba") * 4)
    np.testing.assert_allclose(model.predict_proba(data, "y"), peer.predict_proba(counts), atol=1e-9)


def test_another_category_is_predicted_by_a_sum_over_the_classes():
    data = by_class()
    model = pf.NaiveBayes(field="label").fit(data)
    some = {name: column[:20] for name, column in data.items() if name not in ("label", "colour")}
    found = model.predict_proba(some, "colour")
    logs = np.stack([model.log_prob({**some, "colour": [c] * 20}) for c in "bgrw"], 1)
    np.testing.assert_allclose(found, np.exp(logs - model.log_prob(some)[:, None]), atol=1e-9)


def test_the_chain_rule_holds():
    data = by_class()
    joint, given = pf.NaiveBayes().fit(data), pf.NaiveBayes(field="label").fit(data, given=["a", "colour"])
    parts = joint.log_prob({"a": data["a"], "colour": data["colour"]}) + given.log_prob(data)
    np.testing.assert_allclose(joint.log_prob(data), parts, rtol=1e-9)


def test_a_set_is_the_sum_of_its_values_and_a_hole_may_be_among_them():
    data = {"x": [None, 1, 2, 2, 5, None] * 5, "c": ["a", "b", None, "b", "b", "a"] * 5, "k": list("uuuvvv") * 5}
    model = pf.NaiveBayes(field="k").fit(pf.read(data, category=["k"]))
    single = [model.log_prob({"x": [v]})[0] for v in (2, 5)]
    assert model.log_prob({"x": pf.among(2, 5)})[0] == pytest.approx(np.logaddexp(*single), abs=1e-9)
    hole, level = (math.exp(model.log_prob({"c": pf.among(v)})[0]) for v in (None, "a"))
    rate = model.product.holes[:, model.product.layout.may_miss.index("c")]
    table = model.product.table("c")[:, 0]
    both = float((model.product.prior * (rate + (1 - rate) * table)).sum())
    assert math.exp(model.log_prob({"c": pf.among("a", None)})[0]) == pytest.approx(both, abs=1e-12)
    assert hole == pytest.approx(float((model.product.prior * rate).sum())) and 0 < level < 1
    drawn = model.sample(4000, given={"c": pf.among("a", None)}, seed=0).to_numpy()["c"]
    share, wanted = np.mean([v is None for v in drawn]), hole / both
    assert abs(share - wanted) < 5 * math.sqrt(wanted * (1 - wanted) / 4000)


def test_draws_given_evidence_have_the_posterior():
    model = pf.NaiveBayes(field="label").fit(by_class())
    n = 20_000
    given = {"a": 0.7, "count": pf.between(4, 9), "colour": pf.among("r", "g")}
    drawn = model.sample(n, given=given, seed=0).to_numpy()
    whole = model.log_prob({**given, "a": pf.between(0.7, 0.7 + 1e-7)})[0] - math.log(1e-7)
    for k in "xyz":
        here = model.log_prob({**given, "a": pf.between(0.7, 0.7 + 1e-7), "label": pf.among(k)})[0] - math.log(1e-7)
        p = math.exp(here - whole)
        assert abs(np.mean(drawn["label"] == k) - p) < 5 * math.sqrt(p * (1 - p) / n) + 1e-6
    counts = [math.exp(model.log_prob({**given, "a": pf.among(0.7), "count": pf.among(c)})[0]) for c in range(4, 10)]
    for c, p in zip(range(4, 10), np.array(counts) / sum(counts), strict=True):
        assert abs(np.mean(drawn["count"] == c) - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_a_rare_range_is_drawn_exactly():
    x = np.random.default_rng(0).standard_normal(500)
    model = pf.NaiveBayes().fit({"x": x})
    mean, deviation = x.mean(), x.std()
    for low in (mean + 6 * deviation, mean + 45 * deviation):
        drawn = model.sample(20_000, given={"x": pf.between(low, None)}, seed=0).to_numpy()["x"]
        z = (low - mean) / deviation
        excess = deviation / z * (1 - 1 / z**2 + 5 / z**4)  # the mean above the bound, by the tail's series
        assert drawn.min() >= low
        assert abs((drawn - low).mean() - excess) < 5 * excess / math.sqrt(20_000) + 0.02 * excess
        assert model.log_prob({"x": pf.between(low, None)})[0] == pytest.approx(scipy.stats.norm.logsf(z), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1000.0, 1e8])
def test_units_move_the_density_and_nothing_else(scale):
    data = {name: column for name, column in by_class().items() if name != "count"}
    other = {**data, "a": data["a"] * scale}
    one, two = pf.NaiveBayes().fit(data), pf.NaiveBayes().fit(other)
    np.testing.assert_allclose(two.log_prob(other), one.log_prob(data) - math.log(scale), atol=1e-9)
    np.testing.assert_allclose(two.predict_proba(other, "label"), one.predict_proba(data, "label"), atol=1e-9)


def test_where_zero_is_changes_nothing():
    data = {name: column for name, column in by_class().items() if name != "count"}
    data["a"] = np.round(data["a"] * 2**20) / 2**20  # so that the shift itself rounds nothing
    other = {**data, "a": data["a"] + 1e4}
    one, two = pf.NaiveBayes().fit(data), pf.NaiveBayes().fit(other)
    np.testing.assert_allclose(two.log_prob(other), one.log_prob(data), atol=1e-9)


def test_whole_weights_are_repeated_records():
    data = by_class()
    weights = np.random.default_rng(2).integers(0, 4, 600)
    repeated = {name: np.repeat(column, weights) for name, column in data.items()}
    one, two = pf.NaiveBayes().fit(data, weights=weights), pf.NaiveBayes().fit(repeated)
    np.testing.assert_allclose(one.log_prob(repeated), two.log_prob(repeated), rtol=1e-9)


def test_chunks_add_up_to_the_whole(tmp_path):
    data = by_class(150_000)
    pq.write_table(pa.table(data), tmp_path / "data.parquet")
    whole, chunks = (pf.NaiveBayes(field="label").fit(f(tmp_path / "data.parquet")) for f in (pf.read, pf.scan))
    for name, tensor in whole._state().items():
        np.testing.assert_array_equal(tensor.numpy(), chunks._state()[name].numpy())
    x = np.array([data["a"][data["label"] == k].mean() for k in "xyz"])
    np.testing.assert_allclose(whole.product.quantities["a"].mean.numpy(), x, rtol=1e-9)


def test_one_pass_is_told_once():
    seen = list(pf.NaiveBayes().fitting("penguins"))
    assert [(p.phase, p.step, p.remaining) for p in seen] == [("count", 1, 0.0)]
    assert math.isfinite(seen[0].losses["nats"])


def test_independent_columns_where_there_is_no_category():
    x = np.random.default_rng(0).standard_normal((80, 2))
    model = pf.NaiveBayes().fit(x)
    wanted = scipy.stats.norm.logpdf(x, x.mean(0), x.std(0)).sum(1)
    np.testing.assert_allclose(model.log_prob(x), wanted, rtol=1e-9)
    assert model.responsibilities(x).shape == (80, 1)


def test_records_without_a_class_are_passed_over_and_holes_of_a_class_are_learned():
    rng = np.random.default_rng(0)
    k = np.array(["a", "b"])[rng.integers(0, 2, 4000)].astype(object)
    x = np.where((k == "a") & (rng.random(4000) < 0.5), np.nan, rng.standard_normal(4000))
    k[:400] = None
    model = pf.NaiveBayes().fit({"x": x, "k": k})
    assert model.product.holes[:, 0].tolist() == pytest.approx([0.5, 0.0], abs=0.05)
    assert model.product.holes[0, 1].item() == pytest.approx(0.1, abs=1e-12)
    drawn = model.sample(20_000, seed=0).to_numpy()
    share = np.mean(np.isnan(drawn["x"][drawn["k"] == "a"]))
    assert abs(share - 0.5) < 0.05
    known = {"x": x[400:], "k": list(k[400:])}
    alone = pf.NaiveBayes().fit(known)
    np.testing.assert_allclose(model.log_prob(known), alone.log_prob(known), rtol=1e-12)


def test_a_class_of_one_record_has_a_variance():
    model = pf.NaiveBayes().fit({"x": [1.0, 2.0, 3.5, 9.0], "k": ["a", "a", "a", "b"]})
    x = np.array([1.0, 2.0, 3.5, 9.0])
    assert model.product.quantities["x"].spread[1].item() == pytest.approx(1e-3 * x.var())
    assert np.isfinite(model.log_prob({"x": [1e6], "k": ["b"]})).all()


def test_a_level_that_its_class_never_had_is_possible():
    model = pf.NaiveBayes().fit({"c": ["u", "v", "u"], "k": ["a", "b", "a"]})
    assert model.log_prob({"c": ["v"], "k": ["a"]})[0] == pytest.approx(math.log(1 / 4 * 3 / 5))


@pytest.mark.parametrize("field", ["a", "nothing"])
def test_a_class_that_is_no_category_is_refused(field):
    with pytest.raises(pf.ArgumentError, match=rf"field='{field}' is not a category of the data; .*label"):
        pf.NaiveBayes(field=field).fit(by_class())


def test_a_run_has_nothing_to_budget():
    with pytest.raises(pf.ArgumentError, match=r"steps= is not an option of NaiveBayes\.fit"):
        pf.NaiveBayes().fit(by_class(), steps=3)


def test_pictures_are_recognised_and_drawn():
    train, test = pf.read("digits").split(0.8, seed=0)
    model = pf.NaiveBayes(floor=0.1).fit(train)
    right = np.mean(model.predict(test, "label") == test.to_numpy()["label"])
    assert right > 0.85
    some = test[:5]
    np.testing.assert_allclose(model.log_prob(test)[:5], model.log_prob(some), rtol=1e-9)  # table and formula
    drawn = model.sample(300, given={"label": 3}, seed=0)
    assert drawn.to_numpy()["image"].shape == (300, 8, 8)
    pixels = train.to_numpy()["image"][train.to_numpy()["label"] == 3]
    gap = np.abs(drawn.to_numpy()["image"].mean(0) - pixels.mean(0))
    assert gap.max() < 25


def test_adult_keeps_its_types_ranges_and_holes():
    data = pf.read("adult:train")
    drawn = pf.NaiveBayes(field="income").fit(data).sample(30_000, seed=0)
    assert drawn.schema == data.schema
    for field in data.schema:
        before, after = (r.column(field.name).null_count / len(r) for r in (data, drawn))
        assert abs(before - after) < 0.01
    for name, atom in (("capital_gain", 0), ("hours_per_week", 40)):
        before, after = (np.mean(r.to_numpy()[name] == atom) for r in (data, drawn))
        assert abs(before - after) < 5 * math.sqrt(before * (1 - before) / 30_000)
