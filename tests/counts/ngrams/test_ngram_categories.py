"""N-grams with a category: Bayes' rule, conditional draws, backing off to all texts."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.counts.ngrams.ngram import NGram

RNG = np.random.default_rng(0)
WORDS = {"sea": ["wave", "boat", "salt", "gull"], "wood": ["pine", "moss", "owl", "fern"]}


def corpus(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(WORDS), n, p=[0.7, 0.3]).tolist()
    lines = [" ".join(["the", rng.choice(WORDS[c]), rng.choice(["and", "or"]), rng.choice(WORDS[c])]) for c in labels]
    return pf.read({"text": lines, "place": labels}, text=["text"], category=["place"])


KINDS = [{"order": 2}, {"order": 5}, {"order": 3, "unit": "word"}, {"order": 3, "smoothing": "add-k", "k": 0.1}]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_easy_corpus_is_classified(kind):
    model, test = NGram(**kind).fit(corpus(200)), corpus(300, seed=1)
    right = model.predict(test, "place") == np.array(test.column("place").to_pylist())
    assert right.mean() > 0.98


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_bayes_rule(kind):
    """p(c | text) = p(c) p(text | c) / p(text), and p(c) is counted with one more each."""
    data, test = corpus(200), corpus(20, seed=1)
    joint, conditional = NGram(**kind).fit(data), NGram(**kind).fit(data, given=["place"])
    labels = data.column("place").to_pylist()
    prior = np.array([labels.count(c) + 1 for c in ("sea", "wood")]) / (len(labels) + 2)
    likelihood = np.stack([_of(conditional, test, c) for c in ("sea", "wood")], 1)
    both = np.stack([_of(joint, test, c) for c in ("sea", "wood")], 1)
    np.testing.assert_allclose(both, np.log(prior) + likelihood, rtol=1e-9)
    wanted = np.exp(both - np.logaddexp.reduce(both, axis=1, keepdims=True))
    np.testing.assert_allclose(joint.predict_proba(test, "place"), wanted, atol=1e-9)
    alone = joint.log_prob(test.select(["text"]))
    np.testing.assert_allclose(alone, np.logaddexp.reduce(both, axis=1), rtol=1e-9)


def _of(model, records, label):
    return model.log_prob({"text": records.column("text"), "place": [label] * len(records)})


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_may_follow_adds_up_to_one_in_each_category(kind):
    model = NGram(**kind).fit(corpus(50))
    language = model.texts.language
    width = model.order - 1
    for before in np.random.default_rng(0).integers(0, len(model.corpus.vocabulary), (30, width)):
        for category in (0, 1):
            p = language.distributions(language.contexts(before[None], np.array([category])))
            assert p.min() > 0 and abs(p.sum() - 1) < 1e-12


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_scores_and_distributions_agree_in_each_category(kind):
    model = NGram(**kind).fit(corpus(50), given=["place"])
    separator = " " if model.unit == "word" else ""
    for text in ("the gull or", "the fern", "the Ωz"[:4]):
        symbols = text.split() if model.unit == "word" else list(text)
        steps = [(separator.join(symbols[:i]), symbol) for i, symbol in enumerate([*symbols, ""])]
        wanted = sum(np.log(model.following(prefix, "sea")[symbol]) for prefix, symbol in steps)
        assert model.log_prob({"text": [text], "place": ["sea"]})[0] == pytest.approx(wanted, abs=1e-9)


def test_draws_follow_their_category():
    model = NGram(order=4).fit(corpus(300))
    for label, other in (("sea", "wood"), ("wood", "sea")):
        drawn = model.sample(200, given={"place": label}, seed=0)
        words = [w for text in drawn.column("text").to_pylist() for w in text.split()]
        hits = sum(w in WORDS[label] for w in words), sum(w in WORDS[other] for w in words)
        assert hits[0] > 20 * hits[1]
    begun = model.sample(50, given={"text": "the gull"}, seed=0)
    assert set(begun.column("place").to_pylist()) == {"sea"}
    shares = [c == "sea" for c in model.sample(2000, seed=1).column("place").to_pylist()]
    assert abs(np.mean(shares) - 0.7) < 0.1
    some = model.sample(50, given={"place": pf.among("wood")}, seed=2).column("place").to_pylist()
    assert some == ["wood"] * 50


def test_a_category_backs_off_to_all_texts():
    """A category of one text knows the words of the others."""
    data = corpus(200)
    lines = [*data.column("text").to_pylist(), "the sand"]
    labels = [*data.column("place").to_pylist(), "dune"]
    model = NGram(order=4).fit(pf.read({"text": lines, "place": labels}, text=["text"]), given=["place"])
    alone = NGram(order=4).fit(pf.read({"text": ["the sand"]}, text=["text"]))
    other = {"text": ["the gull and boat"]}
    assert model.log_prob({**other, "place": ["dune"]})[0] > alone.log_prob(other)[0] + 10


def test_holes_in_either_field():
    text = [None if i % 3 == 0 else "ab" for i in range(300)]
    label = ["u" if i % 2 else None for i in range(300)]
    label[0] = "v"
    model = NGram().fit(pf.read({"text": text, "label": label}, text=["text"], category=["label"]))
    drawn = model.sample(3000, seed=0)
    assert abs(drawn.column("text").null_count / 3000 - 1 / 3) < 0.1
    assert abs(drawn.column("label").null_count / 3000 - 149 / 300) < 5 * np.sqrt(0.25 / 3000)
    out = model.complete({"text": ["ab", None], "label": [None, "u"]}, seed=0)
    assert out.column("text")[0].as_py() == "ab" and out.column("label")[1].as_py() == "u"
    assert out.column("text").null_count == out.column("label").null_count == 0


def test_an_unseen_category_of_following_is_refused():
    model = NGram().fit(corpus(20))
    with pytest.raises(pf.ArgumentError, match="category='moon' was not seen"):
        model.following("the", "moon")
