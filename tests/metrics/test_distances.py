"""Fréchet and kernel distances against closed forms and loops; ratios that are about 1 for real records."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.errors import UnmeasurableError
from pushforward.metrics import frechet_ratio, judges, kernel_ratio, picture_features, row_features
from pushforward.metrics.controls import independent, noisy, one_level
from pushforward.metrics.distances import _expected, frechet, kernel


def test_frechet_is_that_of_the_moments():
    """Of diagonal Gaussians, |μ - ν|² + Σ (σ - τ)²; of samples that have these moments exactly."""
    x = np.random.default_rng(0).normal(size=(500, 4))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    s, t, m = np.array([1.0, 2, 3, 0]), np.array([2.0, 2, 1, 0]), np.array([1.0, 0, -1, 2])
    assert frechet(x * s, x[::-1] * t + m) == pytest.approx((m**2).sum() + ((s - t) ** 2).sum(), rel=1e-9)


def test_frechet_of_gaussians_that_are_turned():
    rng = np.random.default_rng(1)
    x, turn = rng.normal(size=(2000, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    y = x * [1.0, 2.0, 3.0] + 1
    assert frechet(x @ turn, y @ turn) == pytest.approx(frechet(x, y), rel=1e-9)


def test_the_kernel_is_its_definition_and_has_no_units():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)), rng.normal(size=(60, 5)) + 0.3
    scale = (y**2).sum(1).mean()
    k = lambda a, b: ((a @ b.T / scale + 1) ** 3).mean()  # noqa: E731
    assert kernel(x, y) == pytest.approx(k(x, x) + k(y, y) - 2 * k(x, y), rel=1e-3)
    assert kernel(1000 * x, 1000 * y) == pytest.approx(kernel(x, y), rel=1e-3)


def test_the_floor_is_what_two_real_samples_are_apart():
    rng = np.random.default_rng(0)
    apart = [kernel(rng.normal(size=(200, 3)), rng.normal(size=(200, 3))) for _ in range(60)]
    floors = [_expected(rng.normal(size=(200, 3))) for _ in range(60)]
    assert np.mean(floors) == pytest.approx(np.mean(apart), rel=0.35)  # the deviation of one is about half of it
    assert np.std(floors) < np.std(apart) / 2


def test_rows_are_as_far_as_they_should_be(moons):
    train, held = moons
    spaces = [row_features(train)]
    real, noise, wrong, one = (
        kernel_ratio(drawn, held, spaces)
        for drawn in (train, *(c(train, held, 600, 0) for c in (noisy, independent, one_level)))
    )
    assert real.low < 1 < real.high and real.value < min(noise.value, wrong.value) < one.value
    assert all(found.clear_of(real) for found in (noise, wrong, one))


def test_features_of_rows_are_fixed_by_training_rows(adult):
    train, held = adult
    encode = row_features(train)
    x = encode(held)
    np.testing.assert_array_equal(encode(held[5:9]), x[5:9])  # whatever else is encoded beside
    unseen = pf.read({"town": ["Ulm", "Kiel"]}, category=["town"])
    known = row_features(pf.read({"town": ["Ulm", "Bonn", None] * 3}, category=["town"]))
    ulm, kiel = known(unseen)
    assert ((ulm - kiel) ** 2).sum() == pytest.approx(1.0)  # a level that training rows lack has a place of its own


def test_pictures_are_as_far_as_they_should_be(digits):
    train, held = digits
    spaces = [picture_features(judge) for judge in judges(train, steps=40)]
    assert len(spaces) == 3 and not np.allclose(spaces[0](held), spaces[1](held))
    wrong = independent(train, held, 600, 0)
    found = [[frechet_ratio(drawn, held, train, spaces) for drawn in (train, wrong)]]
    found += [[kernel_ratio(drawn, held, spaces) for drawn in (train, wrong)]]
    for real, fake in found:
        assert 0.3 < real.value < 3 and fake.value > 4 * real.value and fake.clear_of(real)


def test_pictures_without_classes_are_told_by_clusters(digits):
    plain = digits[0].select(["image"])
    (judge,) = judges(plain, seeds=(0,), steps=20)
    assert judge.head.out_features == 10


def test_what_cannot_be_compared(moons):
    train, held = moons
    with pytest.raises(UnmeasurableError, match="it takes 50"):
        kernel_ratio(train[:40], held, [row_features(train)])
    flat = pf.read({"x": np.ones(100)})
    with pytest.raises(UnmeasurableError, match="no floor"):
        kernel_ratio(flat, flat, [row_features(flat)])
