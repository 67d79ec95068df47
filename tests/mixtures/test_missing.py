"""EM with holes climbs the likelihood of what was observed, and ends where its gradient is zero."""

import math

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.covariances import Full
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import solve
from pushforward.mixtures.prior import Prior

SHAPES = ["full", "diagonal"]


@pytest.fixture(scope="module")
def holed(clusters):
    """The clusters with a quarter of the cells gone, at random, and some records gone altogether."""
    x = clusters.copy()
    x[np.random.default_rng(5).random(x.shape) < 0.25] = np.nan
    assert np.isnan(x).all(1).any()
    return x


def observed(x, means, roots, logits, shape):
    """Mean log-likelihood of what is there, written down record by record, for autograd."""
    total = 0
    covariances = roots @ roots.mT if shape == "full" else torch.diag_embed(roots.square())
    for row in x:
        known = ~row.isnan()
        if not known.any():
            continue
        log = [
            torch.distributions.MultivariateNormal(m[known], c[known][:, known]).log_prob(row[known])
            for m, c in zip(means, covariances, strict=True)
        ]
        total = total + (logits.log_softmax(0) + torch.stack(log)).logsumexp(0)
    return total / len(x)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_observed_likelihood_never_falls(holed, shape):
    model = pf.GaussianMixture(components=3, covariance=shape, ridge=1e-12)
    scores = [progress.losses["nats"] for progress in model.fitting(holed, steps=60)]
    assert (np.diff(scores) >= -1e-10).all() and scores[-1] > scores[0] + 1e-3


@pytest.mark.parametrize("shape", SHAPES)
def test_the_score_is_the_observed_likelihood(holed, shape):
    model = pf.GaussianMixture(components=3, covariance=shape).fit(holed, steps=5)
    covariances = torch.from_numpy(model.covariances)
    roots = torch.linalg.cholesky(covariances)
    roots = roots if shape == "full" else roots.diagonal(dim1=1, dim2=2)
    exact = observed(torch.from_numpy(holed), torch.from_numpy(model.means), roots, model.mixture.weights.log(), shape)
    assert model.score(holed) == pytest.approx(exact.item(), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_zero_where_it_ends(holed, shape):
    x = holed[:150]
    model = pf.GaussianMixture(components=3, covariance=shape, ridge=1e-12).fit(x, steps=300)
    roots = torch.linalg.cholesky(torch.from_numpy(model.covariances))
    roots = roots if shape == "full" else roots.diagonal(dim1=1, dim2=2)
    at = [torch.from_numpy(model.means), roots.clone(), model.mixture.weights.log().clone()]
    start = [t.requires_grad_() for t in at]
    slopes = torch.autograd.grad(observed(torch.from_numpy(x), *start, shape), start)
    assert max(slope.abs().max().item() for slope in slopes) < 1e-6


def test_with_one_component_and_holes_it_is_the_maximum_of_a_gaussian(holed):
    """A monotone pattern (x0 always there) has a closed form: a mean, then a regression (Anderson 1957)."""
    x = holed[~np.isnan(holed[:, 0])][:, :2].copy()
    model = pf.GaussianMixture(components=1, ridge=1e-12).fit(x, steps=500)
    both = x[~np.isnan(x).any(1)]
    mean0, var0 = x[:, 0].mean(), x[:, 0].var()
    slope = np.cov(both.T, bias=True)[0, 1] / both[:, 0].var()
    rest = (both[:, 1] - both[:, 1].mean() - slope * (both[:, 0] - both[:, 0].mean())).var()
    mean1 = both[:, 1].mean() + slope * (mean0 - both[:, 0].mean())
    np.testing.assert_allclose(model.means[0], [mean0, mean1], rtol=1e-8)
    np.testing.assert_allclose(
        model.covariances[0], [[var0, slope * var0], [slope * var0, rest + slope**2 * var0]], rtol=1e-8
    )


def test_records_of_which_nothing_is_known_change_nothing(clusters):
    more = np.concatenate([clusters, np.full((50, 3), np.nan)])
    one, two = (pf.GaussianMixture(components=2, tolerance=0).fit(x, steps=40) for x in (clusters, more))
    np.testing.assert_allclose(np.sort(one.means, 0), np.sort(two.means, 0), rtol=1e-3)


def test_a_field_that_is_hardly_ever_known_is_learned_from_those_few():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 2)) @ np.array([[1, 0.9], [0, 0.4]])
    x[20:, 1] = np.nan
    model = pf.GaussianMixture(components=1).fit(x, steps=200)
    assert np.isfinite(model.covariances).all()
    assert model.means[0, 1] == pytest.approx(x[:20, 1].mean(), abs=0.5)


def test_moments_with_holes_are_those_of_many_completions(clusters):
    model = pf.GaussianMixture(components=2).fit(clusters, steps=10)
    x = model._scale(torch.from_numpy(clusters[:60]))[0].clone()
    x[np.random.default_rng(1).random(x.shape) < 0.3] = torch.nan
    none, one = torch.empty(60, 0), torch.ones(60, dtype=torch.float64)
    cells = Cells(x, none.long(), none.bool())
    exact = model.mixture.moments(cells, one, torch.zeros(3).double())
    many, generator = 4000, torch.Generator().manual_seed(0)
    again = Cells(x.repeat(many, 1), none.long().repeat(many, 1), none.bool().repeat(many, 1))
    filled = model.mixture.draw(again, generator)
    drawn = model.mixture.moments(filled, one.repeat(many), torch.zeros(3).double())
    torch.testing.assert_close(drawn.mass / many, exact.mass, atol=0.05, rtol=0.01)
    torch.testing.assert_close(drawn.numbers[0] / many, exact.numbers[0], atol=0.2, rtol=0.02)
    torch.testing.assert_close(drawn.numbers[1] / many, exact.numbers[1], atol=0.3, rtol=0.02)


def test_how_often_cells_are_holes_is_learned_per_component():
    rng = np.random.default_rng(0)
    n = 4000
    k = rng.integers(0, 2, n)
    y = np.where(rng.random(n) < np.where(k == 1, 0.6, 0.05), np.nan, rng.standard_normal(n))
    town = [None if u < 0.3 * (1 - b) else "Ulm" for u, b in zip(rng.random(n), k, strict=True)]
    x = 20.0 * k + rng.standard_normal(n)
    model = pf.GaussianMixture(components=2).fit({"x": x, "y": y, "town": town})
    out = model.sample(20_000, seed=0)
    right = out.to_numpy()["x"] > 10
    for name, side, rate in [("y", 1, 0.6), ("y", 0, 0.05), ("town", 1, 0.0), ("town", 0, 0.3)]:
        gone = out.column(name).is_null().to_numpy()
        learned = np.isnan(y) if name == "y" else np.array([t is None for t in town])
        rate = learned[k == side].mean()
        assert gone[right == side].mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / 9000) + 1e-9)


def test_a_given_cell_is_no_hole_and_an_open_one_may_be():
    y = [1.0, None, 2.0, None] * 50
    model = pf.GaussianMixture(components=1).fit({"x": np.arange(200.0), "y": np.array(y, float)})
    out = model.sample(2000, given={"y": [1.5, None] * 1000}, seed=0).column("y").is_null().to_numpy()
    assert not out[::2].any() and abs(out[1::2].mean() - 0.5) < 5 * 0.5 / math.sqrt(1000)


def test_a_component_that_nothing_belongs_to_stays_where_it_was():
    mixture = Mixture(
        torch.tensor([0.5, 0.5]).double(), torch.tensor([[0.0], [1e4]]).double(), Full(torch.ones(2, 1, 1).double()),
        torch.empty(2, 0).double(), (), torch.zeros(1).double(),
    )  # fmt: skip
    none, one = torch.empty(9, 0), torch.ones(9, dtype=torch.float64)
    cells = Cells(torch.linspace(-1, 1, 9).double()[:, None], none.long(), none.bool())
    after = solve(mixture.moments(cells, one, torch.zeros(1).double()), mixture, Prior(1e-6, 1.0))
    assert after.means[1] == 1e4 and after.covariances.covariances[1] == 1 and after.weights.isfinite().all()
