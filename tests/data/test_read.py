"""Folders of pictures, text files, and tables of paths."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

import pushforward as pf
from pushforward.data import as_records


@pytest.fixture
def folder(tmp_path, png):
    for i in range(6):
        place = tmp_path / ("cats" if i % 2 else "dogs")
        place.mkdir(exist_ok=True)
        (place / f"{i}.png").write_bytes(png(seed=i))
    return tmp_path


def test_class_folders_become_labels(folder, png):
    records = pf.read(folder)
    assert records.names == ("image", "label")
    assert records.schema["label"].values == ("cats", "dogs")
    assert records.column("label").to_pylist() == ["cats"] * 3 + ["dogs"] * 3
    expected = np.asarray(Image.open(io.BytesIO(png(seed=1))))
    np.testing.assert_array_equal(records.to_numpy()["image"][0], expected)


def test_metadata_adds_columns(folder):
    rows = [{"file_name": f"{'cats' if i % 2 else 'dogs'}/{i}.png", "caption": f"the one and only {i}"} for i in (5, 0)]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    records = pf.read(folder)
    assert records.names == ("image", "caption")
    assert records.column("caption").to_pylist() == ["the one and only 5", "the one and only 0"]
    (folder / "metadata.csv").write_text("file_name,zip\ncats/1.png,01234\ndogs/2.png,99999\n")
    assert pf.read(folder, category="zip").column("zip").to_pylist() == ["01234", "99999"]


def test_pictures_without_classes(tmp_path, png):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png(seed=i))
    assert pf.read(tmp_path).names == ("image",)
    assert pf.read(tmp_path / "1.png").to_numpy()["image"].shape == (1, 4, 5, 3)


def test_size_cuts_the_middle_square(tmp_path):
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, 2:6] = 200
    Image.fromarray(pixels).save(tmp_path / "0.png")
    records = pf.read(tmp_path, size=4)
    assert records.schema["image"].shape == (4, 4, 3)
    assert (records.to_numpy()["image"] == 200).all()
    assert pf.read({"image": pixels[None]}, size=2).schema["image"].shape == (2, 2, 3)


def test_pictures_of_many_modes(tmp_path):
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    clear = np.dstack([grey, grey, grey, np.full_like(grey, 0)])
    Image.fromarray(grey).save(tmp_path / "0.png")
    assert pf.read(tmp_path).schema["image"].channels == 1
    Image.fromarray(grey).convert("P").save(tmp_path / "1.png")
    Image.fromarray(clear).save(tmp_path / "2.png")
    Image.fromarray(grey.astype(np.uint16) * 256).save(tmp_path / "3.png")
    Image.fromarray(grey > 100).save(tmp_path / "4.gif")
    pixels = pf.read(tmp_path).to_numpy()["image"]
    for row in (0, 1, 3):
        np.testing.assert_array_equal(pixels[row], np.dstack([grey] * 3))
    assert (pixels[2] == 255).all()  # what is clear is laid on white
    np.testing.assert_array_equal(pixels[4][..., 0], (grey > 100) * 255)


def test_photos_stand_upright(tmp_path):
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left is the top
    Image.fromarray(pixels).save(tmp_path / "0.jpg", exif=exif, quality=95)
    records = pf.read(tmp_path)
    assert records.schema["image"].shape == (32, 16, 3)
    shown = records.to_numpy()["image"][0]
    assert shown[:14].min() > 200
    assert shown[18:].max() < 50
    assert pf.read(tmp_path, size=8).to_numpy()["image"][0][:3].min() > 200


def test_tables_of_paths(folder):
    (folder / "table.csv").write_text("photo,x\ncats/1.png,1\ndogs/2.png,2\n")
    records = pf.read(folder / "table.csv", image="photo")
    assert records.schema["photo"].shape == (4, 5, 3)
    assert pf.read(folder / "table.csv", image="photo", size=2).schema["photo"].shape == (2, 2, 3)
    assert pf.scan(folder / "table.csv", image="photo").read().table.equals(records.table)
    assert as_records(folder / "table.csv", records.schema).table.equals(records.table)


def test_pictures_that_are_not_there(tmp_path, refuses):
    (tmp_path / "table.csv").write_text("photo,x\ngone.png,1\n")
    with refuses("gone.png", "'photo'", "does not exist"):
        pf.read(tmp_path / "table.csv", image="photo")


def test_parquet_of_packed_pictures(tmp_path, png):
    table = pa.table({"image": [{"bytes": png(seed=i), "path": None} for i in range(5)], "raw": [png(3, 3)] * 5})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    for reader in (pf.read, lambda path: pf.scan(path).read()):
        records = reader(tmp_path / "a.parquet")
        assert records.schema["image"].shape == (4, 5, 3)
        assert records.schema["raw"].shape == (3, 3, 3)


def test_a_row_without_a_picture(refuses, png):
    with refuses("'image'", "lacks 1 picture"):
        pf.read(pa.table({"image": [png(), None], "x": [1, 2]}))


def test_text_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\nthree\n\n")
    assert pf.read(path).column("text").to_pylist() == ["one", "two", "three"]
    path.write_text("\n\none\ntwo\n \n\nthree\n")
    assert pf.read(path).column("text").to_pylist() == ["one\ntwo", "three"]
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    assert pf.read(path).column("text").to_pylist() == ["one", "two"]
    assert pf.read(path).schema["text"].kind == "text"


def test_records_and_words(refuses):
    records = pf.read({"a": [1, 2, 1], "b": [1.5, 2.5, 3.5]})
    assert pf.read(records) is records
    assert pf.read(records, category="a").schema["a"].values == (1, 2)
    assert pf.read(records, leave_out="a").names == ("b",)


def test_dates_and_truths_survive(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("day,at,member\n2020-02-29,2020-02-29 12:30:00,true\n,,\n1969-12-31,1969-12-31 23:59:59,False\n")
    records = pf.read(path)
    assert [str(f.arrow_type) for f in records.schema] == ["date32[day]", "timestamp[s]", "bool"]
    assert records.save(tmp_path / "b.csv").read_text().splitlines()[1:] == [
        "2020-02-29,2020-02-29 12:30:00,true",
        ",,",
        "1969-12-31,1969-12-31 23:59:59,false",
    ]
