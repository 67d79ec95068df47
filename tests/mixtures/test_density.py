"""What `log_prob` measures: densities that integrate to one, probabilities that add up, bounds that are bounds."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import pushforward as pf

SHAPES = ["full", "tied", "diagonal", "spherical", "factors"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_density_in_two_dimensions_integrates_to_one(clusters, shape):
    x = clusters[:, :2]
    model = pf.GaussianMixture(components=4, covariance=shape).fit(x, steps=20)
    axes = [np.linspace(column.min() - 12, column.max() + 12, 420) for column in x.T]
    mesh = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    assert np.exp(model.log_prob(mesh)).sum() * cell == pytest.approx(1, abs=1e-4)


def test_probabilities_of_categories_add_up_to_one():
    rng = np.random.default_rng(0)
    data = {"a": rng.choice(list("pqr"), 90).astype(str), "b": rng.choice(list("uv"), 90).astype(str)}
    model = pf.GaussianMixture(components=3).fit(data, steps=5)
    pairs = list(itertools.product("pqr", "uv"))
    every = {"a": [p for p, _ in pairs], "b": [q for _, q in pairs]}
    assert np.exp(model.log_prob(every)).sum() == pytest.approx(1, rel=1e-12)
    assert model.density == "exact"


def test_a_hole_is_marginalised_a_category_by_its_sum():
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal(90), "a": rng.choice(list("pqr"), 90).astype(str)}
    model = pf.GaussianMixture(components=3).fit(data, steps=5)
    whole = [model.log_prob({"x": [0.3], "a": [level]})[0] for level in "pqr"]
    assert model.log_prob({"x": [0.3], "a": [None]})[0] == pytest.approx(logsumexp(whole), rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hole_is_marginalised_a_number_by_its_integral(clusters, shape):
    model = pf.GaussianMixture(components=3, covariance=shape).fit(clusters, steps=20)
    axis = np.linspace(-60, 60, 24_001)
    points = np.stack([np.full_like(axis, 1.0), axis, np.full_like(axis, -0.5)], 1)
    integral = np.exp(model.log_prob(points)).sum() * (axis[1] - axis[0])
    assert model.log_prob(np.array([[1.0, np.nan, -0.5]]))[0] == pytest.approx(np.log(integral), abs=1e-6)


def test_a_record_of_which_nothing_is_known_is_certain(clusters):
    model = pf.GaussianMixture(components=3).fit(clusters, steps=3)
    assert model.log_prob(np.full((2, 3), np.nan)) == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1000.0, 1e-3, -7.0])
def test_a_column_in_other_units_moves_log_prob_by_its_log(clusters, shape, factor):
    other = clusters * np.array([1, factor, 1])
    one, two = (pf.GaussianMixture(components=3, covariance=shape).fit(x, steps=15) for x in (clusters, other))
    moved = two.log_prob(other) - one.log_prob(clusters)
    np.testing.assert_allclose(moved, -np.log(abs(factor)), atol=1e-6)


# Numbers on a grid


def exact_cells(model, cells, grid):
    """(n,) log probability of cells under diagonal components, by differences of distribution functions."""
    out = []
    for weight, mean, covariance in zip(model.mixture.weights.numpy(), model.means, model.covariances, strict=True):
        deviation = np.sqrt(np.diag(covariance))
        upper, lower = (norm.cdf(cells + side * grid / 2, mean, deviation) for side in (1, -1))
        out.append(np.log(weight) + np.log(np.maximum(upper - lower, 1e-300)).sum(1))
    return logsumexp(out, axis=0)


def counts(scale, n=2000):
    rng = np.random.default_rng(1)
    centre = rng.choice([0, 12 * scale], n)
    x = np.rint(np.stack([centre + scale * rng.standard_normal(n), -centre + scale * rng.standard_normal(n)], 1))
    return {"a": x[:, 0].astype(int), "b": x[:, 1].astype(int)}, x


@pytest.mark.parametrize("scale", [0.4, 1.0, 10.0])
def test_on_a_grid_log_prob_is_a_bound_of_the_probability_of_the_cell(scale):
    data, x = counts(scale)
    model = pf.GaussianMixture(components=2, covariance="diagonal").fit(data, steps=30)
    assert model.density == "bound"
    gap = exact_cells(model, x, 1.0) - model.log_prob(data)
    assert gap.min() >= -1e-9
    if scale == 10.0:  # tight where the grid is fine
        assert gap.mean() < 2 / (24 * scale**2) * 1.5


def test_on_a_grid_of_said_spacing_too():
    rng = np.random.default_rng(0)
    x = np.rint(rng.standard_normal((900, 1)) * 40) / 4
    model = pf.GaussianMixture(components=1).fit(pf.read({"x": x[:, 0]}, resolution={"x": 0.25}))
    gap = exact_cells(model, x, 0.25) - model.log_prob({"x": x[:, 0]})
    assert model.density == "bound" and gap.min() >= -1e-9 and gap.mean() < 1e-3


def test_probabilities_of_all_cells_add_up_to_about_one_and_no_more():
    data, _ = counts(3.0)
    model = pf.GaussianMixture(components=2).fit(data, steps=30)
    axis = np.arange(-70, 120)
    mesh = np.stack(np.meshgrid(axis, -axis, indexing="ij"), -1).reshape(-1, 2)
    total = np.exp(model.log_prob({"a": mesh[:, 0], "b": mesh[:, 1]})).sum()
    assert 0.98 < total <= 1 + 1e-9


def test_a_number_with_an_atom_has_its_mass_and_a_density_elsewhere():
    rng = np.random.default_rng(0)
    pay = np.where(rng.random(3000) < 0.4, 0.0, np.exp(rng.standard_normal(3000)))
    model = pf.GaussianMixture(components=3).fit(pf.read({"pay": pay}, atoms={"pay": [0.0]}), steps=60)
    assert np.exp(model.log_prob({"pay": [0.0]})[0]) == pytest.approx((pay == 0).mean(), abs=2e-3)
    axis = np.linspace(-30, 60, 90_002)  # not one of these is 0
    mass = np.exp(model.log_prob({"pay": axis})).sum() * (axis[1] - axis[0])
    assert mass == pytest.approx((pay != 0).mean(), abs=2e-3)
    out = model.sample(20_000, seed=0).to_numpy()["pay"]
    share = (pay == 0).mean()
    assert abs((out == 0).mean() - share) <= 5 * np.sqrt(share * (1 - share) / 20_000) + 2e-3
