"""Who is called the winner, and when nobody is."""

from dataclasses import replace

import numpy as np
import pytest

from pushforward.compare import Cell, Comparison
from pushforward.compare.ranking import deciding, over_seeds
from pushforward.metrics import Measured


def test_the_least_told_is_ahead_and_clear_of_the_next(made):
    found = made(good=[0.51, 0.52, 0.515], bad=[0.8, 0.81, 0.79], worse=[0.95, 0.96, 0.97])
    assert found.models == ("good", "bad", "worse")
    name, why = found.winner()
    assert name == "good" and "bad with 0.800" in why


@pytest.mark.parametrize(
    "models, why",
    [
        ({"one": [0.6, 0.7, 0.8], "other": [0.65, 0.75, 0.85]}, "its interval meets that of other"),
        ({"one": [0.5, 0.51, 0.5], "other": [0.45, 0.46, 0.44]}, "its interval meets that of"),  # both are ideal
        ({"one": [0.6], "other": [0.9]}, "one seed does not tell"),
        ({"one": [0.6, 0.6, None], "other": [0.9, 0.9, 0.9]}, "one failed with seed 2 (it crashed)"),
        ({"one": [0.6, 0.6, 0.6], "next": [0.7, 0.7, 0.7], "wild": [0.55, 0.95, 0.75]}, "meets that of wild"),
        ({"one": [0.6]}, "no other model could be measured; one seed does not tell"),
        ({"one": [0.6], "other": [None]}, "no other model could be measured; one seed does not tell"),
        ({"one": [0.6, 0.6, None]}, "no other model could be measured, but one failed with seed 2 (it crashed)"),
        ({"one": [None], "other": [None]}, "every model failed; one: it crashed"),
        ({}, "no family can model these fields"),
    ],
)
def test_no_winner_is_called_in_doubt(made, models, why):
    name, sentence = made(**models).winner()
    assert name is None and sentence.startswith("no clear winner: ") and why in sentence


def test_who_is_alone_with_several_seeds_is_ahead(made):
    name, why = made(one=[0.6, 0.61, 0.6], other=[None]).winner()
    assert name == "one" and why.endswith("; no other model could be measured")


def test_who_copies_wins_nothing(made):
    found = made(good=[0.51, 0.52, 0.515], bad=[0.8, 0.81, 0.79])
    copied = Measured(0.98, 0.97, 0.99, "lower", 0.01, flag=True)
    cells = [replace(c, found={**c.found, "copies": copied}) if c.model == "good" else c for c in found.cells]
    name, why = replace(found, cells=tuple(cells)).winner()
    assert name is None and "training records (copies 98%)" in why


def test_a_metric_that_tells_nothing_decides_nothing(made):
    found = made(greyed={"two-sample": "it tells nothing"}, one=[0.6, 0.6, 0.6], other=[0.9, 0.9, 0.9])
    assert deciding(found) == () and found.winner()[0] is None
    coverage = [replace(c, found={**c.found, "coverage": Measured(0.9, 0.8, 1, "higher", 0.97)}) for c in found.cells]
    assert deciding(replace(found, cells=tuple(coverage))) == ("coverage",)


def test_pictures_are_ranked_by_three_judges_and_one_alone_decides_nothing():
    def cell(model, seed, network, trees, ratio):
        near = [Measured(v, v - 0.01, v + 0.01, "lower", 0.5) for v in (network, trees)]
        frechet = Measured(ratio, ratio * 0.9, ratio * 1.1, "lower", 1.0)
        names = ("two-sample, network", "two-sample", "Fréchet ratio")
        return Cell(model, seed, found=dict(zip(names, (*near, frechet), strict=True)))

    cells = [cell("sharp", s, 0.6, 0.7, 2.0) for s in range(3)] + [cell("blurred", s, 0.9, 0.8, 8.0) for s in range(3)]
    fooled = [cell("fooler", s, 0.99, 0.5, 90.0) for s in range(3)]  # first by one judge, last by two
    found = Comparison({}, {}, (*cells, *fooled))
    assert found.models == ("sharp", "blurred", "fooler")
    merits = {s.model: s.merit.value for s in found.ranked()}
    assert merits == pytest.approx({"sharp": 4 / 3, "blurred": 7 / 3, "fooler": 7 / 3})
    assert found.winner()[0] == "sharp"
    even = Comparison({}, {}, tuple(cell(m, s, 0.7, 0.7, 3.0) for m in ("a", "b") for s in range(3)))
    assert even.winner()[0] is None


def test_two_runs_agree_whenever_a_winner_is_called(made):
    """Models near to one another, 300 pairs of runs: none may call two winners, and clear ones are called often."""
    rng = np.random.default_rng(0)
    called = disagreed = 0
    for _ in range(300):
        truth = {f"m{i}": rng.uniform(0.52, 0.9) for i in range(5)}
        runs = [made(**{k: list(v + rng.normal(size=3) * 0.01) for k, v in truth.items()}).winner()[0] for _ in "ab"]
        called += all(runs)
        disagreed += all(runs) and runs[0] != runs[1]
    assert disagreed == 0 and called > 60


def test_the_interval_over_seeds_covers_what_it_should():
    """Half an interval of the metric itself is 1.96 deviations of noise that all seeds share: 95 %, at 5 sigma."""
    rng, hits, n = np.random.default_rng(1), 0, 2000
    for _ in range(n):
        shared = rng.normal() * 0.01
        values = 0.7 + shared + rng.normal(size=3) * 0.01
        mean = over_seeds([Measured(v, v - 0.0196, v + 0.0196, "lower", 0.5) for v in values])
        hits += mean.low <= 0.7 <= mean.high
    assert hits / n > 0.95 - 5 * (0.95 * 0.05 / n) ** 0.5


def test_an_interval_ends_where_nothing_can_be_measured():
    found = over_seeds([Measured(v, v - 0.02, v + 0.02, "higher", 1.0) for v in (0.97, 0.93)], 0.0, 1.0)
    assert found.low < 0.9 and found.high == 1.0


@pytest.mark.parametrize("better, most", [("higher", 1.0), ("lower", 1.2)])
def test_an_accuracy_of_a_condition_ends_at_one_and_an_error_does_not(made, better, most):
    found = made(good=[0.5, 0.5])
    values = dict(enumerate((0.99, 0.8)))
    cells = tuple(
        replace(cell, found={"condition label": Measured(v := values[cell.seed], v - 0.02, v + 0.02, better, 0.9)})
        for cell in found.cells
    )
    high = replace(found, cells=cells).ranked()[0].found["condition label"].high
    assert high == 1.0 if better == "higher" else high > most


def test_details_are_averaged_over_seeds():
    parts = [Measured(0.6, 0.5, 0.7, "higher", 1.0, detail={"columns": {"a": a, "b": 0.9}, "n": 5}) for a in (0.2, 0.4)]
    assert over_seeds(parts).detail["columns"] == pytest.approx({"a": 0.3, "b": 0.9})
