"""Precision, recall, density and coverage, by their definitions in loops, and what they are worth where known."""

import numpy as np
import pytest

from pushforward.errors import UnmeasurableError
from pushforward.metrics import manifold
from pushforward.metrics.neighbours import BLOCK


def by_definition(drawn, real, k):
    apart = np.linalg.norm(drawn[:, None] - real[None], axis=2)
    radius = [np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), 1)[:, k] for x in (drawn, real)]
    inside = apart <= radius[1]
    return {
        "precision": inside.any(1).mean(), "recall": (apart <= radius[0][:, None]).any(0).mean(),
        "density": inside.sum(1).mean() / k, "coverage": (apart.min(0) <= radius[1]).mean(),
    }  # fmt: skip


@pytest.mark.parametrize("k", [1, 3, 5])
def test_they_are_their_definitions(k):
    rng = np.random.default_rng(k)
    drawn, real = rng.normal(size=(BLOCK + 40, 3)) + 0.5, rng.normal(size=(200, 3))
    found = manifold(drawn, real, k=k)
    for name, value in by_definition(drawn, real, k).items():
        assert found[name].value == pytest.approx(value, abs=1e-9), name


def test_records_that_are_alike_have_the_ideal():
    found = manifold(*np.random.default_rng(0).normal(size=(2, 3000, 4)))
    assert found["coverage"].low < found["coverage"].ideal < found["coverage"].high
    assert found["coverage"].ideal == pytest.approx(1 - 2**-5, abs=0.002)
    assert found["density"].value == pytest.approx(1, abs=0.1)


def test_the_ideal_holds_for_other_numbers_of_draws():
    rng = np.random.default_rng(0)
    found = [manifold(rng.normal(size=(100, 2)), rng.normal(size=(400, 2))) for _ in range(20)]
    assert np.mean([f["coverage"].value for f in found]) == pytest.approx(found[0]["coverage"].ideal, abs=0.03)


def test_one_of_two_modes_is_precise_and_recalls_half():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(1000, 2)) + 50 * rng.integers(0, 2, (1000, 1))
    found = manifold(rng.normal(size=(1000, 2)), real)
    assert found["precision"].value > 0.95
    assert found["recall"].value == pytest.approx(0.5, abs=0.06)
    assert found["coverage"].value == pytest.approx(0.5, abs=0.06)


def test_records_that_are_equal_are_near():
    """Categories alone: many distances are 0, which rounding must not move."""
    x = np.eye(3)[np.random.default_rng(0).integers(0, 3, 600)] * 0.7071
    assert all(found.value == 1 for name, found in manifold(x[:300], x[300:]).items() if name != "density")


def test_what_has_no_neighbours():
    with pytest.raises(UnmeasurableError, match="more than k=5"):
        manifold(np.zeros((4, 2)), np.zeros((9, 2)))
    with pytest.raises(UnmeasurableError, match="alike"):
        manifold(np.zeros((9, 2)), np.zeros((9, 2)))
