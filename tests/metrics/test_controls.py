"""Controls are what they say, and every metric puts them in the right order, or is said to be blind."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.data import as_records
from pushforward.errors import UnmeasurableError
from pushforward.metrics import CONTROLS, METRICS, Battery, Measured, about, blind, controlled, greyed
from pushforward.metrics.controls import copies, independent, noisy, one_level, reals
from pushforward.metrics.nearest import pixels

REALS, COPIES, NOISE, INDEPENDENT, ONE = CONTROLS


@pytest.mark.parametrize("name", ["penguins", "adult", "moons", "digits"])
def test_they_are_what_they_say(name, request):
    train, held = request.getfixturevalue(name)
    state = np.random.get_state()[1].copy()
    for control in CONTROLS.values():
        drawn = control(train, held, 90, 0)
        assert len(drawn) == 90 and drawn.schema.names == train.schema.names
        assert drawn.table.equals(control(train, held, 90, 0).table)
        assert not drawn.table.equals(control(train, held, 90, 1).table)
        as_records(drawn.table, train.schema)  # what a model could have drawn
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    rows = {str(row) for row in train.table.to_pylist()}
    assert {str(row) for row in copies(train, held, 90, 0).table.to_pylist()} <= rows
    assert {str(row) for row in reals(train, held, 90, 0).table.to_pylist()} <= {str(r) for r in held.table.to_pylist()}
    assert len(set(one_level(train, held, 90, 0).column(train.schema.of_kind(pf.Category)[-1].name).to_pylist())) == 1


def test_more_copies_than_records_repeat_evenly(penguins):
    train, held = penguins
    drawn = copies(train, held, 2 * len(train), 0)
    assert sorted(map(str, drawn.table.to_pylist())) == sorted(map(str, train.table.to_pylist() * 2))


def test_noise_is_a_quarter_of_a_deviation_and_keeps_holes(moons, penguins):
    train, held = moons
    drawn, base = noisy(train, held, 800, 3), copies(train, held, 800, 3)
    apart = drawn.to_numpy()["x"] - base.to_numpy()["x"]
    assert apart.std() == pytest.approx(0.25 * train.to_numpy()["x"].std(), rel=0.15)
    found = noisy(*penguins, len(penguins[0]), 0)
    assert [found.column(n).null_count for n in found.names] == [penguins[0].column(n).null_count for n in found.names]


def test_pictures_of_a_gaussian_have_the_moments_of_real_ones(digits):
    train, held = digits
    drawn, real = (pixels(part).reshape(600, -1) / 255 for part in (independent(train, held, 600, 0), train))
    assert np.abs(drawn.mean(0) - real.mean(0)).max() < 0.15  # pixels are cut off at black and white
    labels = independent(train, held, 600, 0).column("label").to_pylist()
    assert labels != train.column("label").to_pylist()


def test_texts_are_changed_too():
    records = pf.read({"t": [f"one two three number{i}" for i in range(100)]}, text=["t"])
    changed = noisy(records, records, 100, 0).column("t").to_pylist()
    kept = np.mean([text in set(records.column("t").to_pylist()) for text in changed])
    assert 0.2 < kept < 0.7 and all(len(text.split()) == 4 for text in changed)


def test_without_a_category_there_is_no_level():
    with pytest.raises(UnmeasurableError, match="no category"):
        one_level(pf.read({"x": [1.0, 2.0]}), pf.read({"x": [1.0]}), 2, 0)


# What a metric sees in a table of some hundred rows (the larger level of income has three rows of four anyway)
SEES = {
    "two-sample": (INDEPENDENT,), "two-sample AUC": (INDEPENDENT,), "precision": (INDEPENDENT,),
    "density": (INDEPENDENT,), "coverage": (INDEPENDENT, ONE), "recall": (ONE,), "kernel ratio": (ONE,),
    "column shapes": (ONE,), "pair trends": (INDEPENDENT, ONE), "utility": (INDEPENDENT,),
}  # fmt: skip


# Bins over the range of each side by itself, as sdmetrics has them, move with the largest value of a heavy tail
UNSTEADY = {"adult": {"pair trends"}, "penguins": set(), "moons": set()}


@pytest.fixture(scope="module", params=["penguins", "adult", "moons"])
def found(request):
    return controlled(Battery(*request.getfixturevalue(request.param)))


@pytest.fixture
def unsteady(request):
    return UNSTEADY[request.node.callspec.params["found"]]


def test_each_metric_orders_them_rightly(found, unsteady):
    unseen = blind(found)
    assert list(found) == list(CONTROLS) and set(found[REALS]) <= set(METRICS)
    for name, controls in SEES.items():
        for control in controls if name not in unsteady else ():
            assert control not in unseen.get(name, {}), (name, control, unseen[name][control])
    for name in {"two-sample", "two-sample AUC", "kernel ratio", "precision", "density", "pair trends"} - unsteady:
        real, noise, wrong = (found[control][name] for control in (REALS, NOISE, INDEPENDENT))
        assert real.gap <= noise.gap + (noise.high - noise.low) / 2, name
        assert real.gap < wrong.gap, name


def test_copies_look_real_and_are_caught(found):
    for name, real in found[REALS].items():
        copy = found[COPIES][name]
        if about(name).group == "privacy":
            assert copy.flag and not real.flag, name
        else:
            assert copy.gap <= real.gap or not copy.clear_of(real), name


def test_what_is_not_told_is_said(found, unsteady):
    unseen = blind(found)
    assert (
        INDEPENDENT in unseen["column shapes"]
        and "does not tell independent columns" in unseen["column shapes"][INDEPENDENT]
    )
    assert ONE in unseen["precision"]  # draws of one level are all near real ones
    assert set(greyed(found)) <= unsteady


def test_a_metric_that_tells_nothing_is_greyed(found):
    """A broken twin: what says of every control that it is as good as real."""
    same = Measured(0.9, 0.85, 0.95, "higher", 1.0)
    twin = {control: {**metrics, "precision": same} for control, metrics in found.items()}
    assert "does not tell" in greyed(twin)["precision"]
    mute = {control: {**m, "recall": UnmeasurableError("too few")} for control, m in found.items()}
    assert greyed(mute)["recall"] == "too few"
    lax = {control: {**m, "copies": Measured(0, 0, 0, "lower", 0.0)} for control, m in found.items()}
    assert "does not flag" in greyed(lax)["copies"]
    harsh = {control: {**m, "copies": Measured(1, 1, 1, "lower", 0.0, True)} for control, m in found.items()}
    assert "flags held-out" in greyed(harsh)["copies"]


def test_pictures_are_ordered_rightly(digits):
    train, held = digits
    battery = Battery(train, held[:250], steps=40, given=("label",))
    spare = held[250:]
    real, wrong = (battery.measure(control(train, spare, 250, 0)) for control in (reals, independent))
    assert wrong["two-sample, network"].gap > real["two-sample, network"].gap
    for name in ("two-sample", "Fréchet ratio", "kernel ratio", "coverage", "condition label"):
        assert wrong[name].gap > real[name].gap and wrong[name].clear_of(real[name]), name
    assert not real["near copies"].flag
    assert set(real) <= {*METRICS, "condition label"} and about("condition label").group == "control"


def test_forty_rows_one_column_and_one_class_say_why():
    few = pf.read({"x": np.arange(40.0), "k": ["a", "b"] * 20})
    found = Battery(few, few).measure(few)
    assert {"two-sample", "copies", "kernel ratio"} <= {n for n, m in found.items() if isinstance(m, UnmeasurableError)}
    assert all(str(m) for m in found.values() if isinstance(m, UnmeasurableError))
    alone = pf.read({"x": np.random.default_rng(0).normal(size=200)})
    found = Battery(alone[:100], alone[100:]).measure(alone[:100])
    assert "no two can be compared" in str(found["pair trends"]) and "no field is left" in str(found["utility"])
    assert isinstance(found["two-sample"], Measured)
    flat = pf.read({"k": ["a"] * 200}, category=["k"])
    found = Battery(flat, flat).measure(flat)
    assert "alike" in str(found["precision"]) and isinstance(found["utility"], UnmeasurableError)


def test_texts_beside_pictures_are_measured():
    rng = np.random.default_rng(0)
    shades = rng.integers(0, 2, 200)
    pixels_ = (rng.integers(0, 100, (200, 8, 8)) + 120 * shades[:, None, None]).astype(np.uint8)
    words = [f"a {('dark', 'light')[shade]} picture" for shade in shades]
    records = pf.read(
        {"image": pixels_, "caption": words, "tone": np.array(["dark", "light"])[shades]}, text=["caption"]
    )
    found = Battery(records[:100], records[100:], steps=4).measure(records[:100])
    assert isinstance(found["two-sample"], Measured) and found["column shapes"].detail["columns"].keys() == {"tone"}


def test_pictures_and_texts_as_conditions_are_not_judged_and_all_else_is():
    rng = np.random.default_rng(0)
    table = {"image": rng.integers(0, 255, (60, 4, 4), np.uint8), "x": rng.normal(size=60), "t": ["a b", "c"] * 30}
    records = pf.read(table, text=["t"])
    given = ("image", "t", "x")
    found = Battery(records[:30], records[30:], given=given, steps=2).measure(records[:30])
    for name, kind in (("image", "image"), ("t", "text")):
        assert str(found[f"condition {name}"]).startswith(f"{name!r} is {kind}, which is not judged")
    assert isinstance(found["condition x"], Measured)


@pytest.mark.parametrize("different", [2, 16])
def test_too_few_pictures_without_a_category_say_so_metric_by_metric(different):
    pictures = np.random.default_rng(0).integers(0, 255, (different, 4, 4), np.uint8)
    records = pf.read({"image": pictures[np.arange(24) % different]})
    found = controlled(Battery(records[:16], records[16:], steps=2))
    assert REALS in found and INDEPENDENT in found
    why = f"there are {different} different pictures among the first 16 to learn from; without a category"
    for name in ("Fréchet ratio", "kernel ratio", "precision", "coverage"):
        assert why in str(found[REALS][name]) and str(found[REALS][name]).endswith("it takes 20"), name
