"""Shapes and pairs: by hand, by sdmetrics, and what each of them cannot see."""

import contextlib
import io
import warnings

import numpy as np
import pytest

import pushforward as pf
from pushforward.errors import UnmeasurableError
from pushforward.metrics import pairs, shape
from pushforward.metrics.controls import independent, noisy


def theirs(drawn, real):
    """Shape, pair trend and the tables of both by `QualityReport`."""
    reports = pytest.importorskip("sdmetrics.reports.single_table")
    frames = [records.to_pandas() for records in (real, drawn)]
    kinds = {f.name: "numerical" if isinstance(f, pf.Number) else "categorical" for f in real.schema}
    numbers = {name: float for name, kind in kinds.items() if kind == "numerical"}
    report = reports.QualityReport()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
        report.generate(*(frame.astype(numbers) for frame in frames), metadata, verbose=False)
        return report.get_details("Column Shapes"), report.get_details("Column Pair Trends")


@pytest.mark.parametrize("control", [independent, noisy])
@pytest.mark.parametrize("name", ["penguins", "adult", "moons"])
def test_they_are_those_of_sdmetrics(name, control, request):
    train, held = request.getfixturevalue(name)
    drawn = control(train, held, len(held), 0)
    shapes, trends = theirs(drawn, held)
    ours, both = shape(drawn, held), pairs(drawn, held)
    assert ours.value == pytest.approx(shapes["Score"].mean(), abs=1e-3)
    assert both.value == pytest.approx(trends["Score"].mean(), abs=1e-3)
    for column, score in zip(shapes["Column"], shapes["Score"], strict=True):
        assert ours.detail["columns"][column] == pytest.approx(score, abs=1e-3)
    for a, b, score in zip(trends["Column 1"], trends["Column 2"], trends["Score"], strict=True):
        if np.isfinite(score):
            assert both.detail["pairs"][a, b] == pytest.approx(score, abs=1e-3)
        else:
            assert (a, b) not in both.detail["pairs"]


def test_the_worst_column_and_the_worst_pair_come_first(adult):
    train, held = adult
    table = train.table.set_column(train.names.index("age"), "age", (pf.read({"age": [17] * len(train)})).column("age"))
    spoilt = pf.Records(train.schema, table)
    assert next(iter(shape(spoilt, held).detail["columns"])) == "age"
    assert "age" in next(iter(pairs(spoilt, held).detail["pairs"]))


def test_independent_columns_have_the_right_shapes_and_the_wrong_pairs(moons):
    train, held = moons
    drawn = independent(train, held, len(held), 0)
    assert shape(drawn, held).value > 0.93
    assert pairs(drawn, held).value < 0.8 < pairs(train, held).value


def test_intervals_hold_the_score_of_more_records(adult):
    train, held = adult
    (one, other), few = train.split(0.5, seed=0), held.split(0.5, seed=0)[0]
    assert not shape(one, few).clear_of(shape(other, few))


def test_what_they_cannot_say():
    with pytest.raises(UnmeasurableError, match="no two can be compared"):
        pairs(pf.read({"x": [1.0, 2.0]}), pf.read({"x": [1.0, 2.0]}))
    with pytest.raises(UnmeasurableError, match="texts"):
        texts = pf.read({"t": ["a b", "c d"]}, text=["t"])
        shape(texts, texts)
