"""A schema goes to JSON and back whole; what is no schema is refused."""

from __future__ import annotations

import json

import pytest

import pushforward as pf
from pushforward.data import Category, Image, LeftOut, Number, Schema, Text
from pushforward.errors import FormatError

SCHEMA = Schema(
    (
        Number(name="age", type="int64", resolution=1.0, low=17, high=90, missing=True, atoms=(0.0,)),
        Number(name="day", type="date32[day]", resolution=1.0, low=0, high=18262),
        Number(name="when", type="timestamp[us, tz=Europe/Berlin]", low=0, high=10**15),
        Number(name="price", resolution=0.01, decimals=2, low=0.5, high=9.25),
        Category(name="town", values=("Bonn", "Ulm")),
        Category(name="member", values=(False, True), type="bool"),
        Image(name="face", channels=3, height=4, width=5),
        Text(name="caption", longest=12),
    ),
    (LeftOut("id", "it counts the rows"),),
)


def test_round_trip():
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA


def test_selection():
    assert SCHEMA.select(["town", "age"]).names == ("age", "town")
    assert "age" not in SCHEMA.without(["age"])
    assert SCHEMA.of_kind(Category, Text) == (SCHEMA["town"], SCHEMA["member"], SCHEMA["caption"])
    with pytest.raises(pf.DataError, match="did you mean 'town'"):
        SCHEMA["twon"]


def test_describe_speaks_in_the_units_of_the_data():
    assert SCHEMA["age"].describe() == "17 to 90, atoms 0"
    assert SCHEMA["day"].describe() == "1970-01-01 to 2020-01-01"
    assert SCHEMA["price"].describe() == "0.5 to 9.25, grid 0.01"
    assert SCHEMA["town"].describe() == "2 values: Bonn, Ulm"
    assert SCHEMA["face"].describe() == "4×5, 3 channels"
    assert SCHEMA["caption"].describe() == "up to 12 characters"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sound"},
        {"kind": ["number"]},
        {"name": 3},
        {"type": "int65"},
        {"type": "string"},
        {"type": "list"},
        {"low": "small"},
        {"low": float("nan")},
        {"resolution": "fine"},
        {"decimals": 1.5},
        {"missing": 1},
        {"atoms": ["x"]},
        {"atoms": 3},
        {"colour": "red"},
    ],
)
def test_what_is_no_schema_is_refused(change):
    value = SCHEMA.to_json()
    value["fields"][0] = {**value["fields"][0], **change}
    with pytest.raises(FormatError, match="schema"):
        Schema.from_json(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, {"fields": []}, {"fields": [3], "left_out": []}, {"fields": 3, "left_out": []}]
)
def test_other_json_is_refused(value):
    with pytest.raises(FormatError, match="schema"):
        Schema.from_json(value)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (4, {"values": "Ulm"}),
        (4, {"values": [1, 2]}),
        (4, {"values": [None]}),
        (5, {"type": "int65"}),
        (6, {"height": 0}),
    ],
)
def test_values_and_sizes_are_checked(place, change):
    value = SCHEMA.to_json()
    value["fields"][place] |= change
    with pytest.raises(FormatError, match="schema"):
        Schema.from_json(json.loads(json.dumps(value)))


def test_two_fields_of_one_name_are_refused():
    value = SCHEMA.to_json()
    value["fields"].append(value["fields"][0])
    with pytest.raises(FormatError, match="one name"):
        Schema.from_json(value)
