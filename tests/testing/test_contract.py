"""Every family, held to the contract; and the machinery that does so."""

import functools

import pytest

import pushforward as pf
from pushforward.families import FAMILIES, family
from pushforward.testing import Example, check_model, checks
from pushforward.testing.contract import cases_of, run_check

SMALL = {
    "dependency-tree": [{"bins": 8}],
    "naive-bayes": [{}, {"smoothing": 0.1, "floor": 0.01}],
    "ngram": [{"order": 3}, {"order": 2, "unit": "word", "smoothing": "add-k", "k": 0.1}],
    "gaussian-mixture": [
        {"components": 3},
        {"components": 2, "covariance": "diagonal"},
        {"components": 2, "covariance": "tied", "starts": 2},
        {"components": "auto", "covariance": "spherical", "shrinkage": "auto"},
        {"components": 2, "covariance": "factors", "factors": 2},
    ],
    "tree-mixture": [{"trees": 2, "states": 4, "bins": 8}],
    "autoencoder": [{"latent": 3, "width": 8}, {"latent": 3, "width": 8, "body": "dense", "noise": 1.0, "sparse": 2}],
    "vae": [
        {"latent": 3, "width": 8},
        {"latent": 3, "width": 8, "body": "dense", "prior": "mixture", "sigma": "shared", "scores": "plain"},
        {"latent": 3, "width": 8, "prior": "flow"},
    ],
    "vq": [{"width": 8}, {"width": 8, "codebook": "learned", "codes": 32}],
    "gan": [
        {"width": 8, "latent": 4},
        {"width": 8, "latent": 4, "gamma": 0.5, "inference": True, "pack": 1, "augment": 0.3, "loss": "hinge"},
    ],
    "flow": [
        {"width": 8, "transforms": 2},
        {"width": 8, "transforms": 2, "kernel": "affine"},
        {"width": 8, "transforms": 1, "kernel": "logistics"},
        {"width": 8, "layers": 1, "kind": "continuous"},
    ],
    "tree-chain": [{"fewest": 5}, {"order": "random"}],
    "blend": [{"of": "naive-bayes+dependency-tree:bins=8+gaussian-mixture:components=2"}],
    "autoregressive": [{"width": 16, "bins": 8}],
    "diffusion": [{"width": 8, "layers": 1}],
    "clip": [
        {"width": 8, "dim": 8, "text_width": 16},
        {"width": 8, "dim": 8, "text_width": 16, "loss": "sigmoid", "alike": 1},
    ],
    "joint": [
        {"pictures": "diffusion:width=8,layers=1", "coder": "vq:width=8,codes=8", "width": 16, "layers": 1},
    ],
    "bridge": [
        {"width": 8, "layers": 1, "refine": 2},
        {"width": 8, "layers": 1, "epsilon": 0.0},
        {"width": 8, "layers": 1, "coupling": "paired"},
        {"width": 8, "layers": 1, "coupling": "entropic", "scale": "each", "refine": None},
    ],
    "latent": [
        {"model": "autoencoder:latent=2,width=8", "prior": "gaussian-mixture:components=2"},
        {"model": "vae:latent=3,width=8", "prior": "gaussian-mixture:components=2"},
        {"model": "vae:latent=2,width=8", "prior": "diffusion:width=8,layers=1"},
        {"model": "vae:latent=2,width=8", "prior": "flow:width=8,transforms=2"},
        {"model": "vae:latent=2,width=8", "prior": "gaussian-mixture:components=2", "told": True},
        {"model": "vq:width=8,positions=2,codes=8,stages=3", "prior": "ngram"},
        {"model": "vq:width=8,positions=2,codes=8,stages=3,codebook=learned", "prior": "dependency-tree"},
    ],
}
MODELS = [(name, i) for name, kinds in SMALL.items() for i in range(len(kinds))]


@functools.cache
def cases(name, i):
    """The same fitted models for all checks of a family."""
    fit = {key: value for key, value in {"steps": 3, "device": "cpu"}.items() if key in family(name).budget()}
    return cases_of(lambda: family(name)(**SMALL[name][i]), fit=fit)


def test_every_family_is_here():
    assert set(SMALL) == set(FAMILIES)


@pytest.mark.parametrize("check", checks().values(), ids=checks())
@pytest.mark.parametrize("name, i", MODELS, ids=[f"{name}{i or ''}" for name, i in MODELS])
def test_family(name, i, check):
    for case in cases(name, i):
        run_check(check, case)


TEXTS = {"sentences", "sentences given label"}
TABLES = {"numbers", "table", "pictures given label"}


@pytest.mark.parametrize("name, i", MODELS)
def test_small_models_take_the_examples_that_their_family_is_for(name, i):
    taken = {case.example.name for case in cases(name, i)}
    own = {
        "ngram": TEXTS,
        "bridge": {"numbers", "table"},
        "clip": {"captions"},
        "joint": {"captions", "pictures given label"},
    }
    wanted = own.get(name, TABLES)
    assert taken >= wanted and (name not in own or taken == wanted)


def mixture():
    return pf.GaussianMixture(components=2)


def test_checks_that_ran_are_told():
    ran = check_model(mixture, fit={"steps": 2}, only=["check_units", "check_codes"])
    assert ran == [f"check_units: {name}" for name in ("numbers", "table", "table given group", "pictures given label")]


def test_data_of_ones_own_can_be_said():
    data = [Example("moons", "moons", ("moon",)), {"x": [1.0, 2.5, 3.1, 4.0, 7.0, 7.5]}]
    ran = check_model(mixture, data, fit={"steps": 2}, only="check_save_and_load")
    assert ran == ["check_save_and_load: moons", "check_save_and_load: data"]


def test_an_unknown_check_is_refused_with_the_nearest():
    with pytest.raises(pf.ArgumentError, match="did you mean 'check_units'"):
        check_model(mixture, only="check_unit")


def test_a_family_that_can_model_none_of_the_examples_is_told_so():
    class Nothing(pf.GaussianMixture):
        def _check(self, rest, given):
            raise pf.DataError("nothing suits")

    with pytest.raises(AssertionError, match=r"^check_model: .* say data="):
        check_model(Nothing, only="check_units")


def test_data_that_was_said_and_cannot_be_modelled_is_a_failure():
    data = pf.read({"note": ["a b c d", "e f g h"], "x": [1.0, 2.0]}, text=["note"])
    with pytest.raises(AssertionError, match=r"^check_units \(data\): DataError: field 'note' is text"):
        check_model(lambda: pf.GaussianMixture(components=1), data, only="check_units")
