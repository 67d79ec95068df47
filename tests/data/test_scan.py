"""`scan` says and gives exactly what `read` does, chunk by chunk."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import pushforward as pf
from pushforward.data.sources import delimited, files


def agree(source, **words) -> pf.Records:
    """Assert that both readers agree, and return what was read."""
    whole, lazy = pf.read(source, **words), pf.scan(source, **words)
    assert lazy.schema == whole.schema
    assert len(lazy) == len(whole)
    for _ in range(2):  # as often as asked
        pieces = list(lazy.chunks())
        expected = list(whole.chunks())
        assert [len(piece) for piece in pieces] == [len(piece) for piece in expected]
        for ours, theirs in zip(pieces, expected, strict=True):
            assert ours.table.equals(theirs.table)
    return whole


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks so small that every file has many."""
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    monkeypatch.setattr(files, "PIECE", 4096)


def mixed(rows: int) -> pa.Table:
    rng = np.random.default_rng(0)

    def holed(values):
        return pa.array(values, mask=rng.random(rows) < 0.1)

    return pa.table(
        {
            "count": rng.integers(0, 100, rows),
            "price": holed(np.round(rng.random(rows) * 100, 2)),
            "signal": rng.standard_normal(rows),
            "town": holed(np.array(["Ulm", "Bonn", "Kiel"])[rng.integers(0, 3, rows)]),
            "day": np.datetime64("2020-01-01") + rng.integers(0, 1500, rows),
            "member": rng.random(rows) < 0.4,
        }
    )


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz"])
def test_delimited(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    options = pa.csv.WriteOptions(delimiter="\t" if ending == "tsv" else ",")
    with pa.CompressedOutputStream(path, "gzip") if ending.endswith("gz") else path.open("wb") as file:
        pa.csv.write_csv(mixed(70_000), file, options)
    records = agree(path)
    assert len(list(pf.scan(path).chunks())) == 2
    assert [field.kind for field in records.schema] == ["number"] * 3 + ["category", "number", "category"]


LATE = {
    "date": ("2020-01-02", "date32[day]"),
    "time": ("10:30:00", "time32[s]"),
    "timestamp": ("2020-01-02 10:30:00", "timestamp[s]"),
    "fraction": ("2020-01-02 10:30:00.125", "timestamp[us]"),
    "zone": ("2020-01-02 10:30:00Z", "timestamp[s, tz=UTC]"),
    "whole": ("17", "int64"),
    "float": ("17.5", "double"),
    "truth": ("true", "bool"),
    "word": ("hello", "string"),
}


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("early", ["", "3", "2.5", "2020-01-02", "true"])
def test_csv_whose_column_changes_after_the_first_block(tmp_path, early, late):
    """What only comes late in a file decides the type of the column, as it does for a reader of the whole."""
    path = tmp_path / "a.csv"
    value, kind = LATE[late]
    rows = [f"{i},{early}" for i in range(2000)] + [f"{i},{value}" for i in range(2000)]
    path.write_text("\n".join(["n,x", *rows]))
    records = agree(path)
    assert str(records.table.schema.field("x").type) == str(pyarrow_type(path)).replace("[ns", "[us")
    if early == "":
        assert str(records.schema["x"].arrow_type) == kind


def pyarrow_type(path: Path) -> pa.DataType:
    convert = pa.csv.ConvertOptions(strings_can_be_null=True)
    return pa.csv.read_csv(path, None, None, convert).schema.field("x").type


def test_csv_with_line_breaks_in_values(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f'{i},"one\ntwo, {i % 7}"' for i in range(3000)]
    path.write_text("\n".join(["n,x", *rows]))
    assert agree(path).schema["x"].values == tuple(f"one\ntwo, {i}" for i in range(7))


@pytest.mark.parametrize("group", [1000, 70_000])
def test_parquet(tmp_path, group):
    pa.parquet.write_table(mixed(70_000), tmp_path / "a.parquet", row_group_size=group)
    agree(tmp_path / "a.parquet")


def test_json_lines_whose_column_changes(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"n": i, "x": i, "when": "2020-01-01", "t": None} for i in range(500)]
    rows += [{"n": i, "x": i + 0.5, "when": "unknown", "t": True} for i in range(500)]
    path.write_text("\n".join(map(json.dumps, rows)))
    records = agree(path)
    assert records.column("x").to_pylist() == [row["x"] for row in rows]
    assert records.column("t").to_pylist() == [row["t"] for row in rows]
    assert records.schema["when"].values == ("2020-01-01", "unknown")


def test_arrow_files_and_streams(tmp_path):
    table = mixed(3000)
    for name, make in (("a.arrow", pa.ipc.new_file), ("b.arrow", pa.ipc.new_stream), ("c.feather", pa.ipc.new_file)):
        with make(tmp_path / name, table.schema) as writer:
            writer.write_table(table, max_chunksize=700)
        assert agree(tmp_path / name).table.equals(table)


@pytest.mark.parametrize("options", [{}, {"size": 3}])
def test_picture_folder(tmp_path, png, options):
    for i in range(9):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[i % 2] / f"{i}.png").write_bytes(png(seed=i))
    records = agree(tmp_path, **options)
    assert records.schema["label"].values == ("a", "b")


def test_whole_numbers_that_only_later_pass_double_precision():
    """The first look passes over the levels of small numbers; the second finds them."""
    for last in ([2**60, 2**60 + 1], range(2**60, 2**60 + 70_000)):
        codes = [*range(3)] * 30_000 + [*last]
        schema = agree(pa.table({"code": codes, "x": [1.5, 2.5] * (len(codes) // 2)})).schema
        if len(last) == 2:
            assert schema["code"].values == (0, 1, 2, 2**60, 2**60 + 1)
        else:
            assert "2^53" in schema.left_out[0].reason


def test_text_is_told_from_categories_alike():
    words = [f"a b {i % 900}" for i in range(70_000)] + [f"one two three four five {i}" for i in range(90_000)]
    agree(pa.table({"x": words, "key": [f"k{i}" for i in range(160_000)], "n": range(160_000)}))


def test_built_in():
    agree("emoji")
    agree("shapes:test", size=16)


def test_many_files_of_a_folder(tmp_path):
    """The type of a column is what holds for all files, and a column that a file lacks is missing there."""
    contents = {"year=2020/a": "x,y\n1,u\n", "year=2021/a": "x,y\n2.5,v\n", "year=2021/b": "x,y,z\n,u,7\n"}
    for form in ("csv", "parquet", "jsonl"):
        folder = tmp_path / form
        for name, content in contents.items():
            path = folder / f"{name}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            table = pa.csv.read_csv(pa.BufferReader(content.encode()))
            if form == "csv":
                path.write_text(content)
            elif form == "parquet":
                pa.parquet.write_table(table, path)
            else:
                path.write_text("\n".join(map(json.dumps, table.to_pylist())))
        (folder / "_SUCCESS").touch()
        (folder / ".hidden.csv").write_text("other\n1\n")
        records = agree(folder)
        assert records.table.to_pydict() == {
            "x": [1.0, 2.5, None],
            "y": ["u", "v", "u"],
            "year": [2020, 2021, 2021],
            "z": [None, None, 7],
        }


def test_csv_files_that_only_agree_as_words(tmp_path):
    (tmp_path / "a.csv").write_text("x\ntrue\n")
    (tmp_path / "b.csv").write_text("x\n3\n")
    assert agree(tmp_path).column("x").to_pylist() == ["true", "3"]


def test_parquet_files_that_do_not_agree(tmp_path, refuses):
    pa.parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    pa.parquet.write_table(pa.table({"x": ["word"]}), tmp_path / "b.parquet")
    for reader in (pf.read, pf.scan):
        with refuses("'x'", "int64", "string"):
            reader(tmp_path)


def test_chunks_of_pictures_are_small(tmp_path):
    pictures = np.zeros((9, 3000, 3000), np.uint8)
    lazy = pf.scan({"image": pictures})
    assert [len(chunk) for chunk in lazy.chunks()] == [7, 2]


def test_what_was_scanned_is_not_asked_anew(refuses):
    lazy = pf.scan({"a": [1.5, 2.5], "b": [1, 2]})
    assert pf.scan(lazy) is lazy
    for reader in (pf.read, pf.scan):
        with refuses("already scanned"):
            reader(lazy, category=["b"])
    left = lazy.leaving_out(["b"], "not now")
    assert left.schema.names == ("a",) == left.read().names
    assert left.schema.left_out[0].reason == "not now"
    assert "2 × ['a']" in repr(left)


RESIDENT = """
import json, resource, sys
import pushforward as pf
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
pf.scan("penguins")
start = peak()
lazy = pf.scan(sys.argv[1])
rows = sum(len(chunk) for _ in range(2) for chunk in lazy.chunks())
print(json.dumps([peak() - start, rows]))
"""


def _resident(path: Path) -> float:
    shown = subprocess.run([sys.executable, "-c", RESIDENT, str(path)], capture_output=True, text=True, check=True)
    extra, _ = json.loads(shown.stdout)
    return extra


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is in other units elsewhere")
@pytest.mark.parametrize("layout", ["one row group", "row groups", "folder"])
def test_scanning_parquet_holds_little(tmp_path, layout):
    """Four times the rows take no more memory, even in one row group of 256 MiB."""
    assert resource.getrusage(resource.RUSAGE_SELF)  # a Unix
    peaks = []
    rng = np.random.default_rng(0)
    for rows in (500_000, 2_000_000):
        table = pa.table({f"x{i}": rng.standard_normal(rows) for i in range(16)})
        group = rows if layout == "one row group" else 100_000
        path = tmp_path / str(rows) / "a.parquet"
        path.parent.mkdir()
        pa.parquet.write_table(table, path, row_group_size=group, compression="none", use_dictionary=False)
        peaks.append(_resident(path.parent if layout == "folder" else path))
        path.unlink()
    assert peaks[1] < peaks[0] + 48, peaks
    assert peaks[1] < 160, peaks
