"""What is saved comes back, and what could not be saved whole leaves everything as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

import pushforward as pf
from pushforward.data import as_records, write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def table() -> pf.Records:
    rng = np.random.default_rng(0)
    n = 200

    def holed(values, kind=None):
        return pa.array(values, kind, mask=rng.random(n) < 0.1)

    return pf.read(
        pa.table(
            {
                "whole": holed(rng.integers(-5, 50, n)),
                "price": holed(rng.integers(0, 50, n) / 100),
                "dozens": holed(rng.integers(0, 9, n) * 12.0),
                "signal": holed(rng.standard_normal(n)),
                "tiny": holed(rng.standard_normal(n) * 1e-12),
                "huge": holed(rng.standard_normal(n) * 1e200),
                "town": holed(np.array(["Ulm", 'a "b", c', "é\nü"])[rng.integers(0, 3, n)]),
                "member": holed(rng.random(n) < 0.5),
                "born": holed(np.datetime64("1970-01-01") + rng.integers(-9999, 9999, n)),
                "seen": holed(rng.integers(0, 10**15, n), pa.timestamp("us")),
                "note": holed([f"one two three four {i}, five" for i in range(n)]),
            }
        )
    )


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_tables_come_back_as_they_were(tmp_path, table, ending):
    path = table.save(tmp_path / f"a.{ending}")
    back = pf.read(path)
    assert back.schema == table.schema
    assert back.table.equals(table.table)
    assert as_records(path, table.schema).table.equals(table.table)
    assert names(tmp_path) == [f"a.{ending}"]


def test_npz_comes_back_as_it_was(tmp_path, table):
    path = table.save(tmp_path / "a.npz")
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["town_missing"].dtype == bool
        assert "price_missing" not in arrays  # numbers say it as NaN
    assert as_records(path, table.schema).table.equals(table.table)
    assert pf.read(path).schema["town"] == table.schema["town"]


KINDS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float", "double", "date32[day]"]
KINDS += ["time32[s]", "time32[ms]", "time64[us]", "duration[s]", "duration[us]", "timestamp[s]", "timestamp[ms]"]
KINDS += ["timestamp[us]", "timestamp[us, tz=Europe/Berlin]", "timestamp[s, tz=UTC]"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "npz"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_number_comes_back_by_its_schema(tmp_path, kind, ending):
    kind = pf.data.schema.arrow_type(kind)
    storage = pa.int32() if kind.bit_width == 32 and pa.types.is_temporal(kind) else pa.int64()
    records = pf.read({"x": pa.array([0, 1, 86, None], storage).cast(kind), "y": [1, 2, 3, 4]})
    path = records.save(tmp_path / f"a.{ending}")
    assert as_records(path, records.schema).table.equals(records.table)


def test_digits_of_prices(tmp_path):
    prices = pa.array([0.1, 2.25, 3.0, -0.0, 0.3, 1e6, None] * 9)
    records = pf.read(pa.table({"price": prices, "n": range(63)}))
    drawn = pf.Records(records.schema, pa.table({"price": [0.1 + 0.2, 1 / 3, -1e-9], "n": [1, 2, 3]}))
    path = drawn.save(tmp_path / "a.csv")
    assert path.read_text().splitlines()[1:] == ["0.30,1", "0.33,2", "0.00,3"]
    rows = [json.loads(line) for line in drawn.save(tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["price"] for row in rows] == [0.3, 0.33, 0.0]


def test_one_column_with_holes_keeps_its_rows(tmp_path):
    for values in ([1, None, 3], ["a", None, "b"], [1.5, None, 2.5], [True, None, False]):
        records = pf.read(pa.table({"x": values}))
        assert pf.read(records.save(tmp_path / "a.csv")).table.equals(records.table)


def test_names_of_any_kind(tmp_path):
    labels = ["", "a,b", 'say "x"', "line\nbreak", "é", "file", "a/b", "../a"]
    records = pf.read({name: [i, i + 1] for i, name in enumerate(labels)})
    for ending in ("csv", "tsv", "jsonl", "parquet", "npz"):
        assert as_records(records.save(tmp_path / f"a.{ending}"), records.schema).table.equals(records.table)


def test_records_without_rows(tmp_path, table):
    for ending in ("csv", "jsonl", "parquet", "npz"):
        table[:0].save(tmp_path / f"a.{ending}")
    assert (tmp_path / "a.csv").read_text().startswith('"whole","price"')


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_come_back_as_they_were(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 6, 5, channels), np.uint8)
    records = pf.read(
        {"image": pixels, "label": [0, 1, 2] * 4, "caption": [f"number {i}" for i in range(12)]}, category="label"
    )
    for name in ("a.parquet", "folder"):
        back = pf.read(records.save(tmp_path / name))
        assert back.schema == records.schema
        assert back.table.equals(records.table)
    assert as_records(records.save(tmp_path / "a.npz"), records.schema).table.equals(records.table)
    assert sorted(p.name for p in (tmp_path / "folder").iterdir())[-2:] == ["0011.png", "metadata.csv"]


def test_parquet_pictures_are_those_of_datasets(tmp_path):
    path = pf.read("digits")[:3].save(tmp_path / "a.parquet")
    schema = pa.parquet.read_schema(path)
    assert schema.field("image").type == pa.struct({"bytes": pa.binary(), "path": pa.string()})
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {"image": {"_type": "Image"}, "label": {"dtype": "int64", "_type": "Value"}}


def test_contact_sheet(tmp_path):
    path = pf.read("digits")[:4].save(tmp_path / "a.PNG")
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"


def test_a_folder_of_ours_is_replaced_whole(tmp_path):
    digits = pf.read("digits")
    digits[:9].save(tmp_path / "digits")
    digits[:3].save(tmp_path / "digits")
    assert names(tmp_path / "digits") == ["0000.png", "0001.png", "0002.png", "metadata.csv"]
    assert names(tmp_path) == ["digits"]
    (tmp_path / "empty").mkdir()
    digits[:3].save(tmp_path / "empty")
    assert len(pf.read(tmp_path / "empty")) == 3


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path, refuses):
    digits = pf.read("digits")[:3]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("precious")
    with refuses("thesis", "chapter.tex", "choose another folder"):
        digits.save(tmp_path / "thesis")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "0000.png").write_bytes(b"precious")
    with refuses("photos", "choose another folder"):
        digits.save(tmp_path / "photos")
    (tmp_path / "file").write_text("precious")
    with refuses("file", "is a file"):
        digits.save(tmp_path / "file")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "precious"
    assert (tmp_path / "photos" / "0000.png").read_bytes() == b"precious"
    assert names(tmp_path) == ["file", "photos", "thesis"]


def test_what_cannot_be_written_is_refused(tmp_path, table, refuses):
    digits = pf.read("digits")[:3]
    for ending in ("csv", "tsv", "jsonl"):
        with refuses("'image'", ".parquet, .npz, or a folder"):
            digits.save(tmp_path / f"a.{ending}")
    with refuses("no pictures", ".csv"):
        table.save(tmp_path / "a.png")
    with refuses("no pictures", ".csv"):
        table.save(tmp_path / "folder")
    with refuses("a.docx", ".csv, .tsv, .jsonl, .parquet, .npz, .png"):
        table.save(tmp_path / "a.docx")
    with refuses(str(tmp_path / "gone"), "does not exist"):
        table.save(tmp_path / "gone" / "a.csv")
    (tmp_path / "dir.csv").mkdir()
    with refuses("dir.csv", "is a folder"):
        table.save(tmp_path / "dir.csv")
    pairs = pf.read({"a": np.zeros((2, 3, 3), np.uint8), "b": np.zeros((2, 3, 3), np.uint8)})
    with refuses("several fields", ".parquet"):
        pairs.save(tmp_path / "pairs")
    layered = pf.read(np.zeros((2, 3, 3, 4), np.uint8))
    for name in ("a.parquet", "layered"):
        with refuses("4 channels", ".npz"):
            layered.save(tmp_path / name)
    assert names(tmp_path) == ["dir.csv"]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "folder"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, refuses, name):
    digits = pf.read("digits")
    source = digits if name != "a.csv" else digits.select(["label"])
    path = source[:3].save(tmp_path / name)
    before = as_records(path, source.schema).table

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.os, "fsync", full)
    monkeypatch.setattr(write.os, "sync", full)
    with refuses(name, "No space left", "choose another place"):
        source.save(path)
    assert as_records(path, source.schema).table.equals(before)
    assert names(tmp_path) == [name]


def test_texts_too_long_for_numpy(tmp_path, refuses):
    records = pf.read({"text": ["a " * 200_000, *["b c d e"] * 2000], "x": range(2001)})
    with refuses("'text'", "400,000 characters", ".parquet"):
        records.save(tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())
