"""The parser of shapes, held to the captions that the pictures were drawn by."""

import numpy as np
import pytest
from scipy import ndimage

import pushforward as pf
from pushforward.data.builtin.shapes import COLOURS, KINDS, Thing, caption, draw
from pushforward.testing.shapes import attribute_f1, met, parse, told


@pytest.fixture(scope="module")
def pairs():
    columns = pf.read("shapes").to_numpy()
    return list(zip(columns["caption"], columns["image"], strict=True))[::5]


def blurred(picture, sigma, noise, rng):
    soft = ndimage.gaussian_filter(picture.astype(float), (sigma, sigma, 0))
    return np.clip(soft + noise * rng.standard_normal(soft.shape), 0, 255).astype(np.uint8)


def test_real_pictures_meet_their_captions(pairs):
    assert np.mean([met(said, picture) for said, picture in pairs]) >= 0.995


@pytest.mark.parametrize("sigma, noise", [(0.6, 0), (1.0, 0), (0, 12), (0.6, 8)])
def test_blur_and_noise_change_little(pairs, sigma, noise):
    rng = np.random.default_rng(0)
    assert np.mean([met(said, blurred(picture, sigma, noise, rng)) for said, picture in pairs]) >= 0.98


def test_pictures_do_not_meet_the_captions_of_others(pairs):
    captions = [said for said, _ in pairs]
    turned = captions[1:] + captions[:1]
    wrong = [
        other for (said, picture), other in zip(pairs, turned, strict=True) if met(other, picture) and other != said
    ]
    assert len(wrong) <= 2  # of 800: two orders of the same things may say the same


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_every_kind_is_known_alone(kind):
    thing = Thing(*kind, x=0.47, y=0.53)
    (found,) = parse(draw([thing]))
    assert found.kind == kind and abs(found.x - thing.x) < 0.02 and abs(found.y - thing.y) < 0.02


def test_one_attribute_changed_is_seen(pairs):
    swaps = {"small": "large", "red": "orange", "circle": "square", "left of": "above", "black": "purple"}
    for said, picture in pairs[:300]:
        for word, other in swaps.items():
            if word in said:
                assert not met(said.replace(word, other, 1), picture), said


def test_what_is_no_shape_meets_nothing():
    ring = draw([Thing("red", "circle", "large")]).copy()
    ring[12:20, 12:20] = 255
    half = draw([Thing("red", "square", "large")]).copy()
    half[:, 16:] = np.where(half[:, 16:] < 250, COLOURS["blue"], half[:, 16:])
    for picture in (ring, half):
        assert [thing.shape for thing in parse(picture)] == ["blob"]
    assert parse(np.full((32, 32, 3), 255, np.uint8)) == ()
    assert not met("a small red circle", np.full((32, 32, 3), 255, np.uint8))


def test_both_ways_of_saying_it_are_met():
    things = [Thing("red", "circle", "small", 0.2, 0.5), Thing("blue", "square", "large", 0.7, 0.4)]
    picture = draw(things)
    assert met(caption(things), picture) and met(caption(things[::-1]), picture)
    assert not met("a small red circle above a large blue square", picture)


def test_captions_are_read_by_their_grammar():
    assert told("a small red circle left of a large blue square")[1] == "left of"
    for odd in ("", "a red circle", "a small red circle left of", "a small mauve circle", "A small red circle"):
        assert told(odd) == ((), None)


def test_attributes_are_counted_whichever_thing_is_told_first():
    one, turned = (
        "a small red circle left of a large blue square",
        "a large blue square right of a small red circle",
    )
    assert attribute_f1([one, one], [turned, one]) == 1
    assert attribute_f1([one], [turned.replace("right of", "left of")]) == pytest.approx(6 / 7)
    assert attribute_f1(["gibberish"], [one]) == 0
    assert attribute_f1(["a small red circle"], [one]) == pytest.approx(2 * 3 / (3 + 7))
