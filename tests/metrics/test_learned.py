"""Use and obedience: what a judge that learned from draws, or from real records, can tell."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.errors import ArgumentError, UnmeasurableError
from pushforward.metrics import obeyed, utility
from pushforward.metrics.controls import independent, one_level
from pushforward.metrics.learned import learned


def line(n, seed, noise=0.5):
    """y = x + noise, of which R² is 1 / (1 + noise²), and the level of its sign."""
    x, e = np.random.default_rng(seed).normal(size=(2, n))
    y = x + noise * e
    return pf.read({"x": x, "y": y, "k": np.where(y > 0, "up", "down")})


def test_real_rows_are_as_useful_as_real_rows_and_shuffled_ones_are_not():
    train, held = line(2000, 0), line(2000, 1)
    for field, measure in (("y", "R²"), ("k", "AUC")):
        parts = [part.select(["x", field]) for part in (line(2000, 2), train, held)]
        fine = utility(*parts, field)
        spoilt = utility(independent(parts[1], parts[2], 2000, 0), parts[1], parts[2], field)
        assert fine.detail["measure"] == measure
        assert fine.value == pytest.approx(1, abs=0.05) and spoilt.value < 0.2 and spoilt.clear_of(fine)


def test_what_is_told_of_a_number_is_what_can_be_told():
    parts = [line(4000, seed).select(["x", "y"]) for seed in range(3)]
    assert utility(*parts, "y").detail["real"] == pytest.approx(1 / 1.25, abs=0.05)


def test_classes_of_pictures_are_told(digits):
    train, held = digits
    found = utility(train, train, held, "label", steps=80)
    assert found.detail["measure"] == "accuracy" and found.detail["real"] > 0.6 and found.value > 0.7
    assert utility(independent(train, held, 600, 0), train, held, "label", steps=80).value < 0.3


def test_a_condition_is_seen_or_not(penguins):
    train, held = penguins
    told = obeyed(held, train, train, "species")
    assert told.value > 0.9 and told.gap < 0.1 and set(told.detail["levels"]) == {"Adelie", "Chinstrap", "Gentoo"}
    deaf = obeyed(independent(train, held, 300, 0), train, held, "species")
    assert deaf.value < 0.6 and deaf.clear_of(deaf.detail["held"])


def test_the_error_of_a_number_is_in_deviations():
    parts = [line(3000, seed).select(["x", "y"]) for seed in range(3)]
    found = obeyed(*parts, "y")
    assert found.value == pytest.approx(0.5 / 1.25**0.5, abs=0.04) and found.gap < 0.03
    deaf = obeyed(independent(parts[1], parts[2], 3000, 0), *parts[1:], "y")
    assert deaf.value > 1.1 and deaf.clear_of(found)


def test_holes_in_what_is_asked_do_not_take_part():
    x = np.random.default_rng(0).normal(size=300)
    y = np.where(np.arange(300) % 3 == 0, np.nan, x)
    records = pf.read({"x": x, "y": y})
    assert len(learned(records, [records], "y")[0].truth) == 200


def test_dates_are_numbers():
    days = np.datetime64("2020-01-01") + np.arange(300)
    records = pf.read({"day": days, "x": np.arange(300.0)})
    assert obeyed(records, records, records, "day").value < 0.2


def test_what_cannot_be_learned_is_said(penguins, digits):
    train, held = penguins
    with pytest.raises(UnmeasurableError, match="of draws: 'sex' has 1 levels"):
        utility(one_level(train, held, 100, 0), train, held, "sex")
    with pytest.raises(UnmeasurableError, match="no field is left beside 'sex'"):
        utility(*(part.select(["sex"]) for part in (held, train, held)), "sex")
    with pytest.raises(UnmeasurableError, match="do not tell"):
        noise = [pf.read(dict(zip("ab", x, strict=True))) for x in np.random.default_rng(0).normal(size=(3, 2, 300))]
        utility(*noise, "a")
    with pytest.raises(UnmeasurableError, match="to learn 'sex' from; it takes 20"):
        utility(held, train[:9], held, "sex")
    with pytest.raises(ArgumentError, match="must be a category or a number"):
        utility(digits[0], digits[0], digits[1], "image")
