"""Text as hashed pieces."""

import subprocess
import sys

import torch

from pushforward.data.encodings.tokens import BUCKETS, LENGTH, hashed, tokens


def test_numbers_are_within_the_buckets_and_never_the_padding():
    seen = [n for i in range(3000) for n in tokens(f"word{i} thing")]
    assert min(seen) >= 1 and max(seen) < BUCKETS


def test_numbers_are_the_same_in_another_process():
    command = [
        sys.executable,
        "-c",
        "from pushforward.data.encodings.tokens import tokens; print(tokens('a red circle'))",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert done.stdout.strip() == str(tokens("a red circle"))


def test_order_tells_and_case_does_not():
    assert sorted(tokens("red left of blue")) != sorted(tokens("blue left of red"))
    assert tokens("A Red Circle") == tokens("a red circle")


def test_a_word_never_seen_shares_pieces_with_its_neighbours():
    assert len(set(tokens("circles")) & set(tokens("circle"))) >= 3


def test_texts_are_padded_cut_and_empty_where_missing():
    out = hashed(["a red circle", None, "", "word " * 400])
    assert out.shape == (4, LENGTH) and out.dtype == torch.int64
    assert out[0, : len(tokens("a red circle"))].tolist() == tokens("a red circle") and out[0, 11:].sum() == 0
    assert out[1].sum() == 0 and out[2].sum() == 0 and (out[3] > 0).all()


def test_a_row_does_not_depend_on_the_others():
    assert torch.equal(hashed(["a", "a much longer text"])[0], hashed(["a"])[0])


def test_no_rows():
    assert hashed([]).shape == (0, LENGTH)
