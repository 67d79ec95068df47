"""Neighbours by caption."""

import torch

from pushforward.data.encodings.tokens import hashed
from pushforward.text_image.neighbours import Neighbours, bags

CAPTIONS = [f"a {size} {colour} {shape}" for size in ("small", "large") for colour in ("red", "blue", "green", "pink")
            for shape in ("circle", "square")]  # fmt: skip


def source():
    return torch.Generator().manual_seed(0)


def laid(*columns):
    """Records of some columns of texts, None where there is none."""
    told = torch.tensor([[text is not None for text in column] for column in columns]).T
    texts = {f"text.{i}": hashed(column) for i, column in enumerate(columns)}
    return {"row": torch.arange(len(told)), "told": told, **texts}


def beside(pool, seeds, many, which=0):
    which = torch.full((len(seeds["row"]),), which)
    return Neighbours(pool, source()).beside(seeds | {"which": which}, many, source())


def test_neighbours_share_all_but_one_word():
    out = beside(laid(CAPTIONS), laid(CAPTIONS[:5]), 2)["row"]
    assert out[:5].tolist() == list(range(5)) and len(out) == 15
    for i, row in enumerate(out[5:].tolist()):
        ours, theirs = set(CAPTIONS[i // 2].split()), set(CAPTIONS[row].split())
        assert ours != theirs and len(ours & theirs) >= 2


def test_a_pool_of_one_text_still_gives_records():
    assert len(beside(laid(["red"] * 3), laid(["red", "blue"]), 1)["row"]) == 4


def test_neighbours_are_found_by_the_text_that_a_record_is_known_by():
    """The first text is missing, or says nothing of the second, which is what counts."""
    first = [None if i % 2 else "one of many" for i in range(len(CAPTIONS))]
    pool = laid(first, CAPTIONS)
    out = beside(pool, {name: tensor[:6] for name, tensor in pool.items()}, 3, which=1)
    assert out["which"].tolist() == [1] * 24
    for i, row in enumerate(out["row"][6:].tolist()):
        ours, theirs = set(CAPTIONS[i // 3].split()), set(CAPTIONS[row].split())
        assert ours != theirs and len(ours & theirs) >= 2


def test_a_neighbour_is_known_by_a_text_that_it_has_and_who_has_none_is_no_neighbour():
    pool = laid([None, None, "a red cat", None], ["a blue dog", "a pink dog", None, None])
    out = beside(pool, {name: tensor[2:3] for name, tensor in pool.items()}, 4)
    assert set(out["row"][1:].tolist()) == {0, 1, 2}
    assert out["told"].gather(1, out["which"][:, None]).all()


def test_vectors_are_taken_as_they_are():
    x = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert torch.allclose(bags(x), torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
