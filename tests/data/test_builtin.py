"""Built-in data: what each is, that it is the same each time, and that the shapes are what their captions say."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import pushforward as pf
from pushforward.data import builtin
from pushforward.data.builtin import shapes
from pushforward.data.builtin.shapes import Thing

SIZES = {
    "adult": 48_842,
    "digits": 1_797,
    "emoji": 3_491,
    "grid": 10_000,
    "moons": 4_000,
    "penguins": 344,
    "rings": 4_000,
    "shapes": 4_000,
}


def test_names():
    assert builtin.names() == tuple(SIZES)
    assert all(builtin.about(name).endswith(".") for name in SIZES)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be kept to one core here")
def test_a_process_that_ends_at_once_ends_well():
    """One core, on which threads of Arrow come late, and a table that is there to the end."""
    script = (
        "import os, torch; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from pushforward.data import builtin; table = builtin.load('penguins')"
    )
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", SIZES)
def test_each(name):
    records = pf.read(name)
    assert len(records) == SIZES[name]
    assert records.table.equals(pf.read(name).table)
    assert all("bookkeeping" in column.reason for column in records.schema.left_out)


@pytest.mark.parametrize(
    ("name", "splits"),
    [("adult", ["train", "test"]), ("emoji", ["train", "test", "unseen"]), ("shapes", ["train", "test"])],
)
def test_splits_are_a_partition(name, splits, refuses):
    parts = [pf.read(f"{name}:{split}") for split in splits]
    assert sum(map(len, parts)) == SIZES[name]
    with refuses("'tset'", "did you mean 'test'"):
        pf.read(f"{name}:tset")


def test_data_without_splits_says_so(refuses):
    with refuses("'digits'", "no split 'train'"):
        pf.read("digits:train")


def test_a_file_is_not_hidden_by_a_built_in_name(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "a.csv").write_text("x\n1\n2\n")
    monkeypatch.chdir(tmp_path)
    assert pf.read("./digits").names == ("x",)
    assert pf.read("digits").names == ("image", "label")


def test_kinds_of_tables():
    adult = pf.read("adult").schema
    assert adult["capital_gain"].atoms == (0.0,)
    assert adult["income"].values == ("<=50K", ">50K")
    assert [field.name for field in adult if field.missing] == ["workclass", "occupation", "native_country"]
    penguins = pf.read("penguins").schema
    assert penguins["bill_length_mm"].decimals == 1
    assert penguins["species"].values == ("Adelie", "Chinstrap", "Gentoo")
    assert pf.read("digits").schema["label"].values == tuple(range(10))


def test_toys_are_where_their_names_say():
    moons = pf.read("moons").to_numpy()
    upper = moons["moon"] == "upper"
    assert np.abs(np.hypot(moons["x"][upper], moons["y"][upper]) - 1).max() < 0.3
    rings = pf.read("rings").to_numpy()
    radius = np.array([float(name.split()[1]) for name in rings["ring"]])
    assert np.abs(np.hypot(rings["x"], rings["y"]) - radius).max() < 0.5
    grid = pf.read("grid").to_numpy()
    points = np.stack([grid["x"], grid["y"]], 1)
    assert np.abs(points - np.rint(points)).max() < 0.3
    assert len(np.unique(np.rint(points), axis=0)) == 25


def test_shapes_are_made_quickly_and_always_alike():
    first = shapes.load()
    shapes.load.cache_clear()
    start = time.monotonic()
    assert shapes.load().equals(first)
    assert time.monotonic() - start < 3


def test_shapes_hold_out_combinations():
    unseen = shapes.held_out()
    assert len(unseen) == round(0.15 * len(shapes.KINDS))
    train = pf.read("shapes:train").column("caption").to_pylist()
    names = [Thing(*kind).name for kind in unseen]
    assert not [caption for caption in train if any(name in caption for name in names)]
    seen = set(shapes.KINDS) - unseen
    for place in range(3):  # every colour, shape and size is learned from some other combination
        assert {kind[place] for kind in seen} == {kind[place] for kind in shapes.KINDS}
    test = pf.read("shapes:test").column("caption").to_pylist()
    assert all(any(name in caption for name in names) for caption in test)


def test_captions():
    red, blue = Thing("red", "circle", "small", 0.2, 0.5), Thing("blue", "square", "large", 0.7, 0.4)
    assert shapes.caption([red, blue]) == "a small red circle left of a large blue square"
    assert shapes.caption([blue, red]) == "a large blue square right of a small red circle"
    assert shapes.caption([blue]) == "a large blue square"
    above = Thing("green", "triangle", "large", 0.6, 0.1)
    assert shapes.caption([above, blue]) == "a large green triangle above a large blue square"
    assert shapes.relation(blue, above) == "below"


def _mask(pixels: np.ndarray, colour: str) -> np.ndarray:
    return np.abs(pixels.astype(int) - shapes.COLOURS[colour]).max(-1) < 12


def test_pictures_show_what_captions_say():
    """From the pixels alone: the colours that are there, where they stand, and that nothing touches."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        things = shapes.scene(rng)
        pixels = shapes.draw(things)
        assert pixels.shape == (32, 32, 3)
        assert (pixels[[0, -1]] == 255).all()
        assert (pixels[:, [0, -1]] == 255).all()
        if len(things) == 2 and things[0].colour != things[1].colour:
            places = [np.argwhere(_mask(pixels, thing.colour)).mean(0) for thing in things]
            down, across = places[0] - places[1]
            said = shapes.relation(*things)
            if said in ("left of", "right of"):
                assert abs(across) > abs(down)
                assert (across < 0) == (said == "left of")
            else:
                assert abs(down) > abs(across)
                assert (down < 0) == (said == "above")


def test_things_do_not_overlap():
    rng = np.random.default_rng(2)
    for _ in range(300):
        things = shapes.scene(rng)
        ink = [(shapes.draw([thing]) < 250).any(-1) for thing in things]
        if len(things) == 2:
            assert not (ink[0] & ink[1]).any()
            assert things[0].kind != things[1].kind


def _ink(thing: Thing, side: int) -> np.ndarray:
    """Where the thing is, cut to the box around it."""
    there = (shapes.draw([thing], side) < 128).all(-1)
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return there[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_shapes_fill_their_box_as_geometry_says():
    filled = {shape: _ink(Thing("black", shape, "large"), 256).mean() for shape in shapes.SHAPES}
    expected = {"circle": np.pi / 4, "square": 1, "triangle": 1 / 2, "cross": 2 * 0.32 - 0.32**2}
    assert filled == pytest.approx(expected, abs=0.02)


def test_large_things_are_larger():
    area = {(s, shape): _ink(Thing("black", shape, s), 32).sum() for s in shapes.SIZES for shape in shapes.SHAPES}
    large, small = ([area[size, shape] for shape in shapes.SHAPES] for size in ("large", "small"))
    assert min(large) > 1.5 * max(small)


def test_edges_are_smooth():
    pixels = shapes.draw([Thing("black", "circle", "large")])[..., 0]
    assert ((pixels > 60) & (pixels < 240)).sum() > 8


def test_colours_are_told_apart():
    colours = np.array(list(shapes.COLOURS.values()))
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1) + 1000 * np.eye(len(colours))
    assert apart.min() > 60
