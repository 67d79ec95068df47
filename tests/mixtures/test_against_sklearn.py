"""The same mixture as scikit-learn's, at the same parameters and at the same optimum."""

import numpy as np
import pytest
import sklearn.mixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

import pushforward as pf

SHAPES = ["full", "tied", "diagonal", "spherical"]
THEIRS = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


def shaped(covariances, shape):
    if shape == "tied":
        return covariances[0]
    diagonal = np.einsum("kii->ki", covariances)
    return {"full": covariances, "diagonal": diagonal, "spherical": diagonal[:, 0]}[shape]


def twin(model, shape):
    """Scikit-learn's mixture at our parameters."""
    theirs = sklearn.mixture.GaussianMixture(len(model.means), covariance_type=THEIRS[shape])
    theirs.weights_, theirs.means_ = model.mixture.weights.numpy(), model.means
    theirs.covariances_ = shaped(model.covariances, shape)
    theirs.precisions_cholesky_ = _compute_precision_cholesky(theirs.covariances_, THEIRS[shape])
    return theirs


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("components", [1, 2, 5])
def test_the_log_likelihood_is_the_same_at_the_same_parameters(penguin_numbers, shape, components):
    # in units of their own, so that a sphere is one in theirs too
    penguin_numbers = (penguin_numbers - penguin_numbers.mean(0)) / penguin_numbers.std(0)
    model = pf.GaussianMixture(components=components, covariance=shape).fit(penguin_numbers, steps=10)
    theirs = twin(model, shape)
    far = penguin_numbers + 10 * np.random.default_rng(0).standard_normal(penguin_numbers.shape)
    for x in (penguin_numbers, far):
        np.testing.assert_allclose(model.log_prob(x), theirs.score_samples(x), rtol=1e-6)
        np.testing.assert_allclose(model.responsibilities(x), theirs.predict_proba(x), atol=1e-6)
    assert model.density == "exact"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_of_em_is_the_same_step(penguin_numbers, shape):
    x = (penguin_numbers - penguin_numbers.mean(0)) / penguin_numbers.std(0)
    options = {"components": 3, "covariance": shape, "ridge": 1e-6}
    one, two = (pf.GaussianMixture(**options).fit(x, steps=steps) for steps in (1, 2))
    theirs = twin(one, shape)
    theirs.reg_covar = 1e-6
    theirs._m_step(x, theirs._estimate_log_prob_resp(x)[1])
    np.testing.assert_allclose(two.mixture.weights, theirs.weights_, rtol=1e-9)
    np.testing.assert_allclose(two.means, theirs.means_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(shaped(two.covariances, shape), theirs.covariances_, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("components", [2, 3])
def test_the_optimum_is_the_same_from_the_same_start(penguin_numbers, shape, components):
    x = (penguin_numbers - penguin_numbers.mean(0)) / penguin_numbers.std(0)  # so that both ridges are the same
    options = {"components": components, "covariance": shape, "ridge": 1e-6, "tolerance": 1e-8}
    start = pf.GaussianMixture(**options).fit(x, steps=1)
    theirs = sklearn.mixture.GaussianMixture(
        components, covariance_type=THEIRS[shape], reg_covar=1e-6, tol=1e-8, max_iter=1000,
        weights_init=start.mixture.weights.numpy(), means_init=start.means,
        precisions_init=shaped(np.linalg.inv(start.covariances), shape),
    ).fit(x)  # fmt: skip
    ours = pf.GaussianMixture(**options).fit(x)
    assert ours.score(x) == pytest.approx(theirs.score(x), abs=1e-3)
    np.testing.assert_allclose(ours.means, theirs.means_, atol=1e-2)


def test_in_the_units_of_the_data_it_is_the_same_optimum_too(penguin_numbers):
    x, scale = penguin_numbers, penguin_numbers.std(0)
    standard = pf.GaussianMixture(components=3, tolerance=1e-9).fit(x / scale)
    assert pf.GaussianMixture(components=3, tolerance=1e-9).fit(x).score(x) == pytest.approx(
        standard.score(x / scale) - np.log(scale).sum(), abs=1e-6
    )
