"""Drawing with fields held fixed follows the closed form; so do denoising, completing and predicting."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.covariances import Full
from pushforward.mixtures.gaussian import Mixture

N = 40_000
SHAPES = ["full", "tied", "diagonal", "spherical", "factors"]


def fitted(x, shape="full", components=3):
    return pf.GaussianMixture(components=components, covariance=shape).fit(x, steps=20)


def log_normal(x, mean, covariance):
    """(n,) by hand."""
    d = x - mean
    return -0.5 * (
        np.einsum("ni,ij,nj->n", d, np.linalg.inv(covariance), d) + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )


def conditional(model, known, value):
    """Weights, means and covariances of what is not known, component by component."""
    rest = np.setdiff1d(np.arange(model.means.shape[1]), known)
    log, means, covariances = [], [], []
    for weight, mean, covariance in zip(model.mixture.weights.numpy(), model.means, model.covariances, strict=True):
        inner, cross = covariance[np.ix_(known, known)], covariance[np.ix_(rest, known)]
        gain = cross @ np.linalg.inv(inner)
        log.append(np.log(weight) + log_normal(value[None], mean[known], inner)[0])
        means.append(mean[rest] + gain @ (value - mean[known]))
        covariances.append(covariance[np.ix_(rest, rest)] - gain @ cross.T)
    share = np.exp(np.array(log) - np.logaddexp.reduce(log))
    return rest, share, np.array(means), np.array(covariances)


def moments(share, means, covariances):
    mean = share @ means
    second = np.einsum("k,kij->ij", share, covariances + means[:, :, None] * means[:, None])
    return mean, second - np.outer(mean, mean)


def drawn(records):
    return np.stack(list(records.to_numpy().values()), 1)


def assert_moments(y, mean, covariance):
    """Within 5 sigma of n draws."""
    n = len(y)
    assert (np.abs(y.mean(0) - mean) <= 5 * np.sqrt(np.diag(covariance) / n) + 1e-12).all()
    centred = y - mean
    products = centred[:, :, None] * centred[:, None]
    assert (np.abs(products.mean(0) - covariance) <= 5 * products.std(0) / np.sqrt(n) + 1e-12).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("known", [[], [0], [3], [1, 2], [0, 1, 3], [0, 2, 3]], ids=str)
def test_drawing_given_some_fields_agrees_with_the_closed_form(penguin_numbers, shape, known):
    model = fitted(penguin_numbers, shape)
    value = np.quantile(penguin_numbers, 0.45, axis=0)[known]  # between the components, so that several matter
    rest, share, means, covariances = conditional(model, np.array(known, int), value)
    records = model.sample(N, given={f"x{i}": v for i, v in zip(known, value, strict=True)}, seed=len(known))
    y = drawn(records)
    assert (y[:, known] == value).all()
    assert_moments(y[:, rest], *moments(share, means, covariances))


def test_several_components_take_part_in_what_was_just_tested(penguin_numbers):
    model = fitted(penguin_numbers)
    value = np.quantile(penguin_numbers, 0.45, axis=0)
    shares = conditional(model, np.array([0]), value[[0]])[1]
    assert np.sort(shares)[-2] > 0.05


def test_a_field_given_by_record_conditions_each_record_on_its_own(penguin_numbers):
    model = fitted(penguin_numbers)
    values = np.repeat(np.quantile(penguin_numbers[:, 2], [0.1, 0.9]), N // 2)
    y = drawn(model.sample(N, given={"x2": values}, seed=1))
    for value in np.unique(values):
        rest, *parts = conditional(model, np.array([2]), np.array([value]))
        assert_moments(y[values == value][:, rest], *moments(*parts))


def test_a_draw_follows_the_whole_conditional_density_not_only_its_moments(clusters):
    model = fitted(clusters)
    value = np.array([1.0])
    y = drawn(model.sample(N, given={"x0": value[0]}, seed=4))[:, 1]
    _, share, means, covariances = conditional(model, np.array([0]), value)
    edges = np.quantile(y, np.linspace(0.02, 0.98, 30))
    deviation = np.sqrt(covariances[:, 0, 0])
    exact = torch.special.ndtr(torch.from_numpy((edges[:, None] - means[:, 0]) / deviation)).numpy() @ share
    found = (y[:, None] <= edges).mean(0)
    assert (np.abs(found - exact) <= 5 * np.sqrt(exact * (1 - exact) / N)).all()


@pytest.fixture(scope="module")
def mixed():
    """Numbers and two categories that hang together by component."""
    rng = np.random.default_rng(0)
    k = rng.integers(0, 2, 800)
    data = {
        "x": 3.0 * k + rng.standard_normal(800),
        "y": -2.0 * k + rng.standard_normal(800),
        "colour": np.where(rng.random(800) < 0.2 + 0.6 * k, "red", np.where(rng.random(800) < 0.5, "blue", "green")),
        "shape": np.where(rng.random(800) < 0.9 - 0.7 * k, "round", "square"),
    }
    return pf.GaussianMixture(components=2).fit(data, steps=30), data


def tables(model, field):
    values = list(model.schema[field].values)
    f = model._cells.factor_of(field)
    return values, model.mixture.table(f).numpy()


def posterior(model, x=None, y=None, **levels):
    """(K,) of one record, by hand."""
    known = [i for i, v in enumerate((x, y)) if v is not None]
    value = np.array([v for v in (x, y) if v is not None])
    share = conditional(model, np.array(known, int), value)[1].copy()
    for field, level in levels.items():
        values, table = tables(model, field)
        share *= table[:, values.index(level)]
    return share / share.sum()


@pytest.mark.parametrize("known", [{"x": 1.4}, {"x": 1.4, "y": -0.5, "shape": "round"}, {"shape": "square"}], ids=str)
def test_levels_drawn_have_the_probabilities_of_the_closed_form(mixed, known):
    model, _ = mixed
    values, table = tables(model, "colour")
    exact = posterior(model, **known) @ table
    out = model.sample(N, given=known, seed=2).to_numpy()["colour"]
    found = np.array([(out == value).mean() for value in values])
    assert (np.abs(found - exact) <= 5 * np.sqrt(exact * (1 - exact) / N)).all()


def test_numbers_given_a_level_have_the_moments_of_the_closed_form(mixed):
    model, _ = mixed
    share = posterior(model, colour="red")
    y = drawn(model.sample(N, given={"colour": "red"}, seed=5).select(["x", "y"]))
    assert_moments(y, *moments(share, model.means, model.covariances))


@pytest.mark.parametrize("x, y, shape", [(1.4, -0.5, "round"), (0.0, 0.0, "square"), (4.0, None, "round")])
def test_predict_proba_is_bayes_by_hand(mixed, x, y, shape):
    model, _ = mixed
    record = {"x": [x], "y": [np.nan if y is None else y], "shape": [shape], "colour": ["green"]}  # must not tell
    values, table = tables(model, "colour")
    exact = posterior(model, x, y, shape=shape) @ table
    np.testing.assert_allclose(model.predict_proba(record, "colour")[0], exact, rtol=1e-9)
    del record["colour"]
    np.testing.assert_allclose(model.predict_proba(record, "colour")[0], exact, rtol=1e-9)
    assert model.predict(record, "colour").tolist() == [values[int(exact.argmax())]]


def test_responsibilities_are_bayes_by_hand_and_assign_takes_the_largest(mixed):
    model, data = mixed
    found = model.responsibilities(data)
    for i in (0, 5, 77):
        exact = posterior(model, *(data[c][i] for c in "xy"), colour=data["colour"][i], shape=data["shape"][i])
        np.testing.assert_allclose(found[i], exact, rtol=1e-9)
    assert np.array_equal(model.assign(data), found.argmax(1))


def test_log_prob_given_a_condition_is_the_difference_of_two(mixed):
    model, data = mixed
    conditioned = pf.GaussianMixture(components=2).fit(data, given=["x", "colour"], steps=30)
    hidden = {**data, "y": np.full(800, np.nan), "shape": [None] * 800}
    difference = model.log_prob(data) - model.log_prob(hidden)
    np.testing.assert_allclose(conditioned.log_prob(data), difference, rtol=1e-9, atol=1e-9)


def test_completing_draws_from_the_conditional_and_leaves_the_rest(penguin_numbers):
    model = fitted(penguin_numbers)
    value = np.quantile(penguin_numbers, 0.45, axis=0)
    holed = np.tile(value, (N, 1))
    holed[:, [1, 3]] = np.nan
    y = drawn(model.complete(holed, seed=3))
    assert (y[:, [0, 2]] == value[[0, 2]]).all()
    rest, *parts = conditional(model, np.array([0, 2]), value[[0, 2]])
    assert_moments(y[:, rest], *moments(*parts))


# Denoising


def posterior_mean(model, x, variances):
    """E[clean | noisy] of a mixture, by hand."""
    log, means = [], []
    for weight, mean, covariance in zip(model.mixture.weights.numpy(), model.means, model.covariances, strict=True):
        noisy = covariance + np.diag(variances)
        log.append(np.log(weight) + log_normal(x, mean, noisy))
        means.append(mean + (x - mean) @ (covariance @ np.linalg.inv(noisy)).T)
    share = np.exp(log - np.logaddexp.reduce(log, axis=0))
    return np.einsum("kn,knd->nd", share, means)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
def test_denoising_is_the_posterior_mean(penguin_numbers, shape, noise):
    model = fitted(penguin_numbers, shape)
    x = penguin_numbers + noise * np.random.default_rng(0).standard_normal(penguin_numbers.shape)
    exact = posterior_mean(model, x, np.full(4, noise**2))
    np.testing.assert_allclose(drawn(model.denoise(x, noise)), exact, rtol=1e-7)


@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_denoising_is_tweedies_formula(clusters, noise):
    model = fitted(clusters)
    variance = torch.full((3,), noise**2, dtype=torch.float64)
    full = torch.from_numpy(model.covariances) + torch.diag(variance)
    none = torch.empty(len(clusters), 0)
    noisy = Mixture(
        model.mixture.weights,
        torch.from_numpy(model.means),
        Full(full),
        torch.empty(3, 0).double(),
        (),
        torch.zeros(3).double(),
    )
    x = torch.from_numpy(clusters).requires_grad_()
    (slope,) = torch.autograd.grad(noisy.posterior(Cells(x, none.long(), none.bool()))[1].sum(), x)
    tweedie = (x + variance * slope).detach().numpy()
    np.testing.assert_allclose(drawn(model.denoise(clusters, noise)), tweedie, rtol=1e-7, atol=1e-9)


def test_noise_on_one_field_moves_that_field_alone(penguin_numbers):
    model = fitted(penguin_numbers)
    exact = posterior_mean(model, penguin_numbers, np.array([0, 4.0, 0, 0]))
    y = drawn(model.denoise(penguin_numbers, {"x1": 2.0}))
    assert np.array_equal(y[:, [0, 2, 3]], penguin_numbers[:, [0, 2, 3]])
    np.testing.assert_allclose(y[:, 1], exact[:, 1], rtol=1e-6)


def test_denoising_leaves_categories_and_holes_as_they_are(mixed):
    model, _ = mixed
    record = {"x": [1.0, np.nan], "y": [0.0, 1.0], "colour": ["red", None], "shape": [None, "round"]}
    out = model.denoise(record, 0.5).to_numpy()
    assert out["colour"].tolist() == ["red", None] and out["shape"].tolist() == [None, "round"]
    assert np.isnan(out["x"][1]) and not np.isnan(out["y"]).any()


@pytest.mark.parametrize("noise", [0, -1.0, np.inf, np.nan, "much", True, {"colour": 1.0}, {"z": 1.0}], ids=str)
def test_noise_that_makes_no_sense_is_refused_by_name(mixed, noise):
    model, data = mixed
    with pytest.raises(pf.ArgumentError, match=r"^noise="):
        model.denoise(data, noise)
