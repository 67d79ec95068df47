"""Neighbours by caption."""

import torch

from pushforward.data.encodings.tokens import hashed
from pushforward.text_image.neighbours import Neighbours, bags

CAPTIONS = [f"a {size} {colour} {shape}" for size in ("small", "large") for colour in ("red", "blue", "green", "pink")
            for shape in ("circle", "square")]  # fmt: skip


def pool(texts=None):
    tokens = hashed(CAPTIONS) if texts is None else texts
    return Neighbours({"row": torch.arange(len(tokens))}, tokens, torch.Generator().manual_seed(0))


def test_neighbours_share_all_but_one_word():
    seeds = {"row": torch.arange(5)}
    out = pool().beside(seeds, hashed(CAPTIONS[:5]), 2, torch.Generator().manual_seed(0))["row"]
    assert out[:5].tolist() == list(range(5)) and len(out) == 15
    for i, row in enumerate(out[5:].tolist()):
        ours, theirs = set(CAPTIONS[i // 2].split()), set(CAPTIONS[row].split())
        assert ours != theirs and len(ours & theirs) >= 2


def test_a_pool_of_one_text_still_gives_records():
    out = pool(hashed(["red"] * 3)).beside({"row": torch.arange(2)}, hashed(["red", "blue"]), 1, torch.Generator())
    assert len(out["row"]) == 4


def test_vectors_are_taken_as_they_are():
    x = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert torch.allclose(bags(x), torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
