"""Texts as vectors: order, characters, words left out."""

from itertools import pairwise

import pytest
import torch

from pushforward.nets.seen import Seen
from pushforward.nets.texts import Texts, equal
from pushforward.training.randomness import scope


@pytest.fixture(scope="module")
def texts():
    with scope(0):
        return Texts(16).eval()


def of(texts, *said):
    with torch.no_grad():
        return texts(texts.tokens(said))


SWAPPED = [
    ("a small red circle left of a small blue circle", "a small blue circle left of a small red circle"),
    ("a large red circle left of a small red circle", "a small red circle left of a large red circle"),
]


@pytest.mark.parametrize("one, other", SWAPPED)
def test_who_stands_where_matters(texts, one, other):
    a, b = of(texts, one, other)
    assert (a - b).abs().max() > 1e-2


@pytest.mark.parametrize("one, other", SWAPPED)
def test_a_bag_of_words_and_of_pairs_could_not_tell(one, other):
    a, b = one.split(), other.split()
    assert sorted(a) == sorted(b) and sorted(pairwise(a)) == sorted(pairwise(b))


def test_a_text_is_the_same_in_any_company(texts):
    alone = of(texts, "a red circle")[0]
    beside = of(texts, "a very much longer text about a circle that is red", "a red circle", None)[1]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_a_word_never_seen_is_near_its_relatives(texts):
    a, b, c = of(texts, "circle", "circles", "hippopotamus")
    assert (a - b).norm() < (a - c).norm()


def test_nothing_is_finite_and_all_nothing_is_alike(texts):
    out = of(texts, None, "", "...")
    assert out.isfinite().all() and torch.equal(out[0], out[1]) and torch.equal(out[0], out[2])


def test_words_are_left_out_in_training_only_and_never_all(texts):
    tokens = texts.tokens(["a red circle on a green field"])
    assert torch.equal(texts(tokens, 0.5), texts(tokens, 0.5))
    texts.train()
    try:
        with scope(0):
            some = [texts(tokens, 0.9) for _ in range(20)]
    finally:
        texts.eval()
    empty = of(texts, "")[0]
    assert all((one[0] - empty).abs().max() > 1e-3 for one in some)
    assert any(not torch.equal(some[0], one) for one in some[1:])


def test_words_can_be_known_by_their_characters_alone():
    with scope(0):
        texts = Texts(8, forget=1.0 - 1e-9)
        tokens = texts.tokens(["red"])
        own = texts.table.weight.detach().clone()
        texts(tokens).sum().backward()
        touched = texts.table.weight.grad.abs().sum(1) > 0
        assert 0 < touched.sum() <= 2 * (len([n for n in tokens[0, 0].tolist() if n]) - 1)
        assert torch.equal(own, texts.table.weight)


def test_equal_texts_are_found_words_or_vectors():
    both = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.bool)
    texts = Texts(8)
    assert torch.equal(equal(*[texts.tokens(["red one", "one red", "Red, one"])] * 2), both)
    assert torch.equal(equal(*[torch.tensor([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]])] * 2), both)


def test_what_was_not_learned_from_is_no_noise():
    with scope(0):
        texts = Texts(8).eval()
    known, kin, foreign = (texts.tokens([word]) for word in ("circle", "circles", "mug"))
    before, _ = texts._words(kin)
    texts.remember(known)
    (own, one), (near, two), (far, none) = (texts._words(tokens) for tokens in (known, kin, foreign))
    assert one[0, 0] and two[0, 0] and not none[0, 0] and own.any() and not far[0, 0].any()
    assert near[0, 0].any() and not torch.equal(near, before) and not torch.equal(near[0, 0], own[0, 0])
    shared = set(known[0, 0].tolist()) & set(kin[0, 0, 1:].tolist()) - {0}
    only = torch.tensor([[[kin[0, 0, 0].item(), *shared]]], dtype=torch.int32)
    assert torch.allclose(near[0, 0], texts._words(only)[0][0, 0], atol=1e-6)
    assert torch.equal(of(texts, "mug"), of(texts, "")) and torch.allclose(of(texts, "circle mug"), of(texts, "circle"))


def test_other_scripts_are_read_where_they_were_learned():
    with scope(0):
        texts = Texts(8).eval()
    said = ["красный квадрат", "赤い四角", "青い四角"]
    texts.remember(texts.tokens(said))
    a, b, c = of(texts, *said)
    assert (a - b).abs().max() > 1e-2 and (b - c).abs().max() > 1e-2


def test_words_that_come_later_are_remembered_too():
    texts = Texts(8)
    tokens = texts.tokens(["red", "blue"])
    for row in tokens[:, None]:
        texts.remember(row)
    assert texts.words(tokens[:, 0, 0]).all() and not texts.words(texts.tokens(["green"])[:, 0, 0]).any()


def test_many_hashes_are_told_from_those_not_seen():
    generator = torch.Generator().manual_seed(0)
    hashes = torch.randint(1, 2**31 - 1, (100_000,), generator=generator)
    seen = Seen()
    assert seen(hashes).all()
    seen.keep(torch.cat([hashes[:20_000], torch.zeros(3, dtype=torch.int64)]))
    seen.keep(hashes[20_000:50_000])
    assert seen(hashes[:50_000]).all() and seen(hashes[50_000:]).float().mean() < 0.02
