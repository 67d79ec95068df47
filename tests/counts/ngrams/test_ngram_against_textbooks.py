"""The same probabilities as the textbook's, symbol by symbol; and as closed forms."""

import sys
from pathlib import Path

import numpy as np
import pytest

import pushforward as pf
from pushforward.counts.ngrams.kneser_ney import Tree
from pushforward.counts.ngrams.language import Language
from pushforward.counts.ngrams.ngram import NGram

sys.path.insert(0, str(Path(__file__).parent))
from textbook import ModifiedKneserNey

RNG = np.random.default_rng(0)
CHAIN = RNG.dirichlet([0.3] * 6, 6)


def line():
    """A text of a chain over six letters: contexts matter, and counts of counts are not 0."""
    at, out = RNG.integers(0, 6), []
    while RNG.random() > 0.05:
        at = RNG.choice(6, p=CHAIN[at])
        out.append("abcdef"[at])
    return "".join(out)


LINES = [line() for _ in range(60)] + [""]
FEW = ["abc", "abd", "b"]


def texts(lines):
    return pf.read({"text": lines}, text=["text"])


@pytest.mark.parametrize("lines", [LINES, FEW], ids=["many", "few"])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_modified_kneser_ney(lines, order):
    model, book = NGram(order=order).fit(texts(lines)), ModifiedKneserNey(lines, order)
    for prefix in ("", "a", "ab", "fed", "abcabc", "a?b", *lines[:3]):
        found = model.following(prefix)
        wanted = {w if w != "</s>" else "": book.p(w, ["<s>", *prefix]) for w in book.vocabulary - {"<unk>"}}
        assert found == pytest.approx(wanted, rel=1e-12)


def test_words_are_like_characters():
    lines = [" ".join(text) for text in LINES]
    model, book = NGram(order=3, unit="word").fit(texts(lines)), ModifiedKneserNey(LINES, 3)
    assert model.following("a b") == pytest.approx(
        {w if w != "</s>" else "": book.p(w, ["<s>", "a", "b"]) for w in book.vocabulary - {"<unk>"}}, rel=1e-12
    )


@pytest.mark.parametrize("d", [0.1, 0.75])
def test_one_discount_for_all(d):
    """As in the paper of 1995."""
    model, book = NGram(order=3).fit(texts(LINES)), ModifiedKneserNey(LINES, 3, fixed=(d, d, d))
    size = len(model.corpus.vocabulary)
    rows, counts = model.corpus.table()
    tree = Tree.grown(np.zeros(len(rows), int), rows[:, 1:], counts, size=size, roots=1, discount=lambda _: (d, d, d))
    language, symbols = Language(tree), ["</s>", "<unk>", *model.corpus.vocabulary.symbols()]
    for prefix in ("", "a", "fe"):
        before = [0, 0, *(symbols.index(c) for c in prefix)][-2:]
        p = language.distributions(language.contexts(np.array([before]), None))[0]
        wanted = [book.p(w, ["<s>", *prefix]) for w in symbols]
        np.testing.assert_allclose(p, wanted, rtol=1e-12)


@pytest.mark.parametrize("k", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_add_k(order, k):
    model = NGram(order=order, smoothing="add-k", k=k).fit(texts(LINES))
    size = len({c for text in LINES for c in text}) + 2  # with end and unknown
    padded = ["^" * (order - 1) + text + "$" for text in LINES]
    for prefix in ("", "a", "fed", "?a"):
        context = ("^" * (order - 1) + prefix)[-(order - 1) :] if order > 1 else ""
        spots = [
            text[i + len(context)]
            for text in padded
            for i in range(len(text) - len(context))
            if text[i : i + len(context)] == context and i + len(context) >= order - 1
        ]
        for symbol, p in model.following(prefix).items():
            count = spots.count(symbol or "$")
            assert p == pytest.approx((count + k) / (len(spots) + k * size), rel=1e-12)
