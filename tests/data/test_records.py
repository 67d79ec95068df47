"""Records: rows that are taken, split and joined, and that other libraries take as they are."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pushforward as pf
from pushforward.data import as_records


@pytest.fixture
def people() -> pf.Records:
    return pf.read(
        {
            "age": pa.array([31, None, 52, 18], pa.int16()),
            "height": [1.75, 1.62, None, 1.81],
            "town": ["Ulm", None, "Bonn", "Ulm"],
            "member": [True, False, None, True],
            "born": pa.array([1, 2, None, 4], pa.int32()).cast(pa.date32()),
        }
    )


def test_rows(people):
    rows = people.table.to_pylist()
    assert people[1:3].table.to_pylist() == rows[1:3]
    assert people[::-2].table.to_pylist() == rows[::-2]
    assert people[3:1].table.to_pylist() == []
    assert people[-1].table.to_pylist() == rows[-1:]
    assert people[[2, 0, 2]].table.to_pylist() == [rows[2], rows[0], rows[2]]
    assert people[np.array([True, False, False, True])].table.to_pylist() == [rows[0], rows[3]]
    assert people.take(iter([1])).table.to_pylist() == [rows[1]]
    assert people.take([]).table.to_pylist() == []
    assert list(people.chunks(3))[1].table.to_pylist() == rows[3:]


@pytest.mark.parametrize("rows", [[4], [-5], 9, [0.5], np.array([True]), "age", [[0]], ["age"]])
def test_rows_that_do_not_exist(people, refuses, rows):
    with refuses():
        people[rows]


def test_columns(people):
    assert people.select(["town", "age"]).names == ("age", "town")
    assert people.without(["town"]).names == ("age", "height", "member", "born")
    left = people.leaving_out(["town"], "for a reason")
    assert left.schema.left_out[0] == pf.data.LeftOut("town", "for a reason")


def test_split_is_a_partition_and_a_function_of_the_seed(people):
    many = people.concat(*[people] * 24)
    first, rest = many.split(0.8, seed=1)
    assert (len(first), len(rest)) == (80, 20)
    again = many.split(0.8, seed=1)[0]
    assert first.table.equals(again.table)
    assert not first.table.equals(many.split(0.8, seed=2)[0].table)
    numbered = pf.read({"n": np.arange(100.0)})
    parts = [part.to_numpy()["n"] for part in numbered.split(0.3)]
    assert sorted(np.concatenate(parts)) == list(range(100))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 2])
def test_split_of_nothing(people, refuses, fraction):
    with refuses(f"fraction={fraction}", "between 0 and 1"):
        people.split(fraction)


def test_concat_holds_to_the_schema(people, refuses):
    assert people.concat(people[:1]).table.to_pylist() == people.table.to_pylist() + people[:1].table.to_pylist()
    with refuses("'age'"):
        people.concat(people.without(["age"]))
    other = pf.read({**people.table.to_pydict(), "town": ["Kiel"] * 4})
    with refuses("'Kiel'", "there are: Bonn, Ulm"):
        people.concat(other)


def test_to_numpy(people):
    arrays = people.to_numpy()
    np.testing.assert_array_equal(arrays["age"], [31, np.nan, 52, 18])
    np.testing.assert_array_equal(arrays["height"], [1.75, 1.62, np.nan, 1.81])
    assert arrays["town"].tolist() == ["Ulm", None, "Bonn", "Ulm"]
    assert arrays["member"].tolist() == [True, False, None, True]
    assert arrays["born"].dtype == np.dtype("M8[D]")
    whole = people.take([0, 3]).to_numpy()
    assert whole["age"].dtype == np.int16


def test_pandas_both_ways(people):
    frame = people.to_pandas()
    assert str(frame["age"].dtype) == "Int16"
    assert frame["age"].isna().tolist() == [False, True, False, False]
    back = as_records(frame, people.schema)
    assert back.table.equals(people.table)
    assert pf.read(frame).table.to_pydict() == people.table.to_pydict()


def test_polars_both_ways(people):
    frame = pl.DataFrame(people)
    assert frame.to_dicts() == people.table.to_pylist()
    assert as_records(frame, people.schema).table.equals(people.table)
    assert pf.read(frame).table.equals(people.table)


def test_arrow_both_ways(people):
    assert pa.table(people).equals(people.table)
    assert pf.read(people.table).schema == people.schema
    batch = people.table.combine_chunks().to_batches()[0]
    assert pf.read(batch).schema == people.schema


def test_frames_of_other_makers(people):
    """Anything that speaks the protocol is taken, whoever made it."""

    class Stranger:
        def __arrow_c_stream__(self, requested_schema=None):
            return people.table.__arrow_c_stream__(requested_schema)

    assert pf.read(Stranger()).table.equals(people.table)


def test_series_are_columns():
    records = pf.read({"a": pd.Series([1, None], dtype="Int64"), "b": pl.Series(["x", None]), "c": (1.5, 2.5)})
    assert records.table.to_pydict() == {"a": [1, None], "b": ["x", None], "c": [1.5, 2.5]}


def test_pictures_go_through_pandas():
    digits = pf.read("digits")[:5]
    frame = digits.to_pandas()
    assert frame["image"][0].shape == (8, 8, 1)
    assert as_records(frame, digits.schema).table.equals(digits.table)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(4, 3),
        np.asfortranarray(np.arange(12.0).reshape(4, 3)),
        np.arange(24.0).reshape(4, 6)[:, ::2],
        np.arange(24, dtype=np.int16).reshape(8, 3)[::2],
        np.arange(12, dtype=">f8").reshape(4, 3),
        np.arange(12, dtype=np.float16).reshape(4, 3),
        np.arange(12, dtype=np.longdouble).reshape(4, 3),
        np.arange(12, dtype=">i4").reshape(4, 3),
    ],
    ids=lambda array: f"{array.dtype}{array.strides}",
)
def test_arrays_of_any_layout(array):
    records = pf.read(array)
    assert records.names == ("x0", "x1", "x2")
    np.testing.assert_array_equal(np.stack(list(records.to_numpy().values()), 1), array.astype(float))


def test_read_only_memory_maps(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(12.0).reshape(4, 3))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert pf.read(mapped).table.equals(pf.read(tmp_path / "a.npy").table)


def test_records_do_not_change_with_the_array_they_came_from():
    numbers, pixels = np.arange(4.0), np.zeros((2, 3, 3), np.uint8)
    of_numbers, of_pixels = pf.read({"x": numbers}), pf.read(pixels)
    numbers[:] = 7
    pixels[:] = 7
    assert of_numbers.to_numpy()["x"].tolist() == [0, 1, 2, 3]
    assert of_pixels.to_numpy()["image"].max() == 0


def test_arrays_without_ceremony():
    assert pf.read(np.arange(3.0)).names == ("x",)
    assert pf.read(np.zeros((2, 4, 5), np.uint8)).schema["image"].shape == (4, 5, 1)
    assert pf.read(np.zeros((2, 4, 5, 3), np.uint8)).schema["image"].shape == (4, 5, 3)
    assert pf.read({"face": np.zeros((2, 4, 5), np.uint8)}).names == ("face",)
    assert pf.read(np.zeros((2, 3), np.uint8)).names == ("x0", "x1", "x2")


def test_tensors():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(3, 2).requires_grad_()
    assert pf.read(tensor).table.to_pydict() == {"x0": [0.0, 2.0, 4.0], "x1": [1.0, 3.0, 5.0]}
    assert pf.read({"a": torch.tensor([True, False])}).schema["a"].kind == "category"


@pytest.mark.parametrize("kind", ["M8[s]", "M8[D]", "M8[h]", "M8[M]", "M8[ns]", "m8[D]", "m8[us]", "S3", "U3", "?"])
def test_arrays_of_dates_words_and_truths(kind):
    values = np.array([1, 0, 1]).astype("?") if kind == "?" else np.array(["1", "2", "2"]).astype("i8").astype(kind)
    records = pf.read({"x": values})
    assert len(records) == 3
    assert records.schema["x"].kind == ("category" if kind in ("S3", "U3", "?") else "number")


def test_pillow_pictures_are_a_column():
    from PIL import Image

    records = pf.read({"image": [Image.new("L", (5, 4), i) for i in range(3)], "label": [0, 1, 2]})
    assert records.to_numpy()["image"][:, 0, 0].tolist() == [0, 1, 2]


def test_as_records_refuses_what_the_schema_does_not_know(people, refuses):
    rows = people.table.to_pydict()
    with refuses("town='Kiel'", "there are: Bonn, Ulm"):
        as_records({**rows, "town": ["Kiel"] * 4}, people.schema)
    with refuses("town='Ulme'", "did you mean 'Ulm'"):
        as_records({**rows, "town": ["Ulme"] * 4}, people.schema)
    with refuses("'height'", "infinite"):
        as_records({**rows, "height": [np.inf] * 4}, people.schema)
    with refuses("age=1.5", "give a whole number"):
        as_records({**rows, "age": [1.5] * 4}, people.schema)
    with refuses("member=2"):
        as_records({**rows, "member": [0, 1, 2, 1]}, people.schema)
    del rows["age"]
    with refuses("'age'", "not in the data"):
        as_records(rows, people.schema)
    assert as_records(rows, people.schema, partial=True).column("age").null_count == 4


def test_the_cell_that_cannot_be_is_named_not_one_that_can(refuses):
    """Among words that are read as what they say, and with what to give in its place."""
    hours = [datetime.time(hour) for hour in (9, 10, 11)]
    times = pf.read({"t": hours, "k": [1, 0, 1]}, category=["k"])
    rows = {"t": ["09:00:00", "10:00:00"], "k": ["1", "0"]}
    assert as_records(rows, times.schema).column("t").to_pylist() == hours[:2]
    with refuses("t='noon' is none of its values", "give a time of the day such as 09:30:00"):
        as_records({**rows, "t": ["09:30:00", "noon"]}, times.schema)
    with refuses("k='yes' was not among the values seen at fit; there are: 0, 1"):
        as_records({**rows, "k": ["1", "yes"]}, times.schema)


def test_as_records_takes_what_means_the_same(people):
    rows = people.table.to_pydict()
    alike = {
        **rows,
        "age": np.array([31, np.nan, 52, 18]),
        "member": [1, 0, None, 1],
        "born": ["1970-01-02", "1970-01-03", None, "1970-01-05"],
        "town": pl.Series(rows["town"], dtype=pl.Categorical),
        "other": [1, 2, 3, 4],
    }
    assert as_records(alike, people.schema).table.equals(people.table)


def test_empty_records_work(people):
    none = people[:0]
    assert len(none) == 0
    assert {len(column) for column in none.to_numpy().values()} == {0}
    assert len(none.to_pandas()) == 0
    assert list(none.chunks()) == []
    assert people.concat(none).table.equals(people.table)
    digits = pf.read("digits")[:0]
    assert digits.to_numpy()["image"].shape == (0, 8, 8)
    assert len(digits.to_pandas()) == 0


def test_repr(people):
    assert repr(people).startswith("Records(4 × [age: number, height: number, town: category")
