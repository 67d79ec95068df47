"""Texts as numbers beside other columns: they come back, holes stay holes, what is kept is all there is."""

import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.adversarial.phrasing import Phrasing
from pushforward.errors import FormatError

ALL = [f"a {a} {b}" for a in ("red", "blue", "green") for b in ("circle", "square", "cross")]


@pytest.fixture(scope="module")
def records():
    table = {"a": [None, *ALL[1:]], "b": ALL[::-1], "x": range(len(ALL))}
    return pf.read(pa.table(table), text=["a", "b"])


@pytest.fixture(scope="module")
def phrasing(records):
    return Phrasing.of(records, records.schema.of_kind(pf.Text))


def test_texts_and_holes_come_back(phrasing, records):
    numbers = phrasing.numbers(records)
    assert numbers.schema == phrasing.schema(records.schema) and numbers.names[-1] == "x"
    assert all(numbers.column(name)[0].as_py() is None for name in numbers.names if name.startswith("a"))
    assert phrasing.texts(numbers, records.schema).table.equals(records.table)


def test_what_is_kept_is_all_there_is(phrasing, records):
    other = Phrasing.empty(phrasing.sizes)
    other.load(phrasing.tensors())
    assert other.widths == phrasing.widths
    assert other.numbers(records).table.equals(phrasing.numbers(records).table)


def test_letters_that_are_no_words_are_refused(phrasing):
    for letters in (torch.full_like, torch.zeros_like):
        state = dict(phrasing.tensors())
        state["b.spelling"] = letters(state["b.spelling"], *([255] if letters is torch.full_like else []))
        with pytest.raises(FormatError, match="the words of 'b' cannot be read"):
            Phrasing.empty(phrasing.sizes).load(state)
