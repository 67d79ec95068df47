"""Little data, odd data, and what is refused: each by name, with its value and a cure."""

import warnings

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.adversarial import gan
from pushforward.adversarial.unlikeness import coverage
from pushforward.errors import CollapsedWarning, CopiedWarning
from pushforward.metrics.copying import OFTEN

RNG = np.random.default_rng(0)
SMALL = {"width": 8, "latent": 3, "gamma": 1.0}


def image(n, *shape):
    return RNG.integers(0, 255, (n, *(shape or (8, 8)))).astype(np.uint8)


def fitted(data, steps=3, given=(), run=None, **options):
    return pf.GAN(**(SMALL | options)).fit(data, given=given, steps=steps, seed=0, device="cpu", **(run or {}))


# Options


@pytest.mark.parametrize("options, words", [
    ({"gamma": -1}, r"gamma=-1.0 is out of range.*≥ 0"),
    ({"gamma": "auto"}, r"gamma='auto' .*number"),
    ({"gamma": float("nan")}, r"gamma=nan"),
    ({"gamma": float("inf")}, r"gamma=inf"),
    ({"loss": "hinges"}, r"loss='hinges' .*did you mean 'hinge'.*wasserstein"),
    ({"penalty": "r3"}, r"penalty='r3' is unknown.*r1, r2"),
    ({"augment": 2.0}, r"augment=2.0"),
    ({"augment": "always"}, r"augment='always'"),
    ({"pack": 0}, r"pack=0 is out of range.*≥ 1"),
    ({"mismatched": 1.5}, r"mismatched=1.5"),
    ({"latent": 0}, r"latent=0"),
    ({"width": 2}, r"width=2"),
    ({"lr": 0.0}, r"lr=0.0"),
])  # fmt: skip
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(pf.ArgumentError, match=words):
        pf.GAN(**options)


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (1, 1)])
def test_pictures_that_are_too_small_are_refused(shape):
    with pytest.raises(pf.DataError, match=r"image.*sides must be at least 4"):
        fitted({"image": image(10, *shape)})


def test_texts_alone_are_not_drawn():
    with pytest.raises(pf.DataError, match=r"\['note'\] are texts alone.*ngram writes new ones"):
        fitted(pf.read({"note": ["a fine day", "a wet day"] * 20}, text=["note"]))


def test_two_pictures_cannot_be_drawn():
    data = {"a": image(10), "b": image(10)}
    with pytest.raises(pf.DataError, match=r"\['a', 'b'\] are pictures; name all but one in given="):
        fitted(data)
    assert len(fitted(data, given="b").sample(2, seed=0)) == 2


def test_codes_of_another_length_are_refused():
    model = fitted({"x": RNG.standard_normal(30), "y": RNG.standard_normal(30)}, inference=True)
    with pytest.raises(pf.ArgumentError, match=r"\(2, 5\).*\(n, 3\)"):
        model.decode(np.zeros((2, 5)))


def test_pictures_alone_cannot_be_filled():
    model = fitted({"image": image(10)})
    with pytest.raises(AttributeError, match="no missing cells"):
        model.complete({"image": image(2)})


# Little data, and data that hold little


def test_a_category_with_one_picture():
    labels = ["a"] * 19 + ["b"]
    model = fitted({"image": image(20), "label": labels}, given="label")
    drawn = model.sample(3, given={"label": "b"}, seed=0)
    assert drawn.column("label").to_pylist() == ["b"] * 3


def test_conditions_that_were_never_seen_together():
    data = {"x": RNG.standard_normal(40), "a": ["p", "q"] * 20, "b": ["r", "s"] * 20}
    model = fitted(data, given=["a", "b"])
    drawn = model.sample(4, given={"a": "p", "b": "s"}, seed=0)
    assert np.isfinite(np.array(drawn.column("x"))).all()


@pytest.mark.parametrize("options", [{}, {"pack": 1}, {"pack": 4, "inference": True}])
def test_steps_of_one_record(options):
    model = fitted(RNG.standard_normal((10, 2)), run={"batch": 1}, **options)
    assert len(model.sample(5, seed=0)) == 5


@pytest.mark.parametrize("n", [1, 2, 3])
def test_packs_that_are_larger_than_the_data(n):
    model = fitted(RNG.standard_normal((n, 2)), pack=64)
    assert len(model.sample(5, seed=0)) == 5


@pytest.mark.parametrize("n", [1, 2, 10])
def test_few_pictures(n):
    model = fitted({"image": image(n)}, gamma=None)
    assert len(model.sample(3, seed=0)) == 3


def test_pictures_that_are_all_alike():
    model = fitted({"image": np.full((20, 8, 8), 7, np.uint8)})
    assert len(model.sample(2, seed=0)) == 2


def test_columns_that_never_change():
    model = fitted({"x": np.ones(30), "y": RNG.standard_normal(30), "c": ["a"] * 30})
    drawn = model.sample(20, seed=0)
    assert drawn.column("c").to_pylist() == ["a"] * 20
    np.testing.assert_allclose(np.array(drawn.column("x")), 1.0, atol=1e-2)


def test_a_column_of_holes_but_for_one():
    x = [None] * 29 + [3.0]
    model = fitted(pf.read({"x": x, "y": RNG.standard_normal(30)}, number=["x"]))
    assert len(model.sample(20, seed=0)) == 20


def test_huge_and_tiny_numbers():
    data = {"x": 1e12 + 1e3 * RNG.standard_normal(50), "y": 1e-12 * RNG.standard_normal(50)}
    drawn = fitted(data).sample(50, seed=0)
    for name, values in data.items():
        column = np.array(drawn.column(name))
        assert np.isfinite(column).all() and abs(column.mean() - values.mean()) < 5 * values.std()


# What a person is told in the end


class Played:
    """What `_warn` looks at: a game after so many steps."""

    def __init__(self, steps):
        self.model = pf.GAN(**SMALL)
        network = torch.nn.Module()
        network.discriminator = torch.nn.Module()
        network.discriminator.seen = torch.tensor(float(steps))
        network.discriminator.gamma = torch.tensor(1.0)
        self.model.__dict__["network"] = network

    def said(self, share, near=0.9, records=1000):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            self.model._warn(share, near, records)
        return {each.category: str(each.message) for each in found}


def test_copies_are_told_with_their_share():
    said = Played(gan.YOUNG + 1).said(0.8)
    assert set(said) == {CopiedWarning} and "80% of draws" in said[CopiedWarning] and "gamma=" in said[CopiedWarning]


def test_a_collapse_is_told_with_its_share():
    said = Played(gan.YOUNG + 1).said(0.05, near=0.2)
    assert set(said) == {CollapsedWarning} and "20% of the data" in said[CollapsedWarning]


@pytest.mark.parametrize("steps, near, share", [
    (gan.YOUNG - 1, 0.1, 1.0),  # too young to tell
    (gan.YOUNG + 1, 0.9, 0.05),
    (gan.YOUNG + 1, 0.7, OFTEN - 0.01),
])  # fmt: skip
def test_a_good_game_is_told_nothing(steps, near, share):
    assert not Played(steps).said(share, near)


def test_what_is_told_is_of_the_weights_that_stay(monkeypatch):
    """Of their draws, not of the last step's: a game may have flared up since."""
    told = {}
    monkeypatch.setattr(pf.GAN, "_warn", lambda self, share, near, records: told.update(near=near))
    pf.GAN(**SMALL).fit(pf.read("moons").select(["x", "y"])[:500], steps=20, seed=0, device="cpu")
    assert 0 <= told["near"] < 1
    real = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    assert coverage(real, real) == 1 and coverage(real, torch.zeros(100, 2)) < 0.3


def test_of_ten_records_copies_are_likely_and_that_is_told():
    with pytest.warns(CopiedWarning, match=r"copies of 10 records are likely: \d+% of draws"):
        fitted(np.random.default_rng(3).standard_normal((10, 8)), steps=gan.YOUNG + 20, width=32, latent=8, pack=1,
               gamma=0.00125, lr=3e-3, run={"batch": 32})  # fmt: skip


def test_ten_pictures_are_drawn_after_a_short_game():
    model = fitted({"image": image(10), "label": ["a", "b"] * 5}, steps=5, given="label", run={"batch": 4})
    assert len(model.sample(3, given={"label": "a"}, seed=0)) == 3
