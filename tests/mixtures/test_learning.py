"""Ways to learn: features, batches, validation, several starts, the number of components, collapse."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.covariances import full
from pushforward.mixtures.parallel import summed


def cells_of(x):
    return Cells(torch.from_numpy(x), torch.empty(len(x), 0).long(), torch.empty(len(x), 0).bool())


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_features_give_the_moments_of_the_accurate_way(clusters, kind, monkeypatch):
    mixture = pf.GaussianMixture(components=3, covariance=kind).fit(clusters, steps=5).mixture
    one, units = torch.ones(600).double(), torch.zeros(3).double()
    fast = mixture.moments(cells_of(clusters), one, units)
    monkeypatch.setattr(full, "LOSS", -1.0)
    slow = mixture.moments(cells_of(clusters), one, units)
    for a, b in zip(fast.tensors(), slow.tensors(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_each_record_with_holes_of_its_own_is_as_the_patterns_one_by_one(kind, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 5)) @ rng.standard_normal((5, 5)) + 3 * rng.integers(0, 2, (300, 1))
    mixture = pf.GaussianMixture(components=2, covariance=kind).fit(x, steps=5).mixture
    x[rng.random(x.shape) < 0.4] = np.nan
    one, units = torch.ones(300).double(), torch.zeros(5).double()
    found = []
    for often in (1, 10**9):
        monkeypatch.setattr(full, "OFTEN", often)
        chosen = torch.arange(300) % 2
        found.append([*mixture.moments(cells_of(x), one, units).tensors(), mixture.log_joint(cells_of(x)),
                      mixture.covariances.solved(torch.from_numpy(x), chosen)])  # fmt: skip
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


def test_threads_give_the_sums_of_one(clusters):
    x = torch.from_numpy(np.tile(clusters, (60, 1)))
    work = [x[i : i + 1000] for i in range(0, len(x), 1000)]
    alone = summed(work, lambda b: [b.sum(0), b.T @ b], 1)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        several = [summed(work, lambda b: [b.sum(0), b.T @ b], 3) for _ in range(3)]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    for found in several:
        for a, b, c in zip(found, alone, several[0], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-9)
            assert torch.equal(a, c)


@pytest.mark.parametrize("kind", ["full", "diagonal", "factors"])
def test_stepwise_em_comes_to_where_em_comes(clusters, kind):
    x = np.tile(clusters, (20, 1)) + 0.1 * np.random.default_rng(0).standard_normal((12_000, 3))
    options = {"components": 3, "covariance": kind, "factors": 1}
    whole = pf.GaussianMixture(**options).fit(x, steps=200)
    steps = pf.GaussianMixture(**options).fit(x, batch=500, steps=480)
    # factors are found slowly by either
    assert abs(steps.score(x) - whole.score(x)) < (0.03 if kind == "factors" else 2e-3)


def test_stepwise_em_on_a_scan_is_bounded_and_stops_by_itself(clusters, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    x = np.tile(clusters, (250, 1)) + 0.1 * np.random.default_rng(0).standard_normal((150_000, 3))
    pq.write_table(pa.table({f"x{i}": x[:, i] for i in range(3)}), tmp_path / "x.parquet")
    model = pf.GaussianMixture(components=3, tolerance=1e-3).fit(pf.scan(tmp_path / "x.parquet"), batch=5000)
    assert model.measurements["steps"] % 30 == 0 and model.measurements["steps"] < 600
    whole = pf.GaussianMixture(components=3).fit({f"x{i}": x[:6000, i] for i in range(3)})
    assert abs(model.score(x[:6000]) - whole.score(x[:6000])) < 0.02


def test_a_stepwise_run_goes_on_bit_for_bit(clusters, tmp_path):
    options = {"steps": 9, "batch": 64, "folder": tmp_path / "run"}
    first = pf.GaussianMixture(components=3).fitting(clusters, **options)
    for _ in range(4):
        next(first)
    first.close()
    rest = pf.GaussianMixture(components=3).fit(clusters, **options)
    whole = pf.GaussianMixture(components=3).fit(clusters, steps=9, batch=64)
    assert all(torch.equal(tensor, rest._state()[name]) for name, tensor in whole._state().items())
    with pytest.raises(pf.FormatError, match=r"batch=64.*batch=32"):
        pf.GaussianMixture(components=3).fit(clusters, **{**options, "batch": 32})


def test_weights_count_in_batches_too(clusters):
    weights = np.random.default_rng(0).integers(0, 4, 600)
    one = pf.GaussianMixture(components=3).fit(clusters, weights=weights, batch=200, steps=300)
    two = pf.GaussianMixture(components=3).fit(np.repeat(clusters, weights, axis=0), steps=300)
    assert abs(one.score(clusters) - two.score(clusters)) < 5e-3


@pytest.mark.parametrize("validation", [0.3, "data"])
def test_validation_stops_before_it_overfits(validation):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((120, 4)), rng.standard_normal((4000, 4))
    said = y[:2000] if validation == "data" else validation
    options = {"components": 4, "ridge": 1e-2}
    stopped = pf.GaussianMixture(**options).fit(x, validation=said)
    free = pf.GaussianMixture(**options).fit(x)
    assert stopped.measurements["steps"] < free.measurements["steps"]
    assert "held-out" in stopped.measurements["last"]
    if validation == "data":
        assert stopped.score(y[2000:]) > free.score(y[2000:])


@pytest.mark.parametrize("said", [1.5, -0.1, True, 1])
def test_a_share_that_makes_no_sense_is_refused(clusters, said):
    with pytest.raises(pf.ArgumentError, match=r"^validation="):
        pf.GaussianMixture(components=2).fit(clusters, validation=said)


@pytest.mark.parametrize("data, least, most", [("grid", 25, 32), ("penguins", 3, 8)])
def test_auto_takes_a_sane_number(data, least, most):
    model = pf.GaussianMixture(components="auto").fit(data, steps=20)
    assert least <= model.measurements["components"] <= most
    assert len(model.mixture.weights) == model.measurements["components"] and model.components == "auto"


def test_auto_takes_one_for_one_gaussian_and_is_saved(tmp_path):
    x = np.random.default_rng(0).standard_normal((1500, 3))
    model = pf.GaussianMixture(components="auto").fit(x)
    assert model.measurements["components"] == 1
    model.save(tmp_path / "model")
    assert np.array_equal(pf.load(tmp_path / "model").log_prob(x), model.log_prob(x))


@pytest.mark.parametrize("components", ["many", 0, 2.5])
def test_other_words_and_numbers_are_refused(components):
    with pytest.raises(pf.ArgumentError, match=r"^components="):
        pf.GaussianMixture(components=components)


def test_more_starts_are_no_worse():
    x = np.stack(list(pf.read("rings").to_numpy().values()), 1)[:, :2].astype(float)
    one, more = (pf.GaussianMixture(components=10, starts=n).fit(x, steps=100).score(x) for n in (1, 6))
    assert more >= one - 1e-2  # they are judged by short runs


def test_all_modes_of_the_grid_are_found():
    for seed in range(3):
        means = pf.GaussianMixture(components=25).fit("grid", seed=seed, steps=10).means
        modes = {tuple(np.rint(mean).astype(int)) for mean in means if np.abs(mean - np.rint(mean)).max() < 0.1}
        assert len(modes) == 25


def test_a_component_that_collapses_is_told():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_normal((300, 2)), np.full((40, 2), 9.0)])
    with pytest.warns(pf.CollapsedWarning, match=r"1 of 2 components have collapsed .* ridge="):
        model = pf.GaussianMixture(components=2).fit(x)
    assert model.measurements["collapsed"] == 1 and np.isfinite(model.score(x))


def test_columns_that_are_flat_everywhere_are_no_collapse(recwarn):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 3))
    x[:, 1] = 5.0
    x[:, 2] = 2 * x[:, 0]
    model = pf.GaussianMixture(components=2).fit(x)
    assert not recwarn.list and "collapsed" not in model.measurements
