"""Every bad input is refused in one line that names the thing and the cure, or is left out and reported."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

import pushforward as pf


def test_missing_file(tmp_path, refuses):
    (tmp_path / "people.csv").write_text("a,b\n1,2\n")
    with refuses("poeple.csv", "did you mean 'people.csv'"):
        pf.read(tmp_path / "poeple.csv")
    with refuses("'digit'", "did you mean 'digits'"):
        pf.read("digit")


def test_names_that_no_system_takes(refuses):
    for name in ("a\0b", "x" * 5000, ""):
        with refuses():
            pf.read(name)


def test_unknown_format(tmp_path, refuses):
    path = tmp_path / "people.xls"
    path.write_bytes(b"something")
    with refuses("people.xls", "unknown format", ".csv"):
        pf.read(path)


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "a.parquet", "a.jsonl", "a.npz", "a.npy", "a.txt", "a.png", "a.arrow"]
)
def test_empty_file(tmp_path, refuses, name):
    path = tmp_path / name
    path.touch()
    for reader in (pf.read, pf.scan):
        with refuses(name, "is empty", "at least one row"):
            reader(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "a,b\n"), ("a.csv", "a,b"), ("a.csv", "\n\n"), ("a.txt", "\n \n"), ("a.jsonl", "\n")],
)
def test_header_only(tmp_path, refuses, name, content):
    path = tmp_path / name
    path.write_text(content)
    for reader in (pf.read, pf.scan):
        with refuses(name, "at least one"):
            reader(path)


def test_no_rows_in_frames_and_arrays(refuses):
    for data in (pd.DataFrame({"a": []}), pl.DataFrame({"a": []}), {"a": []}, np.empty((0, 3)), pa.table({"a": []})):
        for reader in (pf.read, pf.scan):
            with refuses("no rows", "at least one"):
                reader(data)


def test_ragged_rows_say_which(tmp_path, refuses):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3\n4,5\n")
    for reader in (pf.read, pf.scan):
        with refuses("a.csv", "Row #3", "Expected 2 columns, got 1", "mend that row"):
            reader(path)


def test_two_columns_of_one_name(tmp_path, refuses):
    path = tmp_path / "a.csv"
    path.write_text("age,age\n1,2\n")
    for reader in (pf.read, pf.scan):
        with refuses("a.csv", "'age'", "rename one"):
            reader(path)
    with refuses("DataFrame", "'age'", "rename one"):
        pf.read(pd.DataFrame([[1, 2]], columns=["age", "age"]))
    with refuses("'age'", "rename one"):
        pf.read(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["age", "age"]))
    with refuses("'x0'", "rename one"):
        pf.read({"x": np.ones((2, 2)), "x0": np.ones(2)})


def test_column_all_missing_is_left_out_and_reported(tmp_path, refuses):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,\n2,\n")
    for schema in (pf.read(path).schema, pf.scan(path).schema):
        assert schema.names == ("a",)
        assert [(column.name, column.reason) for column in schema.left_out] == [("b", "all its cells are missing")]
    with refuses("'b'", "all missing", "leave it out"):
        pf.read(path, number=["b"])
    with refuses("no column is left", "a: as asked", "b: all its cells are missing"):
        pf.read(path, leave_out=["a"])


def test_constant_column_stays(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,x,2.5\n1,x,2.5\n")
    schema = pf.read(path).schema
    assert (schema["a"].low, schema["a"].high) == (1, 1)
    assert schema["b"].values == ("x",)
    assert schema["c"].low == schema["c"].high == 2.5


def test_infinite_values(tmp_path, refuses):
    path = tmp_path / "a.csv"
    path.write_text("a\n1.5\ninf\n")
    for data in (path, {"a": [1.0, -np.inf]}, np.array([[np.inf]])):
        for reader in (pf.read, pf.scan):
            with refuses("infinite", "replace them"):
                reader(data)


def test_whole_numbers_beyond_double_precision(refuses):
    big = 2**60
    few = pf.read({"code": [big, big + 1] * 50, "x": range(100)})
    assert few.schema["code"].values == (big, big + 1)
    assert few.column("code").to_pylist()[:2] == [big, big + 1]
    many = pf.read({"code": range(big, big + 100), "x": range(100)})
    assert many.schema.names == ("x",)
    assert "2^53" in many.schema.left_out[0].reason
    with refuses("'code'", "2^53", "category='code'"):
        pf.read({"code": [big, big + 1] * 50, "x": range(100)}, number=["code"])


def test_rare_big_number_is_not_lost():
    """A value that only a full look finds is among the values of the category."""
    values = np.full(20_000, 2**60)
    values[12_345] = 7
    assert pf.read(pa.table({"code": values})).schema["code"].values == (7, 2**60)


MANY = """
import json, resource, sys, time
import pushforward as pf
table = pf.read("penguins")
loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.monotonic()
{call}
seconds = time.monotonic() - start
extra = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - loaded
reason = next(column.reason for column in schema.left_out if column.name == "key")
print(json.dumps([seconds, extra / 2**20, schema.names, reason]))
"""


@pytest.mark.parametrize("call", ["schema = pf.read(sys.argv[1]).schema", "schema = pf.scan(sys.argv[1]).schema"])
def test_300_000_different_strings(tmp_path, call):
    path = tmp_path / "keys.csv"
    with path.open("w") as file:
        file.write("key,x\n")
        file.writelines(f"person-{i:08x}-{i * 2654435761 % 2**32:08x},{i % 97}\n" for i in range(300_000))
    code = MANY.format(call=call)
    shown = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    seconds, gib, names, reason = json.loads(shown)
    assert names == ["x"]
    assert "1,000 different values in 300,000 rows" in reason
    assert seconds < 10
    assert gib < 1


def test_truncated_png(tmp_path, refuses, png):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png(seed=i))
    (tmp_path / "1.png").write_bytes(png(32, 32)[:200])
    with refuses("1.png", "damaged", "leave it out"):
        pf.read(tmp_path, size=4)
    (tmp_path / "1.png").write_bytes(b"")
    with refuses("1.png", "no picture"):
        pf.read(tmp_path)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + _chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9_000, 12_000, 50_000])
def test_decompression_bomb_picture(tmp_path, refuses, side):
    (tmp_path / "bomb.png").write_bytes(_bomb(side))
    for options in ({}, {"size": 8}):
        with refuses("bomb.png", "refused before it is unpacked", "scale it down"):
            pf.read(tmp_path, **options)


def test_decompression_bomb_npz(tmp_path, refuses):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as entry:
        entry.write(b"\0" * (1 << 20))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size, as the directory of the archive tells it
    content[place : place + 4] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(content)
    with refuses("bomb.npz", "4.0 GiB", "refused before it does"):
        pf.read(path)


@pytest.mark.parametrize("ending", [".npz", ".npy"])
def test_array_that_promises_more_than_it_holds(tmp_path, refuses, ending):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**50,)})
    path = tmp_path / f"a{ending}"
    if ending == ".npy":
        path.write_bytes(header.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", header.getvalue())
    with refuses("says it holds", "damaged"):
        pf.read(path)


def test_npz_with_pickled_objects(tmp_path, refuses):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}, None], dtype=object))
    np.save(tmp_path / "a.npy", np.array([print], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps([1, 2]))
    for name in ("a.npz", "a.npy"):
        with refuses(name, "pickled objects", "save plain number arrays"):
            pf.read(tmp_path / name)
    with refuses("b.npz", "save plain number arrays"):
        pf.read(tmp_path / "b.npz")


def test_pictures_of_several_sizes(tmp_path, refuses, png):
    (tmp_path / "0.png").write_bytes(png(4, 5))
    (tmp_path / "1.png").write_bytes(png(6, 5))
    for reader in (pf.read, pf.scan):
        with refuses("'image'", "2 sizes", "4×5, 6×5", "size="):
            reader(tmp_path)
    assert pf.read(tmp_path, size=4).schema["image"].shape == (4, 4, 3)
    for size in (0, -1, 2.5, "8", True, 10**9):
        with refuses("size=", "whole number of pixels"):
            pf.read(tmp_path, size=size)


def test_column_that_does_not_exist(refuses):
    data = {"weight": [1.5, 2.5], "town": ["a", "b"]}
    for word in ("text", "category", "number", "image", "leave_out"):
        with refuses(f"{word}='wieght'", "did you mean 'weight'", "There are: weight, town"):
            pf.read(data, **{word: ["wieght"]})
    with refuses("'wieght'", "did you mean 'weight'"):
        pf.read(data, atoms={"wieght": [0]})
    records = pf.read(data)
    for call in (records.select, records.without):
        with refuses("'wieght'", "did you mean 'weight'"):
            call(["wieght"])
    with refuses("'wieght'", "did you mean 'weight'"):
        records.column("wieght")


def test_words_that_contradict(refuses):
    with refuses("'a'", "two kinds"):
        pf.read({"a": [1]}, text="a", category="a")
    for word, value in [("text", 3), ("atoms", ["a"]), ("resolution", {"a": 0}), ("resolution", {"a": "fine"})]:
        with refuses(word):
            pf.read({"a": [1.5]}, **{word: value})
    for value in (["x"], 3, [np.nan]):
        with refuses("atoms of 'a'"):
            pf.read({"a": [1.5]}, atoms={"a": value})


def test_kind_that_cannot_be(refuses):
    for word, value in [("number", "b"), ("image", "a"), ("text", "a"), ("category", "when")]:
        with refuses(f"'{value}'", "holds"):
            pf.read(
                {"a": [1, 2], "b": ["x", "y"], "when": np.array(["2020-01-01", "2020-01-02"], "M8[D]")}, **{word: value}
            )


def test_files_of_other_text_encodings(tmp_path, refuses):
    path = tmp_path / "a.csv"
    for content in ("a,b\n1,é\n".encode("latin-1"), "é,b\n1,2\n".encode("latin-1"), "a,b\n1,é\n".encode("utf-16")):
        path.write_bytes(content)
        for reader in (pf.read, pf.scan):
            with refuses("a.csv", "UTF-8"):
                reader(path)
    (tmp_path / "a.txt").write_bytes("é".encode("latin-1"))
    with refuses("a.txt", "UTF-8"):
        pf.read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.arrow", "a.jsonl", "a.csv.gz", "a.npz", "a.npy", "a.png", "a.feather"]
)
def test_files_of_garbage(tmp_path, refuses, name):
    path = tmp_path / name
    path.write_bytes(b"certainly not what the name says" * 10)
    for reader in (pf.read, pf.scan):
        with refuses(name):
            reader(path)


def test_json_that_is_no_lines_of_objects(tmp_path, refuses):
    path = tmp_path / "a.jsonl"
    for content in ('[{"a": 1}]', "1\n2\n", '{"a": 1, "a": 2}', '{"a": 1}\n{"a": "x"}\n', '{"a": '):
        path.write_text(content)
        with refuses("a.jsonl", "one object a line"):
            pf.read(path)


def test_saved_model_is_no_data(tmp_path, refuses):
    (tmp_path / "model.json").write_text("{}")
    with refuses("saved model", "load()"):
        pf.read(tmp_path)


def test_folder_of_nothing(tmp_path, refuses):
    (tmp_path / "notes.md").write_text("hello")
    with refuses("neither pictures nor tables", ".csv"):
        pf.read(tmp_path)


def test_metadata_naming_missing_files(tmp_path, refuses, png):
    (tmp_path / "0.png").write_bytes(png())
    rows = [{"file_name": name, "caption": "x"} for name in ("0.png", "gone.png", "lost.png", "../0.png", "/0.png")]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with refuses("metadata.jsonl", "4 pictures", "'gone.png', 'lost.png', '../0.png', …"):
        pf.read(tmp_path)
    (tmp_path / "metadata.csv").write_text("name,caption\n0.png,x\n")
    with refuses("metadata.csv", "no column 'file_name'"):
        pf.read(tmp_path)


def test_columns_of_unlike_length(refuses):
    with refuses("differ in length", "a: 2, b: 3"):
        pf.read({"a": [1, 2], "b": [1, 2, 3]})


@pytest.mark.parametrize(
    "data", [3, None, [1, 2], {1: [2]}, {}, {"a": 5}, {"a": "word"}, {"a": [1, "x"]}, {"a": [object()]}]
)
def test_things_that_are_no_data(refuses, data):
    with refuses():
        pf.read(data)


def test_arrays_of_no_use(refuses):
    for array in (np.array(5.0), np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 2, 2), np.uint8), np.array([1j])):
        with refuses("'x'"):
            pf.read(array)
    with refuses("at most 4 channels", "channels last"):
        pf.read(np.zeros((2, 3, 32, 32), np.uint8))


def test_frame_with_a_column_of_mixed_things(refuses):
    with refuses("'mixed'"):
        pf.read(pd.DataFrame({"fine": [1, 2], "mixed": [1, "x"]}))


def test_parquet_with_text_that_is_none(tmp_path, refuses):
    """Bytes that claim to be text are found at the door, not at the first draw."""
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(struct.pack("3i", 0, 1, 2)), pa.py_buffer(b"\xff\xfe")]
    )
    pa.parquet.write_table(pa.table({"a": broken}), tmp_path / "a.parquet")
    for reader in (pf.read, pf.scan):
        with refuses("a.parquet"):
            reader(tmp_path / "a.parquet")
