"""Texts as vectors and back: exact on texts that were seen, on combinations that were not, and under noise."""

import itertools

import pytest
import torch

from pushforward.nets.wording import Wording

SIZES, COLOURS, SHAPES = ("small", "large"), ("red", "blue", "green", "pink"), ("circle", "square", "cross")
THINGS = [f"a {size} {colour} {shape}" for size, colour, shape in itertools.product(SIZES, COLOURS, SHAPES)]
PAIRS = [f"{a} {how} {b}" for a, b in itertools.permutations(THINGS, 2) for how in ("left of", "above")]
SEEN, NEW = [t for i, t in enumerate(PAIRS) if i % 5], PAIRS[::5]


@pytest.fixture(scope="module")
def wording():
    return Wording.of(SEEN, width=32).learn(SEEN, steps=300)


def share(wording, texts, noise=0.0):
    vectors = wording.encode(texts)
    noise = noise * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(0))
    return sum(a == b for a, b in zip(wording.decode(vectors + noise), texts, strict=True)) / len(texts)


def test_texts_come_back_and_so_do_combinations_never_seen(wording):
    assert share(wording, SEEN) > 0.98 and share(wording, NEW) > 0.95


def test_what_is_a_little_off_still_reads_as_the_text(wording):
    assert share(wording, NEW, noise=0.3) > 0.85


def test_vectors_are_standard_over_the_texts(wording):
    vectors = wording.encode(SEEN)
    assert vectors.mean(0).abs().max() < 1e-4 and (vectors.std(0, unbiased=False) - 1).abs().max() < 1e-3


def test_order_is_kept(wording):
    one, other = "a small red cross above a large red cross", "a large red cross above a small red cross"
    assert (wording.encode([one]) - wording.encode([other])).abs().max() > 0.1


def test_signs_and_capitals_come_back():
    texts = ["Superhero, dark skin tone", "keycap: #", "T-Rex (big)", "d'oh!"]
    wording = Wording.of(texts, width=8).learn(texts, steps=150)
    assert wording.decode(wording.encode(texts)) == texts


def test_weights_are_a_function_of_the_seed_and_nobody_elses_randomness_is_touched():
    before = torch.get_rng_state()
    one, two = (Wording.of(SEEN[:50], width=8).learn(SEEN[:50], steps=5, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert torch.equal(before, torch.get_rng_state())


def test_another_of_the_same_sizes_takes_its_weights(wording):
    with torch.device("meta"):
        hollow = Wording(**wording.sizes).state_dict()
    assert {k: v.shape for k, v in hollow.items()} == {k: v.shape for k, v in wording.state_dict().items()}
    other = Wording(**wording.sizes)
    other.load_state_dict(wording.state_dict())
    assert other.decode(wording.encode(NEW[:20])) == wording.decode(wording.encode(NEW[:20]))


def test_unknown_words_missing_texts_and_long_ones(wording):
    a, b = wording.encode(
        ["a small red circle above a large red cross", "a small purple red circle above a large red cross"]
    )
    assert torch.equal(a, b)
    out = wording.encode([None, "", "a " * 10_000])
    assert out.isfinite().all() and torch.equal(out[0], out[1])
