"""What is held fixed, in any of the forms that people have it in."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.evidence import evidence

PEOPLE = pf.read(
    pa.table(
        {
            "age": [31, 44, 60],
            "height": [1.61, 1.7, 1.85],
            "town": ["Ulm", "Bonn", "Kiel"],
            "member": [True, False, True],
            "born": [datetime.date(1990, 1, 5), datetime.date(1980, 2, 6), datetime.date(1964, 3, 7)],
        }
    )
)
PICTURES = pf.read({"image": np.zeros((4, 8, 8, 3), np.uint8), "label": ["a", "b"] * 2})


def given(value, n=3, records=PEOPLE, allowed=None):
    return evidence(value, n, records.schema, records.schema.names if allowed is None else allowed, "refit")


def columns(value, n=3):
    return given(value, n).values.table.to_pydict()


@pytest.mark.parametrize("value", [None, {}])
def test_nothing(value):
    assert given(value) is None


@pytest.mark.parametrize("value", [41, 41.0, np.int8(41), np.array(41), torch.tensor(41), Decimal(41)])
def test_a_number_for_all(value):
    assert columns({"age": value}) == {"age": [41] * 3}


@pytest.mark.parametrize(
    "value",
    [[1, 2, 3], (1, 2, 3), range(1, 4), np.array([1.0, 2, 3]), torch.tensor([1, 2, 3]), pa.array([1, 2, 3]),
     pa.chunked_array([[1], [2, 3]]), pd.Series([1, 2, 3]), pl.Series([1, 2, 3]), (i for i in (1, 2, 3))],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_one_number_a_record(value):
    assert columns({"age": value}) == {"age": [1, 2, 3]}


@pytest.mark.parametrize("hole", [None, float("nan"), np.nan])
def test_a_missing_cell_is_left_open(hole):
    assert columns({"height": [1.5, hole, 2.0]}) == {"height": [1.5, None, 2.0]}
    assert columns({"height": hole}) == {"height": [None] * 3}


def test_words_truths_and_dates():
    day = datetime.date(2000, 1, 1)
    found = columns({"town": "Ulm", "member": np.True_, "born": day})
    assert found == {"town": ["Ulm"] * 3, "member": [True] * 3, "born": [day] * 3}
    assert columns({"born": pd.Timestamp(day)})["born"] == [day] * 3
    assert columns({"born": np.datetime64("2000-01-01")})["born"] == [day] * 3


def frames():
    data = {"age": [1, 2, 3], "town": ["Ulm", "Ulm", "Kiel"]}
    chosen = pd.DataFrame({"age": [9, 1, 2, 3], "town": ["Bonn", *data["town"]]}).query("age < 9")
    return [pd.DataFrame(data), chosen, pl.DataFrame(data), pa.table(data), pf.read(data, number=["age"])]


@pytest.mark.parametrize("frame", frames(), ids=["pandas", "chosen rows", "polars", "arrow", "records"])
def test_frames(frame):
    assert columns(frame) == {"age": [1, 2, 3], "town": ["Ulm", "Ulm", "Kiel"]}


def test_columns_come_in_the_order_of_the_schema_and_with_its_types():
    found = given({"town": "Ulm", "age": 3.0}).values
    assert found.names == ("age", "town") and found.table.schema.field("age").type == pa.int64()


def test_a_picture_for_all_or_one_a_record():
    one = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    for n, pixels in ((5, one), (2, np.stack([one, one]))):
        found = evidence({"image": pixels}, n, PICTURES.schema, ["image"], "")
        assert np.array_equal(found.values.to_numpy()["image"], np.broadcast_to(one, (n, 8, 8, 3)))


@pytest.mark.parametrize(
    "value, why",
    [
        ({"aeg": 3}, "given='aeg' is not a field of the model; did you mean 'age'"),
        ({3: 3}, "given=3 is not a field of the model"),
        ({"age": [1, 2]}, "given='age' has 2 values for n=3; give one, or one a record"),
        ({"town": "Köln"}, "town='Köln' was not among the values seen at fit"),
        ({"age": 1.5}, "age=1.5 is none of its values (31 to 60); give a whole number"),
        ({"age": "old"}, "age='old' is none of its values (31 to 60); give a whole number"),
        ({"age": 10**30}, "'age'"),
        ({"age": object()}, "given='age'"),
        ({"height": np.inf}, "'height' holds infinite values"),
        ({"age": {"a": 1}}, "'age'"),
        ({"age": b"x"}, "age=b'x'"),
        ("town", "given='town' must be a dict"),
        (41, "given=41 must be a dict"),
        ([1, 2, 3], "must be a dict"),
    ],
)
def test_what_cannot_be_held_fixed_is_refused_by_name(value, why):
    with pytest.raises(pf.PushforwardError) as caught:
        given(value)
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_a_field_that_the_model_cannot_hold_is_refused_with_the_cure():
    with pytest.raises(pf.ArgumentError, match=r"^given='age' cannot be held fixed; refit$"):
        given({"age": 3}, allowed=["town"])


def test_a_picture_that_is_none_is_refused():
    for pixels in (np.zeros((8, 8, 3)), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(pf.DataError, match="image"):
            evidence({"image": pixels}, 2, PICTURES.schema, ["image"], "")
