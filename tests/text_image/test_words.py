"""Words: every text comes back, whatever was seen before."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pushforward as pf
from pushforward.text_image.words import BYTES, END, FIRST, HOLE, SPELL, Words, normal, pieces

SEEN = ["a small red circle left of a large blue square", "man running, medium-dark skin tone", "family: woman, girl"]
ODD = [
    "हिन्दी में लिखा, अच्छा!",
    "中文字幕 test 字", "日本語のテキスト。", "Ünïcödé — dash", "a/b / c", "(x) [y]", "don't stop- now",
    "👩‍👩‍👧 family", "\x00x", "مرحبا بالعالم", "İstanbul", "a - b", "-", "", "3.14 %",
    "e\u0301 a\u0323\u0300", "  A\tB\n",
]  # fmt: skip


@pytest.fixture(scope="module")
def words():
    return Words.of(SEEN)


@pytest.mark.parametrize("text", [*SEEN, *ODD])
def test_a_text_comes_back_whether_its_words_are_known_or_not(words, text):
    for known in (words, Words.of(ODD), Words([], [])):
        assert known.written(known.read(text)) == normal(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.lists(st.text(max_size=10), max_size=4))
def test_any_text_comes_back(text, seen):
    known = Words.of(seen)
    tokens = known.read(text)
    assert known.written(tokens) == normal(text)
    assert all(END < token < len(known) for token in tokens)


def test_normal_texts_stay():
    for text in (*SEEN, *ODD):
        assert normal(normal(text)) == normal(text)


def test_known_words_are_one_number_each(words):
    assert len(words.read(SEEN[0])) == 10
    assert pieces(SEEN[1]) == ["man", "running", ",", "medium-dark", "skin", "tone"]
    assert words.read("girl, woman") == [words.read(each)[0] for each in ("girl", ",", "woman")]


def test_unknown_words_are_spelled_and_said(words):
    tokens = words.read("red balloon")
    assert tokens[1] == SPELL and len(tokens) == 2 + len("balloon") and words.strange("red balloon") == ["balloon"]
    assert all(token >= FIRST for token in words.read("red"))
    assert [token - BYTES for token in words.read("ж")[1:]] == list("ж".encode())


def test_frequent_words_are_kept():
    few = Words.of(["b a a", "a c"], words=2)
    assert few.words == ("a", "b") and few.written(few.read("c a")) == "c a"


def test_grids_are_ended_filled_up_and_cut(words):
    grid = words.grid(["red circle", None, SEEN[0], ""], 5)
    assert grid.shape == (4, 5)
    assert grid[0].tolist()[2:] == [END] * 3 and grid[1].tolist() == [HOLE] + [END] * 4
    assert words.written(grid[2].tolist()) == "a small red circle left" and words.written(grid[3].tolist()) == ""


def test_ten_thousand_characters_are_cut(words):
    grid = words.grid(["x" * 10_000], 16)
    assert words.written(grid[0].tolist()) == "x" * 15


def test_any_numbers_are_some_text(words):
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        tokens = torch.randint(len(words), (12,), generator=generator).tolist()
        text = words.written(tokens)
        assert isinstance(text, str)


def test_what_was_saved_is_read(words):
    again = Words.restored(words.state())
    assert again.words == words.words and again.characters == words.characters
    assert len(Words.restored(Words([], []).state())) == len(Words([], []))


@pytest.mark.parametrize(
    "state",
    [
        {"characters": torch.tensor([97, 97], dtype=torch.uint8), "words": torch.zeros(0, dtype=torch.uint8)},
        {"characters": torch.zeros(0, dtype=torch.uint8), "words": torch.tensor([97, 10, 97], dtype=torch.uint8)},
        {"characters": torch.zeros(0, dtype=torch.uint8), "words": torch.tensor([255], dtype=torch.uint8)},
    ],
)
def test_what_is_no_vocabulary_is_refused(state):
    with pytest.raises(pf.errors.FormatError):
        Words.restored(state)
