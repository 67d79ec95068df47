"""Two data sets under one schema: what is allowed for, and what is refused by name."""

import numpy as np
import pyarrow as pa
import pytest

import pushforward as pf
from pushforward.data.alike import alike


def both(one, other, **said):
    return alike(pf.read(one, **said), pf.read(other, **said))


def test_records_come_out_as_they_went_in_under_one_schema():
    one, other = both({"x": [1, 2, None], "c": ["a", "b", "a"]}, {"c": ["b", "c", None, "a"], "x": [7, 8, 9, 9]})
    assert one.schema == other.schema and one.names == ("x", "c")
    assert one.schema["x"].missing and one.schema["c"].missing
    assert (one.schema["x"].low, one.schema["x"].high) == (1, 9)
    assert one.schema["c"].values == ("a", "b", "c")
    assert one.column("x").to_pylist() == [1, 2, None] and other.column("c").to_pylist() == ["b", "c", None, "a"]


def test_whole_numbers_and_others_are_numbers():
    one, other = both({"x": [1, 2, 4]}, {"x": [0.5, 1.25, 7.125]})
    assert one.schema["x"].type == "double" and one.schema["x"].resolution is None
    assert one.column("x").to_pylist() == [1.0, 2.0, 4.0] and other.schema == one.schema
    one, _ = both({"x": np.arange(3, dtype=np.int8)}, {"x": np.arange(1000, 1003)})
    assert one.schema["x"].type == "int64" and one.schema["x"].resolution == 1
    one, _ = both({"x": np.arange(3, dtype=np.float32)}, {"x": np.arange(3) / 7})
    assert one.schema["x"].type == "double"


def test_atoms_of_either_are_atoms_of_both():
    one, other = alike(
        pf.read({"x": [0.0, 0.0, 1.5]}, atoms={"x": [0.0]}), pf.read({"x": [9.0, 2.5, 9.0]}, atoms={"x": [9.0]})
    )
    assert one.schema["x"].atoms == other.schema["x"].atoms == (0.0, 9.0)


def test_a_scan_follows_the_schema_as_well(tmp_path):
    pf.read({"x": [1, 2, 3]}).save(tmp_path / "one.parquet")
    one, other = alike(pf.scan(tmp_path / "one.parquet"), pf.read({"x": [0.5, 2.25]}))
    assert isinstance(one, pf.Scan) and one.schema == other.schema
    assert next(one.chunks()).column("x").type == pa.float64() and len(one) == 3


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"x": [1.5], "y": [2.5]}, {"x": [1.5]}, r"field 'y' is not in to=; "),
        ({"x": [1.5]}, {"x": [1.5], "age": [2.5]}, r"field 'age' of to= is not in the data; "),
        ({"x": [1.5, 2.5]}, {"x": ["a", "b"]}, r"'x' is a number in the data and a category in to=; .*number=\['x'\]"),
        (
            {"x": ["a", "b"]},
            {"x": ["b", "c"]},
            r"'x' has other levels in to=: 'a' is in the data alone, 'c' in to= alone",
        ),
        ({"x": [True, False]}, {"x": ["b", "c"]}, r"levels of 'x' are bool in the data and string in to="),
        (
            {"x": np.zeros((2, 4, 4), np.uint8)},
            {"x": np.zeros((2, 8, 4), np.uint8)},
            r"pictures of 'image' are 4×4, grey in the data and 8×4, grey in to=; .*size=",
        ),
        (
            {"x": np.array(["2020-01-01", "2021-01-01"], "datetime64[D]")},
            {"x": [1.5, 2.5]},
            r"'x' is date32\[day\] in the data and double in to=",
        ),
    ],
)
def test_what_differs_is_refused_by_name(one, other, words):
    with pytest.raises(pf.DataError, match=words):
        both(one, other)
