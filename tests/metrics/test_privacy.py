"""Copies are caught, whatever the seed; real records are not accused; and nothing is promised."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.errors import UnmeasurableError
from pushforward.metrics import closeness, copies, near_copies, nearer_to_train
from pushforward.metrics.controls import copies as copied

SEEDS = range(20)


def parts(name, seed, request):
    train, held = request.getfixturevalue(name)
    whole = train.concat(held)
    order = np.random.default_rng(seed).permutation(len(whole))
    a, b, c = np.array_split(order, 3)
    return whole.take(a), whole.take(b), whole.take(c)  # learned from, held out, and as real as can be


@pytest.mark.parametrize("name", ["penguins", "moons"])
def test_copies_of_rows_are_caught_and_real_rows_are_not(name, request):
    accused = 0
    for seed in SEEDS:
        train, held, real = parts(name, seed, request)
        drawn = copied(train, held, len(held), seed)
        assert copies(drawn, train, held).flag and copies(drawn, train, held).value == 1.0
        caught, fine = closeness(drawn, train, held, seed=seed), closeness(real, train, held, seed=seed)
        assert caught["nearer to train"].flag and caught["membership"].flag
        assert not copies(real, train, held).flag
        accused += sum(measured.flag for measured in fine.values())
    assert accused <= 5  # of 40 one-sided questions at 2.5%: one is expected, and more than five have chance 1 in 2,000


def test_copies_of_pictures_are_caught_and_real_pictures_are_not(digits, request):
    accused = 0
    for seed in SEEDS:
        train, held, real = parts("digits", seed, request)
        found = near_copies(copied(train, held, len(held), seed), train, held)
        assert found.flag and found.value == 1.0
        accused += near_copies(real, train, held).flag
    assert accused <= 3


def test_half_copies_are_half_caught(moons):
    train, held = moons
    held, real = held.split(0.5, seed=0)
    mixed = train[: len(real)].concat(real)
    found = copies(mixed, train, held)
    assert found.flag and found.value == pytest.approx(0.5, abs=0.01)


def test_all_training_rows_take_part_where_few_are_held_out(moons):
    """Of four times as many training records, a copy is nearest in one turn out of four, and a coin in the others."""
    train, held = moons
    few = held[: len(train) // 4]
    found = nearer_to_train(copied(train, few, len(few), 0), train, few)
    assert found.value == pytest.approx(0.5 + 1 / 8, abs=0.06) and found.flag


def test_fields_may_be_ignored():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 100))
    train, held = (pf.read({"x": part, "id": part + 1}) for part in x[:2])
    drawn = pf.Records(train.schema, pf.read({"x": x[0], "id": x[2]}).table)
    assert copies(drawn, train, held).value == 0.0
    assert copies(drawn, train, held, ignore=["id"]).value == 1.0


def test_holes_and_texts_are_compared_as_they_are():
    cells = {"x": [1.0, None] * 40, "t": [f"word {i}" for i in range(80)], "k": ["a", None, "b", "b"] * 20}
    records = pf.read(cells, text=["t"], category=["k"])
    other = pf.read({**cells, "t": [f"other {i}" for i in range(80)]}, text=["t"], category=["k"])
    assert copies(records, records, other).value == 1.0
    assert copies(other, records, other).value == 0.0


def test_a_table_whose_rows_recur_accuses_nobody():
    rows = pf.read({"k": ["a", "b"] * 100, "l": ["c", "c", "d", "d"] * 50})
    found = copies(rows, rows, rows)
    assert found.value == 1.0 and not found.flag and found.gap == 0
    with pytest.raises(UnmeasurableError, match="equal a training record"):
        near_copies(rows, rows, rows)
    assert nearer_to_train(rows, rows, rows).value == 0.5


def test_words_are_evidence_and_no_promise(moons):
    train, held = moons
    found = [copies(held, train, held), *closeness(held, train, held).values()]
    assert all("no guarantee" in measured.words for measured in found)
    assert "evidence of copying" in copies(train, train, held).words


def test_few_are_refused(penguins):
    with pytest.raises(UnmeasurableError, match="it takes 50"):
        copies(penguins[0], penguins[0], penguins[1][:40])
