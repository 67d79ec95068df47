"""The plain auto-encoder: principal components where it is linear, and what it promises elsewhere."""

import numpy as np
import pytest
import scipy.linalg

import pushforward as pf


def plane(n=1000, noise=0.05):
    """Points of six numbers near a plane."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 2)) * [2.0, 1.0] @ rng.standard_normal((2, 6)) + noise * rng.standard_normal((n, 6))
    return x / x.std(0)


def numbers(records):
    return np.stack(list(records.to_numpy().values()), 1)


def test_linear_maps_are_principal_components():
    x = plane()
    model = pf.AutoEncoder(latent=2, layers=0, sigma="shared", scores="plain", lr=1e-2)
    model.fit(x, steps=2000, batch=len(x), seed=0, device="cpu")
    centred = x - x.mean(0)
    best = np.linalg.svd(centred, full_matrices=False)[2][:2]
    found = model.network.back[0].weight.detach().double().numpy()
    assert np.degrees(scipy.linalg.subspace_angles(found, best.T).max()) < 2
    error = ((numbers(model.reconstruct(x)) - x) ** 2).mean()
    assert error < 1.02 * ((centred - centred @ best.T @ best) ** 2).mean()


def test_codes_that_are_drawn_have_the_moments_of_codes():
    x = plane()
    model = pf.AutoEncoder(latent=2, width=16).fit(x, steps=300, seed=0, device="cpu")
    codes, drawn = model.encode(x), model.encode(model.sample(4000, seed=0))
    assert np.allclose(drawn.mean(0), codes.mean(0), atol=0.2 * codes.std(0).max())
    assert np.allclose(drawn.std(0) / codes.std(0), 1, atol=0.2)


def test_a_sparse_code_has_as_many_entries_as_asked():
    model = pf.AutoEncoder(latent=8, sparse=3, width=16).fit(plane(), steps=50, seed=0, device="cpu")
    assert ((model.encode(plane()) != 0).sum(1) == 3).all()
    with pytest.raises(pf.ArgumentError, match="sparse=9 is more than the 8 entries"):
        pf.AutoEncoder(latent=8, sparse=9).fit(plane(), steps=1)


def test_noise_is_taken_off_up_to_what_was_learned():
    x = plane()
    model = pf.AutoEncoder(latent=2, width=64, noise=0.5, lr=3e-3).fit(x, steps=800, seed=0, device="cpu")
    noisy = x + 0.5 * np.random.default_rng(1).standard_normal(x.shape)
    clean = numbers(model.denoise(noisy, 0.5))
    # two directions of six keep a third of the noise, which is what a perfect projection would leave
    assert ((clean - x) ** 2).mean() < 0.45 * ((noisy - x) ** 2).mean()
    with pytest.raises(pf.ArgumentError, match=r"up to 2 deviations .* fit again with noise=2"):
        model.denoise(noisy, 2.0)


def test_a_model_that_has_not_learned_to_denoise_says_how_to():
    model = pf.AutoEncoder(latent=2, width=8).fit(plane(), steps=2, device="cpu")
    assert not hasattr(model, "denoise") and not hasattr(model, "log_prob")
    with pytest.raises(AttributeError, match="fit again with noise="):
        _ = model.denoise


def test_pictures_and_columns_are_one_code():
    digits = pf.read("digits")[:400]
    model = pf.AutoEncoder(latent=16, width=16).fit(digits, steps=400, seed=0, device="cpu")
    out = model.reconstruct(digits)
    assert out.names == digits.names
    right = np.mean(np.array(out.column("label").to_pylist()) == np.array(digits.column("label").to_pylist()))
    assert right > 0.8
    before, after = (r.to_numpy()["image"].astype(float) for r in (digits, out))
    assert ((before - after) ** 2).mean() < 0.5 * before.var(0).mean()


def test_a_walk_ends_at_its_records_and_stays_at_the_middle():
    x = plane()
    model = pf.AutoEncoder(latent=3, width=16).fit(x, steps=100, seed=0, device="cpu")
    way, ends = numbers(model.interpolate(x[:1], x[1:2], 5)), numbers(model.reconstruct(x[:2]))
    assert np.allclose(way[[0, -1]], ends, atol=1e-5)
    grid = numbers(model.traverse(x[:1], rows=2, steps=3))
    assert len(grid) == 6 and np.allclose(grid[1], ends[0], atol=1e-5) and np.allclose(grid[4], ends[0], atol=1e-5)
    with pytest.raises(pf.ArgumentError, match="a holds 2 records; give one"):
        model.interpolate(x[:2], x[:1])
    with pytest.raises(pf.ArgumentError, match="steps=1 is out of range"):
        model.traverse(steps=1)


@pytest.mark.parametrize("shape", [(8, 8), (9, 13), (28, 28), (64, 64, 3), (4, 4)])
def test_pictures_of_any_size(shape):
    pixels = np.random.default_rng(0).integers(0, 255, (6, *shape)).astype(np.uint8)
    for body in ("auto", "dense"):
        model = pf.AutoEncoder(latent=3, width=4, body=body).fit(pixels, steps=2, device="cpu")
        assert model.reconstruct(pixels).to_numpy()["image"].reshape(pixels.shape).shape == pixels.shape


def test_pictures_that_are_too_small_are_refused_by_name():
    with pytest.raises(pf.DataError, match=r"'image' are 3×3.* at least 4"):
        pf.AutoEncoder().fit(np.zeros((5, 3, 3), np.uint8), steps=1)


def test_noise_needs_something_to_be_added_to():
    with pytest.raises(pf.DataError, match=r"noise=0.5 needs numbers or a picture"):
        pf.AutoEncoder(noise=0.5).fit({"a": ["x", "y"] * 9}, steps=1)
