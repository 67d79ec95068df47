"""Texts as numbers: known ones come back, order is seen, holes stay holes, what is kept is all there is."""

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.phrases import BUCKETS, Phrases, Phrasing, widths_of
from pushforward.errors import FormatError
from pushforward.saving import shapes

COLOURS, SHAPES = ("red", "blue", "green", "pink"), ("circle", "square", "cross")
ALL = [
    f"a {a} {b} {where} a {c} {d}"
    for a in COLOURS for b in SHAPES for where in ("above", "left of") for c in COLOURS for d in SHAPES
]  # fmt: skip


def test_every_known_text_is_nearest_to_itself():
    phrases = Phrases.of(ALL)
    assert phrases.nearest(phrases.encode(ALL)) == ALL


def test_points_have_length_one():
    y = Phrases.of(ALL).encode(ALL)
    assert y.shape == (len(ALL), 32) and np.allclose(np.linalg.norm(y, axis=1), 1)


def test_what_shares_words_is_nearer():
    phrases = Phrases.of(ALL)
    one, near, far = phrases.encode(
        ["a red circle above a blue square", "a red circle above a blue cross", "a pink cross left of a green circle"]
    )
    assert one @ near > one @ far + 0.2


def test_texts_that_only_order_tells_apart_differ():
    phrases = Phrases.of(ALL)
    one, other = phrases.encode(["a red circle above a blue square", "a blue square above a red circle"])
    assert np.abs(one - other).max() > 0.05


@pytest.mark.parametrize(
    "texts",
    [
        ["same"] * 3,
        [""],
        ["a bar above", "a bar below", "the upper half", "the lower half"],
        [None, None],
        ["a", None, "日本語 の 文"],
    ],
)
def test_few_texts_come_back(texts):
    phrases = Phrases.of(texts)
    assert phrases.nearest(phrases.encode(texts)) == texts
    assert phrases.nearest(phrases.encode([])) == []


def test_what_is_kept_is_all_there_is():
    records = pf.read({"a": ALL, "b": ALL[::-1], "x": range(len(ALL))}, text=["a", "b"])
    one = Phrasing.of(records, records.schema.of_kind(pf.Text))
    other = Phrasing.of_tensors(one.tensors())
    assert widths_of(shapes(one.tensors())) == one.widths == {"a": 32, "b": 32}
    assert other.numbers(records).table.equals(one.numbers(records).table)
    assert other.texts(one.numbers(records), records.schema).table.equals(records.table)


def test_holes_stay_holes():
    records = pf.read(pa.table({"a": pa.array([None, "one text", "two texts"])}), text=["a"])
    phrasing = Phrasing.of(records, records.schema.of_kind(pf.Text))
    numbers = phrasing.numbers(records)
    assert all(numbers.column(name)[0].as_py() is None for name in numbers.names)
    assert phrasing.texts(numbers, records.schema).column("a").to_pylist() == [None, "one text", "two texts"]


@pytest.mark.parametrize("letters", [b"\xff", b"{}", b"[1]"])
def test_letters_that_are_no_texts_are_refused(letters):
    state = Phrases.of(ALL).tensors() | {"letters": torch.tensor(list(letters), dtype=torch.uint8)}
    with pytest.raises(FormatError, match="the known texts are no"):
        Phrases.of_tensors(state)


def test_buckets_are_as_many_as_weights():
    assert len(Phrases.of(["a b"]).weight) == BUCKETS
