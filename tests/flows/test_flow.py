"""The family: densities near the truth and never above it, conditions, codes, tails, and data that is not nice."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import scipy.stats
import torch

import pushforward as pf


@functools.cache
def simulator():
    """A flow that was told what a linear Gaussian instrument shows of two numbers, and the exact answer."""
    rng = np.random.default_rng(0)
    n, a, noise = 20_000, np.array([[1.0, 0.6], [-0.4, 0.8]]), 0.5
    theta = rng.standard_normal((n, 2))
    seen = theta @ a.T + noise * rng.standard_normal((n, 2))
    data = {"t0": theta[:, 0], "t1": theta[:, 1], "s0": seen[:, 0], "s1": seen[:, 1]}
    model = pf.Flow(width=64, transforms=3, absent=0)
    model.fit(data, given=["s0", "s1"], steps=1000, validation=0.1, seed=0, device="cpu")
    precision = np.eye(2) + a.T @ a / noise**2
    covariance = np.linalg.inv(precision)

    def draw(count, seed):
        rng = np.random.default_rng(seed)
        theta = rng.standard_normal((count, 2))
        return theta, theta @ a.T + noise * rng.standard_normal((count, 2))

    return model, draw, covariance, lambda seen: seen @ a / noise**2 @ covariance.T


def test_a_posterior_is_calibrated():
    """Ranks of the truth among draws are even (Talts et al. 2018, arXiv 1804.06788), at α = 0.01 by coordinate."""
    model, draw, _, _ = simulator()
    theta, seen = draw(300, 1)
    draws = 99
    given = {f"s{i}": np.repeat(seen[:, i], draws) for i in range(2)}
    out = model.sample(300 * draws, given=given, seed=0).to_numpy()
    for i in range(2):
        ranks = (out[f"t{i}"].reshape(300, draws) < theta[:, i : i + 1]).sum(1)
        counts = np.bincount(ranks * 10 // (draws + 1), minlength=10)
        assert scipy.stats.chisquare(counts).pvalue > 0.01 / 2


def test_a_posterior_is_the_exact_one():
    model, draw, covariance, mean = simulator()
    theta, seen = draw(4000, 2)
    exact = scipy.stats.multivariate_normal(np.zeros(2), covariance).logpdf(theta - mean(seen))
    data = {"t0": theta[:, 0], "t1": theta[:, 1], "s0": seen[:, 0], "s1": seen[:, 1]}
    gap = exact - model.log_prob(data)
    error = gap.std() / math.sqrt(len(gap))
    assert -3 * error < gap.mean() < 0.03


def test_a_known_density_is_approached_from_below():
    rng = np.random.default_rng(0)

    def draw(n):
        x = rng.standard_normal(n)
        return x, 0.5 * x**2 + 0.4 * rng.standard_normal(n)

    x, y = draw(4000)
    model = pf.Flow(width=64, transforms=3).fit({"x": x, "y": y}, steps=1000, seed=0, device="cpu")
    x, y = draw(4000)
    truth = scipy.stats.norm.logpdf(x) + scipy.stats.norm.logpdf(y, 0.5 * x**2, 0.4)
    gap = truth - model.log_prob({"x": x, "y": y})
    error = gap.std() / math.sqrt(len(gap))
    assert -3 * error < gap.mean() < 0.06
    assert model.density == "exact"


def test_far_out_the_density_is_finite_and_falls():
    rng = np.random.default_rng(0)
    model = pf.Flow(width=16, transforms=2).fit(rng.standard_normal((500, 2)), steps=200, seed=0, device="cpu")
    far = model.log_prob(np.stack([np.linspace(4, 10, 13), np.zeros(13)], 1))
    assert np.isfinite(far).all() and (np.diff(far) < 0).all()


def test_heavy_tails_are_scored_by_a_base_that_has_them():
    rng = np.random.default_rng(0)
    train, held = rng.standard_t(2, (4000, 1)), rng.standard_t(2, (4000, 1))
    model = pf.Flow(base="student", width=32, transforms=2).fit(train, steps=600, seed=0, device="cpu")
    truth = scipy.stats.t.logpdf(held[:, 0], 2).mean()
    assert abs(model.score(held) - truth) < 0.1


@pytest.mark.parametrize("options", [{}, {"kind": "autoregressive"}, {"kernel": "logistics"}, {"base": "mixture"}])
def test_codes_are_exact(options):
    data = pf.read("moons").select(["x", "y"])[:200]
    model = pf.Flow(width=16, transforms=3, **options).fit(data, steps=40, seed=0, device="cpu")
    codes = model.encode(data)
    back = model.decode(codes).to_numpy()
    assert all(np.abs(back[name] - data.to_numpy()[name]).max() < 1e-4 for name in "xy")
    path = model.interpolate(data[:1], data[1:2], 5).to_numpy()
    assert abs(path["x"][0] - data.to_numpy()["x"][0]) < 1e-4


def test_pictures_and_rows_are_one_record():
    rng = np.random.default_rng(0)
    bright = rng.uniform(40, 250, 300)
    pixels = np.clip(bright[:, None, None] + rng.normal(0, 4, (300, 5, 6)), 0, 255).astype(np.uint8)
    data = {"image": pixels, "bright": bright}
    model = pf.Flow(width=8, transforms=2).fit(data, steps=400, seed=0, device="cpu")
    out = model.sample(200, seed=0).to_numpy()
    assert np.corrcoef(out["image"].reshape(200, -1).mean(1), out["bright"])[0, 1] > 0.8
    codes = model.encode(data)
    assert codes.shape == (300, 6 * 6 + 1)  # an odd side has a line of noise beside it
    back = model.decode(codes).to_numpy()["image"]
    assert np.abs(back.astype(int) - pixels).max() <= 1
    assert model.density == "bound"


def test_learned_noise_is_a_bound_too():
    digits = pf.read("digits").select(["image"])
    one = pf.Flow(width=16, transforms=2, dequantise="learned").fit(digits[:600], steps=60, seed=0, device="cpu")
    assert np.isfinite(one.log_prob(digits[600:700])).all()
    # pictures that are all alike have probability 1, which a bound may not pass
    alike = {"image": np.full((200, 4, 4), 100, np.uint8)}
    same = pf.Flow(width=8, transforms=2, dequantise="learned").fit(alike, steps=300, seed=0, device="cpu")
    assert -40 < same.score(alike) <= 0


def test_temperature():
    data = pf.read("moons").select(["x", "y"])
    model = pf.Flow(width=16, transforms=2).fit(data, steps=30, seed=0, device="cpu")
    cold = model.sample(5, temperature=0, seed=0).to_numpy()
    assert np.ptp(cold["x"]) == 0
    with pytest.raises(pf.ArgumentError, match="temperature=-1"):
        model.sample(5, temperature=-1)


def test_one_column_two_values_two_hundred_columns():
    rng = np.random.default_rng(0)
    one = pf.Flow(width=8, transforms=2).fit(rng.standard_normal(100)[:, None], steps=20, seed=0, device="cpu")
    assert np.isfinite(one.log_prob(rng.standard_normal(5)[:, None])).all()
    two = pf.Flow(width=8, transforms=2).fit({"a": rng.integers(0, 2, 200)}, steps=200, seed=0, device="cpu")
    assert 0.9 < np.exp(two.log_prob({"a": [0, 1]})).sum() <= 1 + 1e-6  # a bound, by how much the levels blur
    many = pf.Flow(width=8, transforms=2).fit(rng.standard_normal((100, 200)), steps=5, seed=0, device="cpu")
    assert len(many.sample(3, seed=0).names) == 200


def test_what_a_continuous_flow_has_not_is_refused():
    with pytest.raises(pf.ArgumentError, match="kernel='affine' says nothing"):
        pf.Flow(kind="continuous", kernel="affine").fit("moons", steps=1)


@pytest.mark.parametrize(
    ("options", "data", "words"),
    [
        ({"dequantise": "learned"}, "moons", "dequantise='learned' says nothing of rows"),
        ({"kind": "autoregressive"}, {"image": np.zeros((9, 4, 4), np.uint8)}, "kind='autoregressive' says nothing of"),
        ({"base": "student"}, {"image": np.zeros((9, 4, 4), np.uint8)}, "base='student' says nothing of pictures"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options, data, words):
    with pytest.raises(pf.ArgumentError, match=words):
        pf.Flow(**options).fit(data, steps=1)


def test_a_continuous_flow_is_exact_in_few_dimensions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    model = pf.Flow(kind="continuous", width=64).fit(x, steps=600, seed=0, device="cpu")
    held = rng.standard_normal((2000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    truth = scipy.stats.multivariate_normal(np.zeros(2), [[1.0, 0.8], [0.8, 1.0]]).logpdf(held)
    gap = truth - model.log_prob(held)
    assert model.density == "exact"
    assert -3 * gap.std() / math.sqrt(len(gap)) < gap.mean() < 0.06
    back = model.decode(model.encode(held)).to_numpy()["x0"]
    assert np.abs(back - held[:, 0]).max() < 1e-2
    line = np.linspace(-6, 6, 121)
    plane = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    assert abs(np.exp(model.log_prob(plane)).sum() * 0.01 - 1) < 2e-3


def test_holes_are_refused_by_name():
    model = pf.Flow(width=8, transforms=1).fit("penguins", steps=3, seed=0, device="cpu")
    with pytest.raises(pf.DataError, match=r"has .* holes, which Flow cannot marginalise"):
        model.log_prob("penguins")


def test_levels_keep_their_shares_before_anything_is_learned():
    rng = np.random.default_rng(0)
    data = {"c": rng.choice(list("abc"), 2000, p=[0.7, 0.25, 0.05]).tolist(), "x": rng.standard_normal(2000)}
    model = pf.Flow(width=8, transforms=1).fit(data, steps=1, seed=0, device="cpu")
    drawn = model.sample(4000, seed=0).column("c").to_pylist()
    assert abs(drawn.count("a") / 4000 - 0.7) < 0.05 and abs(drawn.count("c") / 4000 - 0.05) < 0.03


def test_the_error_of_a_likelihood_that_is_solved_for_is_told(tmp_path):
    """The probe's is the deviation that scores by one probe have; the solver's is small beside it."""
    rng = np.random.default_rng(3)
    model = pf.Flow(kind="continuous", width=32, layers=1).fit(
        table := rng.standard_normal((400, 70)), steps=60, seed=0
    )
    told = model.measurements["errors"]
    assert set(told) == {"solver", "probe"} and model.density == "estimate"
    x, _ = model._flat(next(model._blocks(pf.read(table))))
    scores = torch.stack([model.network.log_prob(x, None, draw=draw) for draw in range(3)])
    assert told["solver"] < 0.01
    assert 0.4 < told["probe"] / float(scores.var(0).mean().sqrt()) < 2.5  # of 16 records and two probes
    model.save(tmp_path / "model")
    assert f"{told['probe']:g} by its probe" in (tmp_path / "model" / "README.md").read_text()
