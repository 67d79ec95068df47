"""Text as hashed words and their n-grams."""

import os
import subprocess
import sys

import torch

from pushforward.data.encodings.tokens import PIECES, WORDS, hashed, pieces, words


def test_numbers_are_positive_and_fit_into_32_bits():
    seen = [n for i in range(3000) for n in pieces(f"word{i}")]
    assert min(seen) >= 1 and max(seen) < 2**31


def test_numbers_are_the_same_in_another_process():
    code = "from pushforward.data.encodings.tokens import pieces; print(pieces('circle'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert done.stdout.strip() == str(pieces("circle"))


def test_words_are_small_letters_without_stops_and_joined_ones_stay_joined():
    assert words("A Red Circle, left of: (it)!") == ["a", "red", "circle", "left", "of", "it"]
    assert words("medium-dark skin") == ["medium-dark", "skin"] and words("keycap: #") == ["keycap", "#"]
    assert words(None) == words("") == words(" … . ")[:0] == []


def test_scripts_without_spaces_are_read_sign_by_sign():
    assert words("赤い円 left") == ["赤", "い", "円", "left"]
    assert words("красный круг") == ["красный", "круг"]


def test_a_word_never_seen_shares_pieces_with_its_neighbours():
    assert len(set(pieces("circles")) & set(pieces("circle"))) >= 8
    assert pieces("circles")[0] != pieces("circle")[0]


def test_texts_are_padded_cut_and_empty_where_missing():
    out = hashed(["a red circle", None, "", "word " * 400])
    assert out.shape == (4, WORDS, PIECES) and out.dtype == torch.int32
    assert out[0, 1, : len(pieces("red"))].tolist() == pieces("red") and not out[0, 3:].any()
    assert not out[1:3].any() and (out[3, :, 0] > 0).all()


def test_a_row_does_not_depend_on_the_others():
    assert torch.equal(hashed(["a", "a much longer text"])[0], hashed(["a"])[0])


def test_a_long_word_is_cut():
    assert len(pieces("x" * 300)) == PIECES


def test_no_rows():
    assert hashed([]).shape == (0, WORDS, PIECES)
