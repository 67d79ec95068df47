"""The family: weights, orders, resuming, chunks, processes, and that a table's character survives."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf


def columns(x, order=None):
    return {f"c{i}": x[:, i] for i in (order or range(x.shape[1]))}


@pytest.mark.parametrize("shape", ["full", "tied", "diagonal", "spherical"])
def test_whole_weights_are_repeated_records(clusters, shape):
    weights = np.random.default_rng(0).integers(0, 4, len(clusters))
    repeated = np.repeat(clusters, weights, axis=0)
    options = {"components": 3, "covariance": shape}
    one = pf.GaussianMixture(**options).fit(clusters, weights=weights, steps=60)
    two = pf.GaussianMixture(**options).fit(repeated, steps=60)
    order = [np.argsort(model.means[:, 0] + model.means[:, 1]) for model in (one, two)]
    np.testing.assert_allclose(one.means[order[0]], two.means[order[1]], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one.covariances[order[0]], two.covariances[order[1]], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one.log_prob(clusters), two.log_prob(clusters), rtol=1e-6, atol=1e-6)


def test_a_column_of_weights_is_not_modelled(clusters):
    data = {**columns(clusters), "w": np.arange(600.0)}
    model = pf.GaussianMixture(components=2).fit(data, weights="w", steps=3)
    other = pf.GaussianMixture(components=2).fit(columns(clusters), weights=np.arange(600.0), steps=3)
    assert model.schema.names == ("c0", "c1", "c2")
    assert np.array_equal(model.log_prob(columns(clusters)), other.log_prob(columns(clusters)))


@pytest.mark.parametrize(
    "weights, why",
    [(np.ones(3), r"shape \(3,\); there are 600"), (np.full(600, -1.0), "at least 0"), (np.zeros(600), "not all 0"),
     (np.full(600, np.nan), "finite"), (["a"] * 600, "must be numbers"), ("w", "'w' does not exist")],
)  # fmt: skip
def test_weights_that_make_no_sense_are_refused(clusters, weights, why):
    with pytest.raises(pf.PushforwardError, match=why):
        pf.GaussianMixture(components=2).fit(columns(clusters), weights=weights, steps=1)


def test_the_order_of_fields_does_not_matter(clusters):
    one = pf.GaussianMixture(components=3).fit(columns(clusters), steps=20)
    two = pf.GaussianMixture(components=3).fit(columns(clusters, [2, 0, 1]), steps=20)
    np.testing.assert_allclose(one.log_prob(columns(clusters)), two.log_prob(columns(clusters)), rtol=1e-6)


def test_the_order_of_the_columns_that_are_scored_does_not_matter(clusters):
    model = pf.GaussianMixture(components=3).fit(columns(clusters), steps=5)
    assert np.array_equal(model.log_prob(columns(clusters)), model.log_prob(columns(clusters, [1, 2, 0])))


def test_more_components_than_records_are_refused():
    with pytest.raises(pf.ArgumentError, match="components=8 is more than the 3 records; take at most 3"):
        pf.GaussianMixture().fit({"x": [1.0, 2.0, 3.0]})


def test_fewer_different_records_than_components_are_legal():
    model = pf.GaussianMixture(components=4).fit({"x": [1.0, 1.0, 2.0, 2.0, 2.0], "c": list("aabbb")})
    assert np.isfinite(model.score({"x": [1.0, 2.0], "c": ["a", "b"]}))


def test_text_is_refused_by_name():
    data = pf.read({"note": ["a b c d", "e f g h"], "x": [1.0, 2.0]}, text=["note"])
    with pytest.raises(pf.DataError, match=r"'note' is text.*leave it out"):
        pf.GaussianMixture(components=1).fit(data)


def test_pictures_are_modelled_pixel_by_pixel():
    digits = pf.read("digits")[:300]
    model = pf.GaussianMixture(components=10, covariance="diagonal").fit(digits, steps=5)
    out = model.sample(40, given={"label": 3}, seed=0)
    assert out.to_numpy()["label"].tolist() == [3] * 40 and out.to_numpy()["image"].dtype == np.uint8
    real = digits.to_numpy()
    mean = {label: real["image"][real["label"] == label].mean(0) for label in range(10)}
    distance = [np.abs(out.to_numpy()["image"].mean(0) - mean[label]).mean() for label in range(10)]
    assert int(np.argmin(distance)) == 3
    half = model.complete(digits[:5])
    assert half.table.equals(digits[:5].table)
    assert model.predict_proba(digits[:20], "label").shape == (20, 10)


# Chunks and processes


@pytest.fixture
def parquet(clusters, tmp_path):
    rng = np.random.default_rng(0)
    x = np.tile(clusters, (250, 1)) + 0.1 * rng.standard_normal((150_000, 3))
    table = pa.table({**columns(x), "town": np.array(["Ulm", "Bonn"])[(x[:, 0] > 4).astype(int)]})
    path = tmp_path / "people.parquet"
    pa.parquet.write_table(table, path, row_group_size=40_000)
    return path


def test_a_scan_gives_the_parameters_of_the_same_data_in_memory(parquet):
    one = pf.GaussianMixture(components=3).fit(pf.scan(parquet), steps=4)
    two = pf.GaussianMixture(components=3).fit(pf.read(parquet), steps=4)
    for name, tensor in one._state().items():
        assert torch.equal(tensor, two._state()[name]), name


def test_chunks_of_any_size_give_the_same_parameters_but_for_rounding(parquet, monkeypatch):
    data = pf.read(parquet)
    whole = pf.GaussianMixture(components=3).fit(data, steps=4)
    chunks = type(data).chunks

    def smaller(records, rows=None):
        first, rest = records[:65_536], records[65_536:]
        yield first  # where the start is found
        yield from chunks(rest, 9_999)

    monkeypatch.setattr(type(data), "chunks", smaller)
    pieces = pf.GaussianMixture(components=3).fit(data, steps=4)
    for name, tensor in whole._state().items():
        torch.testing.assert_close(tensor, pieces._state()[name], rtol=1e-9, atol=1e-9)


def test_two_processes_give_the_parameters_of_one(in_two_processes, tmp_path):
    one, two, other = in_two_processes(Path(__file__).with_name("distributed.py"))
    for name in one.files:
        if name != "world":
            np.testing.assert_allclose(two[name], one[name], rtol=1e-6, atol=1e-9)
            np.testing.assert_array_equal(two[name], other[name])
    assert [p.name for p in (tmp_path / "two-run").iterdir()] == [f"step-{6:012d}"], "one process writes the files"


# Resuming


@pytest.mark.parametrize("stop", [1, 4])
def test_a_closed_fit_goes_on_bit_for_bit(clusters, tmp_path, stop):
    options = {"steps": 8, "folder": tmp_path / "run"}
    first = pf.GaussianMixture(components=3).fitting(clusters, **options)
    for _ in range(stop):
        next(first)
    first.close()
    rest = pf.GaussianMixture(components=3)
    assert next(iter(rest.fitting(clusters, **options))).step == stop + 1
    rest.fit(clusters, **options)
    whole = pf.GaussianMixture(components=3).fit(clusters, steps=8)
    assert all(torch.equal(tensor, rest._state()[name]) for name, tensor in whole._state().items())


def test_a_run_does_not_go_on_with_other_data_or_parameters(clusters, tmp_path):
    folder = tmp_path / "run"
    pf.GaussianMixture(components=3).fit(clusters, steps=2, folder=folder)
    with pytest.raises(pf.FormatError, match=r"components=3.*components=2.*name another folder"):
        pf.GaussianMixture(components=2).fit(clusters, steps=2, folder=folder)
    with pytest.raises(pf.FormatError, match="name another folder"):
        pf.GaussianMixture(components=3).fit(clusters + 1, steps=2, folder=folder)
    with pytest.raises(pf.FormatError, match=r"records=600.*records=300"):
        pf.GaussianMixture(components=3).fit(clusters[:300], steps=2, folder=folder)


# What survives

N = 30_000


def assert_character(records, out):
    assert out.table.schema.equals(records.schema.arrow)
    real, drawn = records.to_numpy(), out.to_numpy()
    for field in records.schema:
        holes = [r.column(field.name).null_count / len(r) for r in (records, out)]
        assert abs(holes[0] - holes[1]) < 0.01, field.name
        if field.kind == "category":
            values = set(out.column(field.name).drop_null().to_pylist())
            common = {v for v in field.values if (real[field.name] == v).mean() > 0.001}
            assert common <= values <= set(field.values), field.name
            for value in field.values:
                shares = [(column[field.name] == value).mean() for column in (real, drawn)]
                assert shares[1] == pytest.approx(shares[0], abs=0.02), (field.name, value)
        else:
            values = drawn[field.name][~np.isnan(drawn[field.name].astype(float))].astype(float)
            if field.resolution is not None:
                assert field.low <= values.min() and values.max() <= field.high, field.name
            if field.decimals is not None:
                assert np.array_equal(np.round(values, field.decimals), values), field.name
            for atom in field.atoms:
                shares = [(column[field.name] == atom).mean() for column in (real, drawn)]
                assert shares[1] == pytest.approx(shares[0], abs=0.02), (field.name, atom)
            known = real[field.name][~np.isnan(real[field.name].astype(float))].astype(float)
            spread = known.std()
            assert values.mean() == pytest.approx(known.mean(), abs=0.1 * spread), field.name


def test_the_character_of_adult_survives():
    adult = pf.read("adult")
    assert_character(adult, pf.GaussianMixture(components=8).fit(adult, steps=8).sample(N, seed=0))


def test_the_character_of_penguins_survives():
    penguins = pf.read("penguins")
    model = pf.GaussianMixture(components=4).fit(penguins)
    out = model.sample(N, seed=0)
    assert_character(penguins, out)
    bills = out.to_numpy()["bill_length_mm"]
    assert np.array_equal(np.round(bills, 1), bills, equal_nan=True), "one decimal"
    assert out.table.schema.field("year").type == pa.int64()


def test_fields_hang_together_in_what_is_drawn():
    penguins = pf.read("penguins")
    out = pf.GaussianMixture(components=4).fit(penguins).sample(N, seed=0).to_pandas()
    real = penguins.to_pandas()
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    assert (out[numbers].corr() - real[numbers].corr()).abs().max().max() < 0.06
    share = [frame[frame.species == "Gentoo"].island.eq("Biscoe").mean() for frame in (real, out)]
    assert share == pytest.approx([1, 1], abs=0.02)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_narrow_whole_numbers_are_drawn_as_often_as_they_occur(rate):
    """Rounding a draw spreads it over its cell: that spread is not to count twice. To 2 points, at n = 20,000."""
    x = (np.random.default_rng(0).random(20_000) < rate).astype(np.int64)
    model = pf.GaussianMixture(components=2).fit({"x": x})
    assert abs((model.sample(20_000, seed=0).to_numpy()["x"] == 1).mean() - x.mean()) < 0.02


def test_sorted_data_starts_as_well_as_shuffled():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(10 * k, 1, 50_000) for k in range(4)])
    ordered, mixed = (
        pf.GaussianMixture(components=4).fit({"x": x[o]}, steps=20) for o in (slice(None), rng.permutation(len(x)))
    )
    assert abs(ordered.measurements["last"]["nats"] - mixed.measurements["last"]["nats"]) < 1e-3


def test_a_huge_value_does_not_blur_the_others():
    x = np.append(np.random.default_rng(0).normal(size=1999), 1e6)
    with pytest.warns(pf.CollapsedWarning, match="1 of 2 components have collapsed"):
        model = pf.GaussianMixture(components=2).fit({"x": x})
    drawn = model.sample(4000, seed=0).to_numpy()["x"]
    assert model.measurements["collapsed"] == 1
    assert np.abs(np.quantile(drawn, [0.05, 0.95])).max() < 2.5  # 1.64 for a standard normal
