"""Delimited text: what divides columns, and line breaks within values."""

from __future__ import annotations

import random

import pytest

import pushforward as pf
from pushforward.data.sources import delimited
from pushforward.data.sources.delimited import Delimited


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_says_what_divides(tmp_path, mark):
    path = tmp_path / "a.csv"
    path.write_text(f"a{mark}b c{mark}d\n1{mark}x{mark}2.5\n")
    assert pf.read(path).table.to_pydict() == {"a": [1], "b c": ["x"], "d": [2.5]}


def test_byte_order_mark_and_windows_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n")
    assert pf.read(path).table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert pf.scan(path).read().table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_zeros_at_the_front_survive_where_a_category_is_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("zip,code,member,x\n01234,7,true,1\n99999,8,false,2\n")
    for reader in (pf.read, pf.scan):
        schema = reader(path, category=["zip", "code", "member"]).schema
        assert schema["zip"].values == ("01234", "99999")
        assert (schema["code"].values, schema["code"].type) == ((7, 8), "int64")
        assert (schema["member"].values, schema["member"].type) == ((False, True), "bool")
    records = pf.read(path, category=["zip", "code", "member"])
    assert records.table.to_pylist()[0] == {"zip": "01234", "code": 7, "member": True, "x": 1}
    again = pf.data.as_records(path, records.schema)
    assert again.table.equals(records.table)


def _table(rng: random.Random) -> tuple[str, bool]:
    """A CSV of one or two columns in which a few values may hold line breaks; and whether one does."""
    rows = rng.randint(5, 60)
    body = ["z" if rng.random() < 0.5 else '"z"' for _ in range(rows)]
    for _ in range(rng.randint(0, 3)):
        parts = [rng.choice(["\n", '""', "1", ",", "x", " "]) for _ in range(rng.randint(1, 12))]
        body[rng.randrange(rows)] = '"' + "".join(parts) + '"'
    keyed = rng.random() < 0.5
    lines = [f"{i},{value}" if keyed else value for i, value in enumerate(body)]
    text = "\n".join(["p,q" if keyed else "q", *lines]) + ("\n" if rng.random() < 0.5 else "")
    return text, any("\n" in value for value in body)


def test_the_quick_reader_takes_no_file_with_line_breaks_in_values(tmp_path, monkeypatch):
    """PyArrow, when its blocks are cut inside a value, misreads silently; here blocks end nearly anywhere."""
    rng, path, taken = random.Random(0), tmp_path / "a.csv", 0
    for _ in range(500):
        text, broken = _table(rng)
        path.write_text(text)
        monkeypatch.setattr(delimited, "BLOCK", rng.randint(12, 200))
        quick = Delimited(path)._read_quickly()
        assert not (broken and quick is not None), text
        if quick is not None:
            monkeypatch.setattr(delimited, "BLOCK", 1 << 20)
            assert quick.to_pydict() == Delimited(path)._read(newlines=True).to_pydict()
            taken += 1
    assert taken > 100  # the test would be empty if it never dared


def test_words_that_mean_missing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,x\nNA,\nnull,n/a\n4,x\n")
    assert pf.read(path).table.to_pydict() == {"a": [1, None, None, 4], "b": ["x", None, None, "x"]}
