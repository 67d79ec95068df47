"""Kinds, grids, atoms and holes are inferred from the data, and what is said wins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pushforward as pf


def schema(column, **words):
    return pf.read({"x": column, "other": range(len(column))} | words.pop("more", {}), **words).schema


def test_kinds():
    table = pa.table(
        {
            "whole": [1, 2, 3],
            "float": [1.5, 2.25, 3.0],
            "word": ["a", "b", "a"],
            "truth": [True, False, True],
            "day": pa.array([1, 2, 3], pa.int32()).cast(pa.date32()),
            "list": [[1], [2], [3]],
        }
    )
    found = pf.read(table).schema
    assert [field.kind for field in found] == ["number", "number", "category", "category", "number"]
    assert found["float"].decimals == 2
    assert found["truth"].values == (False, True)
    assert "list<" in found.left_out[0].reason


def test_small_and_wide_types_keep_their_names():
    for kind in (
        "int8",
        "uint8",
        "int16",
        "uint64",
        "float",
        "date32[day]",
        "timestamp[ms]",
        "duration[s]",
        "time32[s]",
    ):
        pa_type = pf.data.schema.arrow_type(kind)
        storage = pa.int32() if pa_type.bit_width == 32 and not pa.types.is_floating(pa_type) else pa.int64()
        column = pa.array([0, 1, 2], storage).cast(pa_type)
        assert pf.read({"x": column}).schema["x"].type == kind


def test_dates_with_a_zone_keep_it():
    column = pa.array([0, 86_400_000_000], pa.timestamp("us", "Europe/Berlin"))
    records = pf.read({"x": column})
    assert records.table.schema.field("x").type == column.type
    assert pf.Schema.from_json(records.schema.to_json()) == records.schema


def test_timestamps_lie_on_the_grid_they_use():
    for step, unit in ((86_400, "s"), (3_600_000_000, "us"), (60_000, "ms"), (1, "s")):
        column = pa.array(np.arange(100) * step, pa.timestamp(unit))
        assert pf.read({"x": column}).schema["x"].resolution == step


def test_prices_lie_on_a_grid_and_measurements_do_not():
    rng = np.random.default_rng(0)
    prices = pa.array(rng.integers(0, 500, 5000) / 100)  # Arrow, not an array, so that a file could have held it
    assert (schema(prices)["x"].resolution, schema(prices)["x"].decimals) == (0.01, 2)
    fine = pa.array(rng.integers(0, 10**9, 5000) / 1000)  # three decimals, but hardly a value twice
    assert (schema(fine)["x"].resolution, schema(fine)["x"].decimals) == (None, 3)
    free = pa.array(rng.standard_normal(5000))
    assert (schema(free)["x"].resolution, schema(free)["x"].decimals) == (None, None)


def test_converted_units_lie_on_the_grid_they_came_from():
    rng = np.random.default_rng(0)
    knots = rng.integers(3, 40, 5000)
    for unit in (1.15078, 1 / 3, 0.45359237, 1.6e-9):
        assert schema(pa.array(knots * unit))["x"].resolution == pytest.approx(unit, rel=1e-15)
    assert schema(pa.array(knots / 3, pa.float32()))["x"].resolution == pytest.approx(1 / 3, rel=1e-6)
    drawn = schema(pa.array(np.concatenate([knots, knots + 0.5]) * 1.15078))["x"]
    assert drawn.resolution == 0.57539


def test_sums_in_floats_lie_on_the_grid_of_their_terms():
    rng = np.random.default_rng(0)
    sums = rng.integers(0, 90, 3000) * 0.1 + rng.integers(0, 90, 3000) * 0.1
    assert not np.array_equal(sums, np.round(sums, 1))
    assert schema(pa.array(sums))["x"].resolution == 0.1


def test_few_values_on_no_grid_are_atoms_and_resampled_ones_are_not():
    rng = np.random.default_rng(0)
    few = np.sqrt([2, 3, 5, 7, 11])
    assert schema(pa.array(rng.choice(few, 400)))["x"].atoms == tuple(few)
    assert schema(pa.array(rng.choice(few, 400)))["x"].resolution is None
    again = schema(pa.array(rng.choice(rng.standard_normal(400), 400)))["x"]
    assert (again.atoms, again.resolution) == ((), None)


def test_a_value_that_recurs_off_any_grid_is_an_atom():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(2000) < 0.03, 1.5, rng.standard_normal(2000))
    assert schema(pa.array(values))["x"].atoms == (1.5,)


def test_arrays_are_never_on_a_grid():
    values = np.repeat([0.25, 0.5], 50)
    for found in (pf.read({"x": values}), pf.read(values), pf.read(np.stack([values, values], 1))):
        assert found.schema.fields[0].resolution is None
        assert found.schema.fields[0].decimals is None


def test_zeros_of_a_zero_inflated_column_are_an_atom():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(2000) < 0.5, 0, rng.integers(1, 5000, 2000))
    assert schema(values.tolist())["x"].atoms == (0.0,)
    assert schema(rng.integers(0, 3, 2000).tolist())["x"].atoms == ()
    assert schema(rng.standard_normal(100), atoms={"x": [1.5]})["x"].atoms == (1.5,)


def test_resolution_can_be_said():
    assert schema(np.array([0.5, 1.0]), resolution={"x": 0.5})["x"].resolution == 0.5


def test_what_identifies_rows_is_left_out():
    found = pf.read({"id": range(50), "key": [f"k{i}" for i in range(50)], "x": [1.5] * 50}).schema
    assert found.names == ("x",)
    assert "counts the rows" in found.left_out[0].reason
    assert "all different" in found.left_out[1].reason
    asked = pf.read({"id": range(50), "key": [f"k{i}" for i in range(50)]}, number="id", category="key").schema
    assert asked.names == ("id", "key")
    assert len(asked["key"].values) == 50


def test_index_of_a_frame_is_no_column():
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5]}, index=[3, 7, 9])
    assert pf.read(frame).schema.names == ("x",)
    assert pf.read(frame.reset_index(names="Unnamed: 0").assign(**{"Unnamed: 0": range(3)})).schema.names == ("x",)


def test_text_is_told_from_categories():
    sentences = [f"the {a} fox jumps over the {b} dog" for a in "abcdefgh" for b in "abcdefgh"]
    assert schema(sentences)["x"].kind == "text"
    assert pf.read({"caption": [f"a {i}" for i in range(64)]}).schema["caption"].kind == "text"
    assert schema(["red", "green"] * 50)["x"].kind == "category"
    assert schema(sentences, category="x")["x"].kind == "category"
    found = schema(["yes", "no"] * 50, text="x")["x"]
    assert (found.kind, found.longest) == ("text", 3)


def test_longest_text_is_found_wherever_it_is():
    words = [f"{'word ' * 5}{i}" for i in range(3000)]
    for place in (0, 1500, 2999):
        assert schema([*words[:place], "é" * 77, *words[place + 1 :]])["x"].longest == 77
    assert schema(["a", "bb" * 50, None], text="x")["x"].longest == 100


def test_holes_are_noted():
    found = pf.read({"a": [1.5, None], "b": ["x", None], "c": [1, 2], "d": np.array([1.0, np.nan])}).schema
    assert [field.missing for field in found] == [True, True, False, True]


@pytest.mark.parametrize("of", [pd.Categorical, lambda values: pl.Series(values).cast(pl.String).cast(pl.Categorical)])
def test_categoricals_of_frames_are_categories(of):
    values = ["b", "a", "b"]
    assert schema(of(values) if of is not pd.Categorical else pd.Series(of(values)))["x"].values == ("a", "b")


def test_categoricals_of_numbers_are_categories():
    frame = pd.DataFrame({"label": pd.Categorical([3, 1, 3])})
    assert pf.read(frame).schema["label"].values == (1, 3)


def test_category_of_numbers_knows_its_rarest_value():
    values = np.zeros(100_000, np.int64)
    values[77_777] = 5
    assert schema(values, category="x")["x"].values == (0, 5)


def test_declared_categories_of_datasets():
    features = '{"info": {"features": {"x": {"_type": "ClassLabel", "names": ["a", "b"]}}}}'
    table = pa.table({"x": [0, 1, 1]}).replace_schema_metadata({"huggingface": features})
    assert pf.read(table).schema["x"].kind == "category"
    for nonsense in ("", "[]", "3", '{"info": 3}', '{"info": {"features": {"x": {"_type": ["Image"]}}}}'):
        pf.read(pa.table({"x": [0, 1, 1]}).replace_schema_metadata({"huggingface": nonsense, "pushforward": nonsense}))


def test_declared_kind_that_no_longer_fits_is_passed_over():
    table = pa.table({"x": ["a", "b", "a"]}).replace_schema_metadata({"pushforward": '{"x": "number"}'})
    assert pf.read(table).schema["x"].kind == "category"
