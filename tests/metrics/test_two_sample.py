"""Judges: chance for real records, the best accuracy where it is known, and the fields that give draws away."""

import numpy as np
import pytest
from scipy.stats import norm

import pushforward as pf
from pushforward.errors import UnmeasurableError
from pushforward.metrics import told_by_network, told_by_trees, told_rows, worst
from pushforward.metrics.controls import independent
from pushforward.metrics.two_sample import FEWEST


def normal(n, shift, seed):
    return pf.read({"x": np.random.default_rng(seed).normal(size=n) + shift})


def test_real_rows_are_told_by_chance():
    train, held = pf.read("adult:train").split(0.5, seed=1)
    found = told_rows(train[:3000], held[:3000])
    assert abs(found.value - 0.5) < 0.02 and abs(found.detail["auc"].value - 0.5) < 0.02
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_two_normals_are_told_as_well_as_they_can_be(shift):
    """The best accuracy is Φ(δ/2), the best area Φ(δ/√2)."""
    found = told_rows(normal(3000, 0, 0), normal(3000, shift, 1))
    assert found.value == pytest.approx(norm.cdf(shift / 2), abs=0.025)
    assert found.detail["auc"].value == pytest.approx(norm.cdf(shift / 2**0.5), abs=0.025)


def test_the_field_that_is_wrong_is_named(adult):
    train, held = adult
    other = pf.read({"age": [17 + i % 5 for i in range(len(train))]}).column("age")
    table = train.table.set_column(train.names.index("age"), "age", other)
    found = told_rows(pf.Records(train.schema, table), held)
    assert found.value > 0.8 and worst(found, 1)[0][0] == "age"


@pytest.mark.parametrize("seed", range(3))
def test_independent_columns_of_adult_are_caught(adult, seed):
    train, held = adult
    assert told_rows(independent(train, held, len(held), seed), held, seed=seed).low > 0.7


def test_holes_are_seen():
    """Half of the drawn cells are holes, so that at best a quarter of all rows is told for sure and the rest by 2:1."""
    x, y = np.random.default_rng(0).normal(size=(2, 1500))
    drawn = pf.read({"x": np.where(np.arange(1500) % 2, np.nan, x)})
    assert told_rows(drawn, pf.read({"x": y})).value == pytest.approx(0.75, abs=0.04)


def test_texts_are_seen():
    words = [f"a {colour} circle" for colour in ("red", "blue") * 60]
    one, other = (pf.read({"t": [shape.replace("circle", w) for shape in words]}, text=["t"]) for w in ("dog", "cat"))
    assert told_rows(one, other).value > 0.95
    half = pf.read({"t": words}, text=["t"])
    assert told_rows(half, half).value < 0.6


def test_pictures_are_told_as_they_should_be(digits):
    train, held = digits
    for judge in (told_by_trees, lambda a, b: told_by_network(a, b, steps=60)):
        real, fake = judge(train[:200], held[:200]), judge(independent(train, held, 200, 0), held[:200])
        assert real.low < 0.5 < real.high and fake.low > 0.6


def test_few_are_refused():
    with pytest.raises(UnmeasurableError, match=f"40 drawn and real.*{FEWEST}"):
        told_rows(normal(40, 0, 0), normal(400, 0, 0))
    with pytest.raises(UnmeasurableError, match="no pictures"):
        told_by_trees(normal(400, 0, 0), normal(400, 0, 0))
