"""The bound of `log_prob`, against the integral over all codes where that can be done."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward import latent

GRID = np.linspace(-8, 8, 4001)
PRIORS = ["gaussian-mixture:components=3", "naive-bayes", "tree-mixture:trees=2"]


def truth(model, data):
    """(n,) log ∫ p(x | z) p(z | group) dz on a grid, for a code of one number."""
    records = pf.read(data)
    x = model._coder._numbers(records.without(["group"]))
    mean = model._coder._mean(torch.from_numpy(GRID)[:, None])
    log_x = torch.distributions.Normal(mean, model._coder.state["noise"]).log_prob(x[:, None]).sum(2)
    log_z = {g: model._prior.log_prob({"z0": GRID, "group": [g] * len(GRID)}) for g in ("a", "b")}
    each = np.stack([log_z[g] for g in data["group"]])
    return torch.logsumexp(log_x + torch.from_numpy(each), 1).numpy() + np.log(GRID[1] - GRID[0])


@pytest.mark.parametrize("prior", PRIORS)
def test_the_bound_is_below_the_integral_and_comes_up_to_it(data, prior, monkeypatch):
    model = pf.Latent("linear:latent=1", prior=prior).fit(data, given="group")
    assert model.density == "bound"
    wanted, gaps = truth(model, data), {}
    assert abs((model.log_prob(data, samples=256) - wanted).mean()) < 0.02
    monkeypatch.setattr(latent, "Alike", lambda generator: generator)  # noise of its own for every record
    for samples in (1, 8, 64):
        apart = model.log_prob(data, samples=samples) - wanted
        gaps[samples] = apart.mean()
        assert apart.mean() <= 3 * apart.std() / np.sqrt(len(apart))
    assert gaps[1] < gaps[8] < gaps[64] + 0.002


def test_a_code_that_is_certain_is_drawn_once(data):
    model = pf.Latent("signs", prior="dependency-tree").fit(data, given="group")
    assert np.array_equal(model.log_prob(data, samples=1), model.log_prob(data, samples=7))
    codes, log_q = model._coder._draw_codes(pf.read(data).without(["group"]), None)
    assert (log_q == 0).all()
    columns = {f"c{i}": np.array(["a", "b"])[codes[:, i]] for i in range(4)} | {"group": data["group"]}
    log_x = model._coder._log_given(pf.read(data).without(["group"]), codes)
    assert np.allclose(model.log_prob(data), log_x.numpy() + model._prior.log_prob(columns))


def test_without_a_likelihood_there_is_no_log_prob(data):
    model = pf.Latent("blind:latent=1", prior="gaussian-mixture:components=1").fit(data, given="group")
    assert model.density == "none" and not hasattr(model, "log_prob") and not hasattr(model, "score")
    with pytest.raises(AttributeError, match="model=blind gives records no likelihood"):
        model.log_prob(data)


def test_a_prior_that_estimates_makes_an_estimate(data):
    model = pf.Latent("linear:latent=1", prior="diffusion:width=8,layers=1").fit(data, given="group", steps=2)
    assert model.density == "estimate"


def test_samples_out_of_range_are_refused(data):
    model = pf.Latent("linear:latent=1", prior="gaussian-mixture:components=1").fit(data, given="group")
    with pytest.raises(pf.ArgumentError, match="samples=0 is out of range"):
        model.log_prob(data, samples=0)


def test_draws_are_as_the_density_says(data):
    """What is drawn given a group has the moments of that group."""
    model = pf.Latent("linear:latent=1", prior="gaussian-mixture:components=4,smoothing=0.01").fit(data, given="group")
    for group in ("a", "b"):
        drawn = model.sample(4000, given={"group": group}, seed=0)
        assert drawn.column("group").to_pylist() == [group] * 4000
        for i in range(4):
            seen = data[f"x{i}"][data["group"] == group]
            found = drawn.column(f"x{i}").to_numpy()
            assert abs(found.mean() - seen.mean()) < 5 * seen.std() / np.sqrt(len(seen))
            assert abs(found.std() / seen.std() - 1) < 0.2
