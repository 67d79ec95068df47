"""With the auto-encoders that there are."""

import itertools
import warnings

import numpy as np
import pytest

import pushforward as pf


@pytest.fixture(scope="module")
def digits():
    return pf.read("digits")[:200]


def fitted(coder, prior, data, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.CollapsedWarning)  # after so few steps
        return pf.Latent(coder, prior=prior).fit(data, steps=4, **more)


def test_pictures_given_their_label(digits):
    model = fitted(pf.VAE(latent=4, width=8), pf.GaussianMixture(components=3), digits, given="label")
    out = model.sample(6, given={"label": [0, 1, 2, 3, 4, 5]}, seed=0)
    assert out.column("label").to_pylist() == [0, 1, 2, 3, 4, 5] and out.to_numpy()["image"].shape == (6, 8, 8)
    drawn = model.encode(digits, sample=True, seed=0)
    assert drawn.shape == (200, 4) and not np.array_equal(drawn, model.encode(digits))
    assert model.traverse(digits[:1], rows=2, steps=3).names == ("image", "label")
    assert len(model.interpolate(digits[0], digits[1], n=4)) == 4
    with pytest.raises(pf.ArgumentError, match="did you mean 'sample'"):
        model.encode(digits, smple=True)
    assert model.decode(drawn[:2]).names == ("image",)
    assert model.decode(drawn[:2], given={"label": 3}).column("label").to_pylist() == [3, 3]


def test_the_score_of_a_record_does_not_depend_on_its_company():
    """Not even on how many thousands come before it, which are encoded in blocks."""
    data = np.random.default_rng(0).standard_normal((2100, 2))
    model = fitted("vae:latent=1,width=8", "gaussian-mixture:components=1", data)
    for samples in (1, 3):
        whole, last = (model.log_prob(x, samples=samples) for x in (data, data[2000:]))
        assert np.allclose(whole[2000:], last, atol=1e-4)


def test_codes_of_a_sparse_coder_are_drawn_sparse():
    data = np.random.default_rng(0).standard_normal((200, 8))
    model = fitted("autoencoder:latent=6,sparse=2,width=8", "gaussian-mixture:components=2", data)
    codes = model._coder.codes_of(model._prior.sample(50, seed=0), model._codes)
    assert ((codes != 0).sum(1) == 2).all()


def test_denoising_is_that_of_the_auto_encoder(digits):
    coder = pf.AutoEncoder(latent=4, width=8, noise=0.5)
    model = fitted(coder, "gaussian-mixture:components=2", digits, given="label")
    alone = pf.AutoEncoder(latent=4, width=8, noise=0.5).fit(digits.without(["label"]), steps=4)
    out = model.denoise(digits, 0.2)
    assert out.names == digits.names and out.column("label").equals(digits.column("label"))
    assert np.array_equal(out.to_numpy()["image"], alone.denoise(digits.without(["label"]), 0.2).to_numpy()["image"])
    plain = fitted("autoencoder:latent=4,width=8", "gaussian-mixture:components=2", digits, given="label")
    assert not hasattr(plain, "denoise") and not hasattr(plain, "log_prob")


def test_minutes_are_divided(digits):
    model = pf.Latent("autoencoder:latent=2,width=4", prior="diffusion:width=4,layers=1", share=0.5)
    seen = list(model.fitting(digits, given="label", minutes=0.02))
    first = [p for p in seen if p.phase == "model: train"]
    assert first[-1].elapsed >= 0.6 and first[0].remaining >= 0.6  # half of 1.2 s, and the other half to come
    assert seen[-1].phase == "prior: train" and seen[-1].before == first[-1].elapsed
    assert all(a.elapsed <= b.elapsed for a, b in itertools.pairwise(seen))


def test_a_prior_better_than_the_coders_own_scores_better():
    """Two moons, of which the prior is told: a bound tighter than that of the auto-encoder alone."""
    data = pf.read("moons")[:600]
    model = pf.Latent("vae:latent=2,width=32,warmup=0,lr=0.005", prior="gaussian-mixture:components=12")
    model.fit(data, given="moon", steps=600)
    alone = pf.VAE(latent=2, width=32, warmup=0, lr=0.005).fit(data.without(["moon"]), steps=600)
    assert model.score(data) > alone.score(data.without(["moon"])) + 0.2


def test_what_goes_over_pictures_learns_rounded_codes_as_pictures_and_what_does_not_as_categories():
    shapes = pf.read("shapes:train").select(["image"])[:60]
    taken = {
        prior: fitted("vq:width=8", prior, shapes)._codes.fields[0].kind
        for prior in ("diffusion:width=8,layers=1", "gan:width=8", "dependency-tree", "ngram")
    }
    assert list(taken.values()) == ["image", "image", "category", "text"]


def test_codes_that_a_diffusion_draws_hang_together():
    """Halves of a picture that are always alike: codes that are drawn each by itself do not know of each other."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 2, 300) * 200 + 20
    data = {"image": (np.tile(grey[:, None, None], (1, 8, 8)) + rng.integers(0, 20, (300, 8, 8))).astype(np.uint8)}
    model = pf.Latent("vq:codes=16,stages=1,width=8,lr=5e-3", prior="diffusion:width=8,layers=1").fit(data, steps=300)
    apart = [
        np.abs(
            np.diff(m.sample(50, seed=0).to_numpy()["image"].astype(float).reshape(50, 2, -1).mean(2), axis=1)
        ).mean()
        for m in (model, model._coder)
    ]
    assert apart[0] < 10 < apart[1]
