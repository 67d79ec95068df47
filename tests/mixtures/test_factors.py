"""Mixtures of factor analysers: every formula against its dense twin, and one component against scikit-learn's."""

import numpy as np
import pytest
import sklearn.decomposition
import torch
from scipy.stats import multivariate_normal

import pushforward as pf
from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.covariances import Factors, Full
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import solve
from pushforward.mixtures.prior import Prior

K, D, Q = 3, 6, 2


@pytest.fixture(scope="module")
def mixture():
    g = torch.Generator().manual_seed(0)
    loadings = torch.randn(K, D, Q, generator=g, dtype=torch.float64)
    noise = 0.2 + torch.rand(K, D, generator=g, dtype=torch.float64)
    means = 2 * torch.randn(K, D, generator=g, dtype=torch.float64)
    none, grid = torch.zeros(K, 0).double(), torch.tensor([0, 0, 0.5, 0, 1.0, 0]).double()
    return Mixture(torch.tensor([0.2, 0.5, 0.3]).double(), means, Factors(loadings, noise), none, (), grid)


def dense(mixture):
    return Mixture(mixture.weights, mixture.means, Full(mixture.covariances.dense()), mixture.tables, (), mixture.grid)


def cells(x):
    return Cells(x, torch.empty(len(x), 0).long(), torch.empty(len(x), 0).bool())


@pytest.fixture(scope="module", params=[0.0, 0.35], ids=["complete", "holes"])
def x(request):
    g = torch.Generator().manual_seed(1)
    x = 2 * torch.randn(200, D, generator=g, dtype=torch.float64)
    x[torch.rand(x.shape, generator=g) < request.param] = torch.nan
    return x


def test_densities_are_those_of_the_dense_covariance(mixture, x):
    torch.testing.assert_close(mixture.log_joint(cells(x)), dense(mixture).log_joint(cells(x)), rtol=1e-9, atol=1e-9)


def test_solving_and_multiplying_are_those_of_the_dense_covariance(mixture, x):
    chosen = torch.arange(len(x)) % K
    one, two = mixture.covariances, dense(mixture).covariances
    z = one.solved(x, chosen)
    torch.testing.assert_close(z, two.solved(x, chosen), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(one.times(z, chosen), two.times(z, chosen), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(one.variances(), two.variances())
    noise = torch.rand(D).double()
    torch.testing.assert_close(one.plus(noise).dense(), two.plus(noise).dense())


def test_denoising_is_that_of_the_dense_covariance(mixture, x):
    noise = torch.full((D,), 0.3).double()
    one, two = (m.denoised(cells(x), noise) for m in (mixture, dense(mixture)))
    torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_the_latent_is_its_posterior_mean(mixture, x):
    for i, row in enumerate(x[:20]):
        known = ~row.isnan()
        loadings, noise = mixture.covariances.loadings[1][known], mixture.covariances.noise[1][known]
        outer = loadings @ loadings.T + torch.diag(noise)
        exact = loadings.T @ torch.linalg.solve(outer, (row - mixture.means[1])[known])
        found = mixture.covariances.latents((x - mixture.means[1])[[i]], torch.tensor([1]))[0]
        torch.testing.assert_close(found, exact)


def test_moments_are_the_dense_ones_seen_through_the_latents(mixture, x):
    """z is linear in x, with noise of its own: the dense second moments give those with the latent."""
    one = torch.ones(len(x), dtype=torch.float64)
    ours, theirs = (m.moments(cells(x), one, torch.zeros(D).double()) for m in (mixture, dense(mixture)))
    torch.testing.assert_close(ours.mass, theirs.mass, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(ours.numbers[0][:, :, -1], theirs.numbers[0], rtol=1e-8, atol=1e-8)
    squares = theirs.numbers[1].diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(ours.numbers[2], squares, rtol=1e-8, atol=1e-8)
    loadings, noise = mixture.covariances.loadings, mixture.covariances.noise
    sigma = mixture.covariances.dense()
    beta = torch.linalg.solve(sigma, loadings).mT  # (K, q, d)
    first, second = theirs.numbers
    about = second - first[:, :, None] * mixture.means[:, None]  # Σ r x (x - μ)ᵀ
    torch.testing.assert_close(ours.numbers[0][:, :, :-1], about @ beta.mT, rtol=1e-8, atol=1e-8)
    centred = about - mixture.means[:, :, None] * (first - ours.mass[:, None] * mixture.means)[:, None]
    inner = torch.eye(Q).double() - beta @ loadings
    latent = ours.mass[:, None, None] * inner + beta @ centred @ beta.mT
    torch.testing.assert_close(ours.numbers[1][:, :Q, :Q], latent, rtol=1e-8, atol=1e-8)
    assert noise.min() > 0


def test_a_step_never_lowers_the_likelihood(mixture, x):
    now, before, one = mixture, -np.inf, torch.ones(len(x), dtype=torch.float64)
    for _ in range(25):
        moments = now.moments(cells(x), one, torch.zeros(D).double())
        assert float(moments.score) >= before - 1e-8
        before, now = float(moments.score), solve(moments, now, Prior(1e-12, 1.0))


def test_one_component_is_scikit_learns_factor_analysis():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((800, 3)) @ rng.standard_normal((3, 8)) + rng.standard_normal((800, 8)) * rng.uniform(
        0.5, 1, 8
    )
    model = pf.GaussianMixture(components=1, covariance="factors", factors=3, ridge=1e-12, tolerance=0).fit(
        x, steps=2000
    )
    theirs = sklearn.decomposition.FactorAnalysis(3, tol=1e-12, max_iter=5000, svd_method="lapack").fit(x)
    assert model.score(x) == pytest.approx(theirs.score(x), abs=1e-6)
    np.testing.assert_allclose(model.covariances[0], theirs.get_covariance(), atol=1e-3)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    k = rng.integers(0, 2, 1500)
    shapes = rng.standard_normal((2, 2, 10))
    x = (
        6 * k[:, None]
        + np.einsum("nq,nqd->nd", rng.standard_normal((1500, 2)), shapes[k])
        + 0.3 * rng.standard_normal((1500, 10))
    )
    data = {f"x{i}": x[:, i] for i in range(10)} | {"side": np.array(["left", "right"])[k]}
    return pf.GaussianMixture(components=2, covariance="factors", factors=2).fit(data), data, x


def test_codes_are_a_component_and_its_latent_and_lead_back(fitted):
    model, data, x = fitted
    codes = model.encode(data)
    assert codes.shape == (1500, 3) and np.array_equal(codes[:, 0], model.assign(data))
    back = model.reconstruct(data).to_numpy()
    y = np.stack([back[f"x{i}"] for i in range(10)], 1)
    assert ((y - x) ** 2).mean() < 0.1 and (back["side"] == data["side"]).mean() > 0.99


@pytest.mark.parametrize(
    "codes", [np.zeros((2, 2)), np.array([[2.0, 0, 0]]), np.array([[0.5, 0, 0]]), np.full((1, 3), np.nan)]
)
def test_codes_that_make_no_sense_are_refused(fitted, codes):
    with pytest.raises(pf.ArgumentError, match="codes"):
        fitted[0].decode(codes)


def test_other_shapes_have_no_codes_and_say_why(fitted):
    model = pf.GaussianMixture(components=2).fit(fitted[1], steps=2)
    assert not hasattr(model, "encode")
    with pytest.raises(AttributeError, match=r'covariance="full" has no latent; fit again with covariance="factors"'):
        model.encode(fitted[1])


def test_draws_have_the_moments_of_the_model(fitted):
    model, _, _ = fitted
    out = model.sample(40_000, seed=0).to_numpy()
    y = np.stack([out[f"x{i}"] for i in range(10)], 1)
    weights, means = model.mixture.weights.numpy(), model.means
    mean = weights @ means
    second = np.einsum("k,kij->ij", weights, model.covariances + means[:, :, None] * means[:, None]) - np.outer(
        mean, mean
    )
    assert (np.abs(y.mean(0) - mean) <= 5 * np.sqrt(np.diag(second) / 40_000)).all()
    products = (y - mean)[:, :, None] * (y - mean)[:, None]
    assert (np.abs(products.mean(0) - second) <= 5 * products.std(0) / 200).all()
    assert np.isfinite(multivariate_normal(means[0], model.covariances[0]).logpdf(y[0]))
