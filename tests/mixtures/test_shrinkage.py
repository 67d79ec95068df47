"""Covariances drawn together: against what the formula says, and against records that nobody learned from."""

import numpy as np
import pytest
import torch

import pushforward as pf


@pytest.fixture(scope="module")
def apart():
    """30 and 50 records of 4 numbers with unlike shapes, so far apart that there is no doubt about a record."""
    rng = np.random.default_rng(0)
    one = rng.standard_normal((30, 4)) @ rng.standard_normal((4, 4)) - 60
    two = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)) + 60
    return one, two


def wanted(kind, groups, nu, scale):
    """The covariances that pseudo-records make, in units of the scale."""
    n = np.array([len(x) for x in groups])
    each = [np.cov((x / scale).T, bias=True) for x in groups]
    if kind == "diagonal":
        each = [np.diag(np.diag(s)) for s in each]
    if kind == "spherical":
        each = [np.eye(4) * np.trace(s) / 4 for s in each]
    shared = sum(a * s for a, s in zip(n, each, strict=True)) / n.sum()
    shared = (n.sum() * shared + nu * np.diag(np.diag(shared))) / (n.sum() + nu)
    return [shared if kind == "tied" else (a * s + nu * shared) / (a + nu) for a, s in zip(n, each, strict=True)]


@pytest.mark.parametrize("kind", ["full", "tied", "diagonal", "spherical"])
@pytest.mark.parametrize("nu", [0.0, 7.0, 500.0])
def test_covariances_are_those_of_the_formula(apart, kind, nu):
    model = pf.GaussianMixture(components=2, covariance=kind, shrinkage=nu, ridge=1e-12).fit(np.concatenate(apart))
    order = np.argsort(model.means[:, 0])
    scale = model._scale.scale.numpy()
    expected = np.stack(wanted(kind, apart, nu, scale)) * np.outer(scale, scale)
    np.testing.assert_allclose(model.covariances[order], expected, rtol=1e-6, atol=1e-8)


def test_many_pseudo_records_make_one_diagonal_of_all(apart):
    model = pf.GaussianMixture(components=2, shrinkage=1e12).fit(np.concatenate(apart))
    off = model.covariances - model.covariances * np.eye(4)
    assert np.abs(off).max() < 1e-6 * model.covariances.max()
    np.testing.assert_allclose(*model.covariances, rtol=1e-6, atol=1e-6 * model.covariances.max())


def test_the_noise_of_factors_is_drawn_together_too():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.standard_normal((60, 5)) * s + m for s, m in ((1, -30), (3, 30))])
    options = {"components": 2, "covariance": "factors", "factors": 1}
    free, drawn = (pf.GaussianMixture(**options, shrinkage=nu).fit(x, steps=30) for nu in (0.0, 1e9))
    noise = drawn.mixture.covariances.noise
    np.testing.assert_allclose(noise[0], noise[1], rtol=1e-5)
    assert (free.mixture.covariances.noise.max(0)[0] > 3 * free.mixture.covariances.noise.min(0)[0]).any()


@pytest.fixture(scope="module")
def few():
    """80 records of 12 numbers in three clusters of one shape, with holes, and 5,000 of the same distribution."""
    rng = np.random.default_rng(3)
    centres, shape = 2 * rng.standard_normal((3, 12)), np.eye(12) + 0.3 * rng.standard_normal((12, 12))

    def draw(n):
        return centres[rng.integers(0, 3, n)] + rng.standard_normal((n, 12)) @ shape

    learned = draw(80)
    learned[rng.random(learned.shape) < 0.1] = np.nan
    return learned, draw(5000)


def test_auto_is_near_the_best_shrinkage_on_records_it_has_not_seen(few):
    learned, unseen = few
    model = pf.GaussianMixture(components=3, shrinkage="auto").fit(learned)
    assert model.shrinkage == "auto" and model.measurements["shrinkage"] > 0
    scores = [pf.GaussianMixture(components=3, shrinkage=nu).fit(learned).score(unseen) for nu in (0.0, 5, 20, 80, 320)]
    assert model.score(unseen) > max(scores) - 0.3 and model.score(unseen) > scores[0] + 5


def test_intervals_of_few_records_hold_what_they_say(few):
    """90 % intervals of a number given the others, over records that were not learned from."""
    learned, unseen = few
    truth = unseen[:300]
    hidden = np.random.default_rng(0).random(truth.shape) < 0.2
    inside = {}
    for nu in (0.0, "auto"):
        model = pf.GaussianMixture(components=3, shrinkage=nu).fit(learned)
        holed = np.where(hidden, np.nan, truth)
        draws = np.stack([np.stack(list(model.complete(holed, seed=i).to_numpy().values()), 1) for i in range(39)])
        low, high = np.quantile(draws, [0.05, 0.95], axis=0, method="weibull")
        inside[nu] = ((truth >= low) & (truth <= high))[hidden].mean()
    assert inside["auto"] > 0.85 and inside["auto"] > inside[0.0] + 0.1


@pytest.mark.parametrize("kind", ["full", "tied", "diagonal", "spherical", "factors"])
def test_a_wider_mixture_has_its_covariances_times_the_factor(few, kind):
    mixture = pf.GaussianMixture(components=2, covariance=kind).fit(few[0], steps=3).mixture
    torch.testing.assert_close(mixture.widened(1.3).covariances.dense(), 1.3 * mixture.covariances.dense())


def test_a_run_that_is_cut_short_is_wider_too_and_goes_on_as_one_that_is_not(few, tmp_path):
    options = {"components": 3, "shrinkage": "auto"}
    first = pf.GaussianMixture(**options).fitting(few[0], steps=8, folder=tmp_path / "run")
    for _ in range(3):
        next(first)
    first.close()
    rest = pf.GaussianMixture(**options).fit(few[0], steps=8, folder=tmp_path / "run")
    whole = pf.GaussianMixture(**options).fit(few[0], steps=8)
    assert whole.measurements["widening"] > 1
    assert all(torch.equal(tensor, rest._state()[name]) for name, tensor in whole._state().items())
    plain = pf.GaussianMixture(components=3, shrinkage=whole.measurements["shrinkage"]).fit(few[0], steps=8)
    np.testing.assert_allclose(whole.covariances, whole.measurements["widening"] * plain.covariances)


def test_both_autos_are_chosen_saved_and_repeated(few, tmp_path):
    learned, unseen = few
    model = pf.GaussianMixture(components="auto", shrinkage="auto").fit(learned)
    again = pf.GaussianMixture(components="auto", shrinkage="auto").fit(learned)
    assert model.measurements["components"] > 1
    assert all(model.measurements[name] == again.measurements[name] for name in ("components", "shrinkage"))
    model.save(tmp_path / "model")
    assert np.array_equal(pf.load(tmp_path / "model").log_prob(unseen), model.log_prob(unseen))


def test_one_record_leaves_nothing_to_choose_by():
    model = pf.GaussianMixture(components="auto", shrinkage="auto").fit(np.zeros((1, 2)))
    assert model.measurements["components"] == 1


@pytest.mark.parametrize("nu", [-1.0, "much"])
def test_other_values_are_refused(nu):
    with pytest.raises(pf.ArgumentError, match=r"^shrinkage="):
        pf.GaussianMixture(shrinkage=nu)
