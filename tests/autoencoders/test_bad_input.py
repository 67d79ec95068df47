"""What auto-encoders cannot take is refused in one line that names it; what they can but hardly should is said."""

import io
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import pushforward as pf
from pushforward.autoencoders.capacity import bits_of

FAMILIES = ["AutoEncoder", "VAE", "VQ"]
pytestmark = pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")  # of models that train for a moment


def pictures(n=12, side=8):
    return np.random.default_rng(0).integers(0, 255, (n, side, side)).astype(np.uint8)


def fitted(family, data, steps=2, **more):
    return getattr(pf, family)(width=8, **more).fit(data, steps=steps, seed=0, device="cpu")


@pytest.fixture(scope="module", params=FAMILIES)
def model(request):
    return fitted(request.param, {"image": pictures()})


# Pictures


@pytest.mark.parametrize("shape", [(3, 8), (8, 2), (1, 1), (3, 3, 3)])
@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_smaller_than_the_strides_are_refused_by_name(family, shape):
    with pytest.raises(pf.DataError, match=rf"'image' are {shape[0]}×{shape[1]}.* at least 4"):
        fitted(family, {"image": np.zeros((5, *shape), np.uint8)})


@pytest.mark.parametrize("shape", [(4, 4), (4, 64), (64, 4)])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_smallest_pictures_and_strips_are_learned(family, shape):
    image = np.random.default_rng(0).integers(0, 255, (6, *shape)).astype(np.uint8)
    more = {"stages": 6} if family == "VQ" else {}
    model = fitted(family, {"image": image}, adversarial=0.5, patience=0, **more)
    assert model.reconstruct({"image": image}).to_numpy()["image"].shape == image.shape


@pytest.mark.parametrize("more", [{}, {"body": "dense"}, {"adversarial": 0.5, "patience": 0}])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_picture_is_learned(family, more):
    image = pictures(1)
    model = fitted(family, {"image": image}, steps=4, **more)
    assert model.sample(3, seed=0).to_numpy()["image"].shape == (3, 8, 8)
    assert model.encode({"image": image}).shape[0] == 1
    if hasattr(model, "log_prob"):
        assert np.isfinite(model.log_prob({"image": image})).all()
    if hasattr(model, "interpolate"):
        assert len(model.interpolate({"image": image}, {"image": image}, n=3)) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_one_picture_holds_nothing_out(family):
    with pytest.raises(pf.ArgumentError, match=r"1 records .* nothing is held out .* say steps= or minutes="):
        getattr(pf, family)(width=8).fit({"image": pictures(1)}, device="cpu")


def holed():
    """Pictures with a NaN in them, or in place of one."""
    floats = pictures(3) / 255
    floats[0, 0, 0] = np.nan
    return {"a pixel": {"image": floats}, "a cell": pd.DataFrame({"image": [png(), np.nan, png()]})}


def png():
    file = io.BytesIO()
    Image.fromarray(pictures(1)[0]).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "where, words", [("a pixel", "'image' .* float64; .* uint8"), ("a cell", "'image' lacks 1 pic")]
)
def test_nan_in_a_picture_column_is_refused_when_learning(where, words):
    for family in FAMILIES:
        with pytest.raises(pf.DataError, match=words):
            fitted(family, holed()[where])


@pytest.mark.parametrize("where, words", [("a pixel", "'image' .* float64; .* uint8"), ("a cell", "row 1 of 'image'")])
def test_nan_in_a_picture_column_is_refused_by_every_verb(model, where, words):
    for verb in ("log_prob", "encode", "reconstruct", "complete"):
        if hasattr(model, verb):
            with pytest.raises(pf.DataError, match=words):
                getattr(model, verb)(holed()[where])


# Codes that hold more than a record


def few(n=60):
    """A record of 8 numbers: two floats, one of them with holes, two levels and three."""
    rng = np.random.default_rng(0)
    holed = np.where(rng.random(n) < 0.2, np.nan, rng.standard_normal(n))
    levels = {"c": np.tile(["x", "y"], n // 2), "d": np.tile(["u", "v", "w"], n // 3)}
    return {"a": rng.standard_normal(n), "b": holed, **levels}


def said(family, data, **more):
    """What is warned of the size of a code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted(family, data, **more)
    return [str(w.message) for w in caught if "holds more than a record" in str(w.message)]


@pytest.mark.parametrize("coder", ["AutoEncoder", "VAE"])
def test_a_latent_larger_than_the_data_is_allowed_and_said_once(coder):
    assert not said(coder, few(), latent=8)
    [words] = said(coder, few(), latent=9)
    assert "latent=9 is more than the 8 numbers" in words and "take latent=8 or less" in words
    assert not said(coder, {"image": pictures(side=4)}, latent=16)
    [words] = said(coder, {"image": pictures(side=4)}, latent=17)
    assert "latent=17 is more than the 16 numbers" in words
    with pytest.warns(pf.CollapsedWarning, match="latent=9 is more than the 8"):
        fitted(coder, few(), latent=9)


def test_conditions_are_not_in_the_code_and_do_not_count():
    with pytest.warns(pf.CollapsedWarning, match="latent=9 is more than the 5 numbers"):
        pf.AutoEncoder(latent=9, width=8).fit(few(), given="d", steps=2, device="cpu")


def test_a_sparse_code_is_as_large_as_what_it_keeps():
    assert not said("AutoEncoder", few(), latent=64, sparse=8)
    [words] = said("AutoEncoder", few(), latent=64, sparse=9)
    assert "sparse=9 is more than the 8 numbers" in words


def test_codes_of_a_codebook_are_counted_in_bits():
    levels = {"c": np.tile(["x", "y"], 30), "d": np.tile(["u", "v", "w"], 20), "count": np.tile([0, 1, 2, 3], 15)}
    assert bits_of(pf.read(levels).schema) == pytest.approx(np.log2(2 * 3 * 4))
    assert not said("VQ", levels, positions=1, codes=16)
    [words] = said("VQ", levels, positions=2, codes=16)
    assert "2 codes of 16 are 8 bits, more than the 4.585 that" in words
    assert not said("VQ", few(), positions=64)  # floats have no end of values
    assert not said("VQ", {"image": pictures(side=4)}, stages=1, codes=256)
    assert said("VQ", {"image": pictures(side=4)}, stages=1, codes=1024)


def test_a_latent_says_it_of_its_auto_encoder():
    with pytest.warns(pf.CollapsedWarning, match="latent=9 is more than the 8"):
        pf.Latent("autoencoder:latent=9,width=8", prior="gaussian-mixture:components=1").fit(few(), steps=2)


# Priors over codes


@pytest.mark.parametrize(
    "model, prior, words",
    [
        ("vae", "ngram", "prior=ngram cannot model the codes of model=vae .*'z0' is number.* take another prior"),
        ("autoencoder", "ngram", "prior=ngram cannot model the codes of model=autoencoder"),
        (
            "vq",
            "ngram:unit=word",
            "prior=ngram cannot model the codes of model=vq .*; take another prior, such as tree-",
        ),
    ],
)
def test_a_prior_that_cannot_model_codes_is_refused_before_training(monkeypatch, model, prior, words):
    for family in FAMILIES:
        monkeypatch.setattr(getattr(pf, family), "_fit", lambda *args: pytest.fail("it was trained"))
    with pytest.raises(pf.DataError, match=words):
        pf.Latent(model, prior=prior).fit({"image": pictures()}, steps=1)


# Codes


def wrong():
    k = 3
    return {
        "none": (np.zeros((0, k)), r"\(0, 3\).* no record; give at least one"),
        "nothing": ([], r"\(0,\).* no record"),
        "too long": (np.zeros((1, k + 1)), r"\(1, 4\).*\(n, 3\)"),
        "flat": (np.zeros(k), r"\(3,\).*\(n, 3\)"),
        "single": (1.0, r"\(\).*\(n, 3\)"),
        "words": ([["a"] * k], "must be numbers"),
        "None": (None, "must be numbers"),
        "ragged": ([[1.0, 2.0, 3.0], [4.0]], "must be numbers"),
        "complex": (np.zeros((1, k), complex), "complex128.* real"),
        "nan": ([[np.nan] * k], "nan|not finite"),
        "beyond": (np.full((1, k), 1e300), r"1e\+300|not finite"),
    }


@pytest.mark.parametrize("name", wrong())
@pytest.mark.parametrize("more", [("AutoEncoder", {"latent": 3}), ("VAE", {"latent": 3}), ("VQ", {"positions": 3})])
def test_codes_that_there_are_not_are_refused(more, name):
    family, options = more
    model = fitted(family, {"image": pictures()}, body="dense", **options)
    codes, words = wrong()[name]
    with pytest.raises(pf.ArgumentError, match=words):
        model.decode(codes)


@pytest.mark.parametrize("value", [-1, 240, 0.5])
def test_codes_outside_the_codebook_are_refused(value):
    model = fitted("VQ", {"image": pictures()})
    with pytest.raises(pf.ArgumentError, match=rf"codes hold {value}, .* from 0 to 239"):
        model.decode(np.full((1, 16), value))


def test_codes_may_be_tensors_of_any_kind(model):
    codes = torch.as_tensor(model.encode({"image": pictures()}))
    wanted = model.decode(codes.numpy())
    assert model.decode(codes).table.equals(wanted.table)
    assert model.decode(codes.double().requires_grad_()).table.equals(wanted.table)  # as a device's, no array by itself


# Records


def test_no_records_are_refused(model):
    nothing = pf.read({"image": pictures()})[:0]
    for verb in ("log_prob", "encode", "reconstruct", "complete"):
        if hasattr(model, verb):
            with pytest.raises(pf.DataError, match=r"no r.* at least one"):
                getattr(model, verb)(nothing)


def test_denoising_no_records_is_refused():
    model = fitted("AutoEncoder", {"image": pictures()}, noise=0.5)
    with pytest.raises(pf.DataError, match=r"no r.* at least one"):
        model.denoise(pf.read({"image": pictures()})[:0], 0.1)


@pytest.mark.parametrize("family", ["VAE", "AutoEncoder"])
def test_a_walk_from_the_centre_of_all_codes_goes_nowhere(family):
    """Of one record all codes are the centre, from which there is no direction to anywhere."""
    image = {"image": pictures(1)}
    model = fitted(family, image)
    way, end = (model.interpolate(image, image, n=3), model.reconstruct(image))
    assert (way.to_numpy()["image"] == end.to_numpy()["image"]).all()
