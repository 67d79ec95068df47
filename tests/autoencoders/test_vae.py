"""The variational auto-encoder against closed forms: probabilistic principal components, conditionals, posteriors."""

import numpy as np
import pytest
import scipy.linalg
from scipy.stats import multivariate_normal

import pushforward as pf

pytestmark = pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")  # of models that train for a moment

LINEAR = {"layers": 0, "sigma": "shared", "scores": "plain", "warmup": 0, "lr": 1e-2}


def factors(n=1500, d=6, k=2, seed=0):
    """Draws of x = W z + μ + σ ε, and the W, μ and σ."""
    rng = np.random.default_rng(seed)
    w, mu, sigma = rng.standard_normal((d, k)), rng.standard_normal(d), 0.4
    x = rng.standard_normal((n, k)) @ w.T + mu + sigma * rng.standard_normal((n, d))
    return x / x.std(0), x.std(0), w, mu, sigma


@pytest.fixture(scope="module")
def fitted():
    x = factors()[0]
    return x, pf.VAE(latent=2, **LINEAR).fit(x, steps=3000, batch=len(x), seed=0, device="cpu")


def components(x, k):
    """Mean log likelihood of probabilistic principal components, and the subspace (Tipping, Bishop 1999)."""
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    noise = values[:-k].mean()
    d = x.shape[1]
    log = -0.5 * (d * np.log(2 * np.pi) + np.log(values[-k:]).sum() + (d - k) * np.log(noise) + d)
    return log, vectors[:, -k:], noise


def test_linear_maps_are_probabilistic_principal_components(fitted):
    x, model = fitted
    log, subspace, noise = components(x, 2)
    assert abs(model.score(x, samples=1) - log) < 1e-2
    assert abs(model.score(x, samples=64) - log) < 1e-2
    found = model.network.back[0].weight.detach().double().numpy()
    assert np.degrees(scipy.linalg.subspace_angles(found, subspace).max()) < 2
    assert abs(float(model.network.row.spread.variance[0]) / noise - 1) < 0.03


def test_completion_follows_the_conditional_distribution(fitted):
    x, model = fitted
    known = x.mean(0) + np.array([0.8, -0.5, 0.3, 0, 0, 0])
    holed = np.repeat(known[None], 4000, 0)
    holed[:, 3:] = np.nan
    drawn = model.complete(holed, seed=1).to_numpy()
    drawn = np.stack([drawn[f"x{i}"] for i in range(6)], 1)
    assert np.array_equal(drawn[:, :3], holed[:, :3])
    w = model.network.back[0].weight.detach().double().numpy()
    c = w @ w.T + float(model.network.row.spread.variance[0]) * np.eye(6)
    mu = model.network.row.scale.mean.numpy() + model.network.back[0].bias.detach().double().numpy()
    gain = c[3:, :3] @ np.linalg.inv(c[:3, :3])
    mean, cov = mu[3:] + gain @ (known[:3] - mu[:3]), c[3:, 3:] - gain @ c[:3, 3:]
    # 4,000 draws: five standard errors, and a tenth for the proposals being finite
    assert (np.abs(drawn[:, 3:].mean(0) - mean) < 5 * np.sqrt(np.diag(cov) / 4000) + 0.1 * np.sqrt(np.diag(cov))).all()
    unit = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    assert (np.abs(np.cov(drawn[:, 3:].T) - cov) / unit).max() < 0.15


def test_denoising_is_the_posterior_mean(fitted):
    x, model = fitted
    noise = 0.7
    noisy = x[:200] + noise * np.random.default_rng(3).standard_normal((200, 6))
    found = model.denoise(noisy, noise).to_numpy()
    found = np.stack([found[f"x{i}"] for i in range(6)], 1)
    w = model.network.back[0].weight.detach().double().numpy()
    c = w @ w.T + float(model.network.row.spread.variance[0]) * np.eye(6)
    mu = model.network.row.scale.mean.numpy() + model.network.back[0].bias.detach().double().numpy()
    wanted = mu + (noisy - mu) @ np.linalg.solve(c + noise**2 * np.eye(6), c)
    # the posterior given noisy data is wider than the encoder's, so a mean over weighed codes is off by a little
    assert np.sqrt(((found - wanted) ** 2).mean()) < 0.1
    assert ((found - x[:200]) ** 2).mean() < 0.75 * ((noisy - x[:200]) ** 2).mean()


def test_the_bound_rises_with_samples_and_never_passes_the_truth():
    x, scale, w, mu, sigma = factors(n=4000, d=5, seed=2)
    truth = multivariate_normal(mu / scale, (w @ w.T + sigma**2 * np.eye(5)) / np.outer(scale, scale))
    model = pf.VAE(latent=2, width=32).fit(x[:3000], steps=800, seed=0, device="cpu")
    held = x[3000:]
    scores = [model.score(held, samples=k) for k in (1, 4, 16, 64)]
    assert scores == sorted(scores)
    gap = model.log_prob(held, samples=64) - truth.logpdf(held)
    assert gap.mean() < 3 * gap.std() / np.sqrt(len(held))
    assert gap.mean() > -1  # and it has learned something


def test_units_of_a_column_move_the_bound_by_their_logarithm():
    x = factors()[0]
    wide = x * np.array([1000, 1, 1, 1, 1, 1])
    one, two = (pf.VAE(latent=2, width=8).fit(data, steps=5, seed=0, device="cpu") for data in (x, wide))
    assert two.score(wide) - one.score(x) == pytest.approx(-np.log(1000), abs=1e-4)


def test_whole_numbers_and_levels_have_probabilities_that_sum_to_one():
    rng = np.random.default_rng(0)
    data = {"count": rng.poisson(3, 200), "word": rng.choice(["a", "b"], 200)}
    model = pf.VAE(latent=1, width=8).fit(data, steps=50, seed=0, device="cpu")
    grid = {"count": np.repeat(np.arange(-40, 80), 2), "word": ["a", "b"] * 120}
    assert np.exp(model.log_prob(grid, samples=200)).sum() == pytest.approx(1, abs=0.02)


def test_collapse_is_named_with_its_cure():
    with pytest.warns(pf.CollapsedWarning, match=r"posterior collapse: 0 of the 4 .* lower beta= \(it is 100\)"):
        model = pf.VAE(latent=4, width=8, beta=100, warmup=0).fit(factors()[0], steps=100, seed=0, device="cpu")
    ((step, note),) = model.history.notes
    assert step == 100 and note.startswith("posterior collapse: 0 of the 4")


def test_free_bits_keep_codes_alive():
    x = factors()[0]
    model = pf.VAE(latent=2, width=16, beta=3, warmup=0, free_bits=1.0).fit(x, steps=400, seed=0, device="cpu")
    assert model.measurements["active"] == 2


def test_a_mixture_as_prior_scores_clusters_higher():
    rng = np.random.default_rng(0)
    x = rng.choice([-6.0, 0.0, 6.0], (900, 2)) + 0.3 * rng.standard_normal((900, 2))
    kind = {"latent": 2, "width": 32}
    plain = pf.VAE(**kind).fit(x, steps=800, seed=0, device="cpu")
    rich = pf.VAE(prior="mixture", components=16, **kind).fit(x, steps=800, seed=0, device="cpu")
    assert rich.score(x, samples=32) > plain.score(x, samples=32)


def test_masked_pixels_are_filled_and_the_rest_is_left():
    data = pf.read("digits")[:300].select(["image"])
    model = pf.VAE(latent=8, width=16).fit(data, steps=300, seed=0, device="cpu")
    mask = np.zeros((8, 8), bool)
    mask[4:] = True
    some = data[:40]
    before = some.to_numpy()["image"].reshape(40, 8, 8).astype(float)
    draws = [model.complete(some, mask=mask, seed=seed).to_numpy()["image"].reshape(40, 8, 8) for seed in range(12)]
    assert all(np.array_equal(before[:, :4], draw[:, :4]) for draw in draws)
    assert (draws[0] != draws[1]).any()
    mean = data.to_numpy()["image"].reshape(-1, 8, 8).mean(0)
    error = ((np.mean(draws, 0) - before)[:, 4:] ** 2).mean()
    assert error < 0.9 * ((mean - before)[:, 4:] ** 2).mean()
    with pytest.raises(pf.ArgumentError, match=r"mask has shape \(3,\).*\(8, 8\), or \(40, 8, 8\)"):
        model.complete(some, mask=np.ones(3, bool))


def test_masks_need_a_picture():
    model = pf.VAE(latent=1, width=8).fit(factors()[0], steps=2, device="cpu")
    with pytest.raises(pf.ArgumentError, match="no picture; leave cells empty"):
        model.complete(factors()[0], mask=np.ones((2, 2), bool))


def test_codes_may_be_drawn():
    x = factors()[0]
    model = pf.VAE(latent=2, width=8).fit(x, steps=5, device="cpu")
    one, two, mean = model.encode(x, sample=True, seed=1), model.encode(x, sample=True, seed=1), model.encode(x)
    assert np.array_equal(one, two) and not np.array_equal(one, mean)


def test_codes_of_another_length_are_refused():
    model = pf.VAE(latent=2, width=8).fit(factors()[0], steps=2, device="cpu")
    with pytest.raises(pf.ArgumentError, match=r"codes have shape \(1, 3\); they must be \(n, 2\)"):
        model.decode(np.zeros((1, 3)))
    with pytest.raises(pf.ArgumentError, match="not finite"):
        model.decode([[np.nan, 0.0]])
