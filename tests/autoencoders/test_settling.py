"""What is measured of the data in the end is of all of it, each record as it counts, in any order and precision."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.autoencoders.coder import some
from pushforward.autoencoders.posterior import Posterior
from pushforward.autoencoders.quantisers.frequencies import Frequencies
from pushforward.flows.bases.mixture import Mixture

pytestmark = pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")  # of models that train for a moment


def halves(n, order="sorted"):
    """Two groups, one after the other or in turns, a distance of ten apart."""
    second = np.arange(n) >= n // 2 if order == "sorted" else np.arange(n) % 2 == 1
    return 10.0 * second[:, None] + np.random.default_rng(0).standard_normal((n, 2)), second


def mean(records):
    return float(np.mean(list(records.to_numpy().values())))


@pytest.mark.parametrize("order", ["sorted", "in turns"])
def test_the_order_of_many_records_does_not_matter(order):
    x, _ = halves(5000, order)
    model = pf.AutoEncoder(latent=2, layers=0, scores="plain", lr=1e-2).fit(x, steps=300, seed=0, device="cpu")
    assert mean(model.sample(4000, seed=0)) == pytest.approx(5, abs=0.5)
    assert mean(model.traverse(rows=1, steps=3)) == pytest.approx(5, abs=0.5)


def test_the_centre_of_a_vaes_codes_is_that_of_all_records():
    x, _ = halves(5000)
    model = pf.VAE(latent=2, layers=0, scores="plain", lr=1e-2).fit(x, steps=300, seed=0, device="cpu")
    codes = model.encode(x)
    center, spread = model._code_moments()
    assert np.allclose(center, codes.mean(0), atol=0.1) and np.allclose(spread, codes.std(0), rtol=0.1)


def test_some_records_are_from_all_over():
    tensors = {"a": torch.arange(100), "b": torch.arange(100) % 2}
    found = some(tensors, 50, torch.Generator().manual_seed(0))
    assert len(found["a"]) == 50 and torch.equal(found["a"] % 2, found["b"]) and 10 < found["b"].sum() < 40
    assert some(tensors, 100, torch.Generator())["a"].equal(tensors["a"])


def test_codes_are_drawn_as_records_count():
    x, second = halves(1000)
    model = pf.AutoEncoder(latent=2, layers=0, scores="plain", lr=1e-2)
    weights = np.where(second, 9.0, 1.0)
    model.fit(x, weights=weights, steps=300, seed=0, device="cpu")
    made = model.reconstruct(x).to_numpy()
    wanted = np.mean([np.average(column, weights=weights) for column in made.values()])
    assert mean(model.sample(4000, seed=0)) == pytest.approx(wanted, abs=0.3)  # 5 if all counted alike


def test_the_centre_of_a_vaes_codes_is_as_records_count():
    x, second = halves(1000)
    model = pf.VAE(latent=2, layers=0, scores="plain", lr=1e-2)
    model.fit(x, weights=np.where(second, 9.0, 1.0), steps=300, seed=0, device="cpu")
    wanted = np.average(model.encode(x), axis=0, weights=np.where(second, 9.0, 1.0))
    assert np.allclose(model._code_moments()[0], wanted, atol=1e-3)


def test_frequencies_are_of_records_as_they_count():
    own, codes = Frequencies(1, 3), torch.tensor([[0], [1], [1]])
    own.count(codes, torch.tensor([6.0, 1.0, 1.0]))
    assert own.counts.tolist() == [[6, 2, 0]]
    own.count(codes)
    assert own.counts.tolist() == [[1, 2, 0]]
    data = {"a": np.repeat(["x", "y"], 200)}
    model = pf.VQ(positions=1, codes=2, width=16)
    model.fit(data, weights=np.repeat([9.0, 1.0], 200), steps=200, seed=0, device="cpu")
    drawn = model.sample(2000, seed=0).to_numpy()["a"]
    assert (drawn == "x").mean() == pytest.approx(0.9, abs=0.05)


def test_held_out_records_count_as_they_do_in_training():
    """Records of weight 0 are as if they were not there: the variances know nothing of them."""
    rng = np.random.default_rng(0)
    x, wild = rng.standard_normal((600, 2)), np.arange(600) % 2 == 1
    x[wild] *= 100
    model = pf.AutoEncoder(latent=1, layers=0, scores="plain", lr=1e-2)
    model.fit(x, weights=(~wild).astype(float), validation=0.3, steps=100, seed=0, device="cpu")
    errors = model.reconstruct(x).to_numpy()
    found = [((errors[f"x{i}"] - x[:, i])[~wild] ** 2).mean() for i in range(2)]
    scale = model.network.row.scale.scale.numpy()
    assert np.allclose(model.network.row.spread.variance.numpy() * scale**2, found, rtol=0.3)


# Half precision


def test_a_divergence_keeps_its_precision():
    x = np.random.default_rng(0).standard_normal((64, 3))
    model = pf.VAE(latent=2, width=8).fit(x, steps=2, seed=0, device="cpu", precision="bfloat16")
    with torch.autocast("cpu", torch.bfloat16):
        tensors = next(model._blocks(pf.read(x)))
        q = model._posterior(model.network.inputs(tensors), None)
    assert q.mean.dtype == q.raw.dtype == torch.float32
    near = Posterior(torch.full((1, 1), 0.002), torch.full((1, 1), 0.003))
    assert near.divergence().item() == pytest.approx(0.002**2 / 2 + 0.003**2, rel=0.05)
    assert Posterior(near.mean.bfloat16(), near.raw.bfloat16()).divergence().item() > 1e-4  # what it would else be


def test_a_mixture_as_prior_keeps_its_precision():
    prior = Mixture(8, 5)
    with torch.no_grad():
        prior.means.mul_(5)
        prior.log_sigmas.fill_(-3)
    z = prior.means[[0, 3]].detach() + 0.01
    wanted = prior.log_prob(z)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(prior.log_prob(z), wanted, atol=1e-3)


@pytest.mark.parametrize("family", ["AutoEncoder", "VAE", "VQ"])
def test_every_family_learns_in_half_precision(family):
    rng = np.random.default_rng(0)
    data = {
        "image": rng.integers(0, 255, (40, 8, 8)).astype(np.uint8),
        "a": np.where(rng.random(40) < 0.2, np.nan, rng.standard_normal(40)),
        "b": np.tile(["u", "v"], 20),
    }
    more = {"adversarial": 0.5, "perceptual": 0.5, "patience": 0}
    model = getattr(pf, family)(width=8, **more).fit(data, steps=3, seed=0, device="cpu", precision="bfloat16")
    assert len(model.reconstruct(data)) == 40
