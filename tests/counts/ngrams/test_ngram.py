"""The n-gram family: distributions, streams, weights, prefixes, what is unknown."""

import numpy as np
import pytest

import pushforward as pf
from pushforward.counts.ngrams.ngram import NGram
from pushforward.counts.ngrams.vocabulary import SPELLING

LINES = [
    "the cat sat on the mat.", "a dog sat on a log.", "the dog ran to the cat.", "", "a cat sat.",
    "where the cat ran, the dog ran.", "café – naïve?", "the mat is on a log.",
] * 3  # fmt: skip
KINDS = [
    {}, {"order": 1}, {"order": 3}, {"order": 8}, {"order": 3, "smoothing": "add-k", "k": 0.2},
    {"unit": "word"}, {"unit": "word", "order": 4}, {"unit": "word", "smoothing": "add-k"},
]  # fmt: skip


def texts(lines, **more):
    return pf.read({**more, "text": lines}, text=["text"], category=list(more))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one._state().values(), other._state().values(), strict=True))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_may_follow_adds_up_to_one_after_anything(kind):
    model = NGram(**kind).fit(texts(LINES))
    for prefix in ("", "t", "the ca", "the cat sat on the mat.", "zzz", "\x00", "Ω the", "on a "):
        codes = model.texts.vocabulary.read(texts([prefix]).column("text").combine_chunks())[0]
        width = model.order - 1
        before = np.concatenate([np.zeros(width, int), codes])[None, len(codes) :]
        p = model.texts.language.distributions(model.texts.language.contexts(before, None))
        assert p.min() > 0 and abs(p.sum() - 1) < 1e-12


@pytest.mark.parametrize("kind", KINDS[:5], ids=str)
def test_log_prob_is_the_sum_over_what_follows_what(kind):
    model = NGram(**kind).fit(texts(LINES))
    for text in ("the cat", "", "a log."):
        p = [model.following(text[:i])[symbol] for i, symbol in enumerate([*text, ""])]
        assert model.log_prob(texts([text]))[0] == pytest.approx(np.log(p).sum(), abs=1e-10)


def test_short_strings_and_longer_ones_add_up_to_one():
    """Over all strings of up to 6 known characters, those that are longer and those with unknown ones."""
    model = NGram(order=3).fit(texts(["ab", "b", "aab", "ba", ""] * 2))
    strings = level = [""]
    for _ in range(6):
        level = [s + c for s in level for c in "ab"]
        strings = strings + level
    whole = np.exp(model.log_prob(texts(strings))).sum()
    # what is left at depth 7 or goes to the unknown: by the prefixes, of which the probabilities are known
    prefixes = np.exp(model.texts.log_probability(texts(level).column("text").combine_chunks(), prefix=True)[:, 0])
    ends = np.exp(model.log_prob(texts(level)))
    unknown = sum(
        np.exp(model.texts.log_probability(texts([s]).column("text").combine_chunks(), prefix=True)[0, 0])
        * (1 - sum(model.following(s).values()))
        for s in strings
        if len(s) < 6
    )
    assert whole + (prefixes - ends).sum() + unknown == pytest.approx(1, abs=1e-10)


def test_unknown_characters_share_their_symbol():
    model = NGram(order=2).fit(texts(LINES))
    known = {c for line in LINES for c in line}
    p = model.log_prob(texts(["Ω", "Ж", "\U0001f600"]))
    assert np.isfinite(p).all() and np.ptp(p) < 1e-12
    rest = 0x110000 - 0x800 - len(known)
    here = model.texts.language.contexts(np.zeros((1, 1), int), None)
    first = model.texts.language.distributions(here)[0, 1]
    after = model.following("Ω")[""]
    assert p[0] == pytest.approx(np.log(first) - np.log(rest) + np.log(after), abs=1e-10)


def test_unknown_words_are_spelled_given_that_they_are_none_of_the_known_ones():
    known = ["a", "ab", "b"]
    model = NGram(unit="word").fit(texts(["a b", "b a", "ab a"] * 4))
    strings = level = [""]
    for _ in range(8):
        level = [s + c for s in level for c in "ab"]
        strings = strings + level
    strange = [s for s in strings if s and s not in known]
    spelled = model.texts.vocabulary.read(texts(strange).column("text").combine_chunks())[2]
    letters = NGram(order=SPELLING).fit(texts(known))  # letters of the known words, each of them once
    left = 1 - np.exp(letters.log_prob(texts(["", *known]))).sum()
    np.testing.assert_allclose(spelled, letters.log_prob(texts(strange)) - np.log(left), rtol=1e-9)
    assert np.exp(spelled).sum() < 1
    assert np.isfinite(model.log_prob(texts(["Ωmega\n\tzzz", "q" * 500]))).all()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_draws_have_the_probability_that_log_prob_says(kind):
    """The ten most frequent of 20,000 draws, within 5 sigma; what is unknown is never drawn."""
    n = 20_000
    model = NGram(**kind).fit(texts(["ab a", "b", "ab", "b a", "a ab"] * 8))
    drawn = model.sample(n, seed=0, longest=12).column("text").to_pylist()
    found, times = np.unique([d for d in drawn if len(d) < 6], return_counts=True)
    top = np.argsort(-times)[:10]
    p = np.exp(model.log_prob(texts(found[top].tolist())))
    # draws are given that nothing is unknown, which happens in a share of texts that the sums below bound
    slack = 0.1 * p
    assert (np.abs(times[top] / n - p) < 5 * np.sqrt(p * (1 - p) / n) + slack).all()


@pytest.mark.parametrize("given", [None, "a"])
def test_dense_and_sparse_draws_agree(given):
    """Going down the contexts, and drawing from the whole distribution, as a temperature does."""
    n = 20_000
    labels = ["a", "b"] * 16
    model = NGram(order=3).fit(texts(["xyx", "yyx", "xx", "yxy"] * 8, label=labels))
    held = None if given is None else {"label": given}
    one = model.sample(n, seed=0, given=held, longest=4).column("text").to_pylist()
    two = model.sample(n, seed=1, given=held, longest=4, temperature=1.0 + 1e-9).column("text").to_pylist()
    for text in set(one[:200]):
        a, b = one.count(text) / n, two.count(text) / n
        assert abs(a - b) < 5 * np.sqrt((a * (1 - a) + b * (1 - b)) / n) + 1e-9, text


def test_cold_draws_are_the_most_probable_and_lengths_are_bounded():
    model = NGram(order=3).fit(texts(["abcabcabc"] * 9 + ["abd"]))
    assert set(model.sample(20, temperature=0.01, longest=9, seed=0).column("text").to_pylist()) == {"abcabcabc"}
    assert max(map(len, model.sample(50, longest=4, seed=0).column("text").to_pylist())) <= 4


def test_a_prefix_is_gone_on_from_exactly():
    model = NGram(order=4).fit(texts(LINES))
    for prefix in ("the c", "", "Ω never seen", "a" * 30):
        out = model.sample(4, given={"text": prefix}, seed=0).column("text").to_pylist()
        assert all(text.startswith(prefix) for text in out)
    out = model.sample(3, given={"text": ["the d", None, "a l"]}, seed=0).column("text").to_pylist()
    assert out[0].startswith("the dog") and out[2].startswith("a log")
    words = NGram(unit="word", order=3).fit(texts(LINES))
    for prefix in ("the cat", "the cat  ", "the\ncat sat\n"):
        out = words.sample(4, given={"text": prefix}, seed=0).column("text").to_pylist()
        assert all(text.startswith(prefix) and not text[len(prefix.rstrip()) :].startswith("s") for text in out)


def test_the_bigram_of_the_handbook():
    """aa, ab: after a come a, b and the end once each; at the beginning a, twice."""
    model = NGram(order=2, smoothing="add-k", k=1e-9).fit(texts(["aa", "ab"]))
    assert model.following("a") == pytest.approx({"a": 1 / 3, "b": 1 / 3, "": 1 / 3}, abs=1e-6)
    assert model.following("")["a"] == pytest.approx(1, abs=1e-6)
    assert model.following("ab")[""] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_stream_is_the_whole(kind, tmp_path, monkeypatch):
    path = tmp_path / "lines.jsonl"
    texts(LINES).save(path)
    monkeypatch.setattr("pushforward.data.records.ROWS", 5)
    monkeypatch.setattr("pushforward.counts.ngrams.counting.BLOCK", 7)
    monkeypatch.setattr("pushforward.counts.ngrams.counting.PENDING", 11)
    pieces = NGram(**kind).fit(pf.scan(path, text=["text"]))
    monkeypatch.undo()
    assert same(pieces, NGram(**kind).fit(texts(LINES)))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_weights_repeat(kind):
    rng = np.random.default_rng(0)
    times = rng.integers(0, 4, len(LINES))
    repeated = [line for line, many in zip(LINES, times, strict=True) for _ in range(many)]
    labels = rng.choice(["u", "v"], len(LINES)).tolist()
    again = [label for label, many in zip(labels, times, strict=True) for _ in range(many)]
    one = NGram(**kind).fit(texts(LINES, label=labels), weights=times)
    assert same(one, NGram(**kind).fit(texts(repeated, label=again)))


def test_fractional_weights_are_legal():
    model = NGram(order=3).fit(texts(LINES), weights=np.random.default_rng(0).random(len(LINES)))
    assert np.isfinite(model.log_prob(texts(["", "the Ω", LINES[0]]))).all()


@pytest.mark.parametrize("unit", ["character", "word"])
def test_texts_that_say_nothing_teach_to_say_nothing(unit):
    model = NGram(unit=unit, order=3).fit(texts(["", "", ""]))
    assert model.sample(5, seed=0).column("text").to_pylist() == [""] * 5
    assert np.isfinite(model.log_prob(texts(["", "hello there"]))).all()
    assert model.log_prob(texts([""]))[0] > model.log_prob(texts(["a"]))[0]


def test_holes_are_marginalised_learned_and_drawn():
    lines = [None if i % 4 == 0 else "ab" for i in range(400)]
    model = NGram().fit(texts(lines))
    assert model.log_prob(texts([None, "ab"]))[0] == 0
    share = model.sample(4000, seed=0).column("text").null_count / 4000
    assert abs(share - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 4000)
    assert model.complete(texts([None, "ab"]), seed=0).column("text").null_count == 0


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_saved_models_score_the_same(kind, tmp_path):
    model = NGram(**kind).fit(texts(LINES))
    loaded = pf.load(model.save(tmp_path / "model"))
    some = texts(["the cat", "Ωmega 1"])
    assert np.array_equal(model.log_prob(some), loaded.log_prob(some))


def test_sizes_that_lie_are_refused(tmp_path):
    import hashlib
    import json

    folder = NGram().fit(texts(LINES)).save(tmp_path / "model")
    for grams in (3, -1, "many"):
        described = json.loads((folder / "model.json").read_text())
        described["measurements"]["grams"] = grams
        (folder / "model.json").write_text(json.dumps(described))
        sums = (folder / "SHA256SUMS").read_text().splitlines()
        digest = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
        sums = [f"{digest}  model.json" if line.endswith("model.json") else line for line in sums]
        (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
        with pytest.raises(pf.FormatError, match="copy the model again"):
            pf.load(folder)


def test_a_stopped_count_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("pushforward.data.records.ROWS", 5)
    data = texts(LINES, label=["u", "v", "w"] * 8)
    first = NGram(order=3).fitting(data, folder=str(tmp_path / "run"))
    assert next(first).step == 1 and next(first).step == 2
    first.close()
    resumed = NGram(order=3)
    assert [p.step for p in resumed.fitting(data, folder=str(tmp_path / "run"))] == [3, 4, 5]
    assert same(resumed, NGram(order=3).fit(data))


@pytest.mark.parametrize("order", [0, 9, 2.5])
def test_orders_are_bounded(order):
    with pytest.raises(pf.ArgumentError, match="order="):
        NGram(order=order)


@pytest.mark.parametrize(
    "data, given, words",
    [
        ({"x": [1.5, 2.5]}, (), ["'x'", "number", "leave"]),
        ({"c": ["a", "b"]}, (), ["none of the fields (c) is text", "text="]),
        ({"text": ["a b", "b a"], "note": ["c d", "d c"]}, (), ["'note'", "second text", "leave"]),
        ({"text": ["a b", "b a"], "c": ["u", "v"], "d": ["u", "v"]}, (), ["'d'", "second category", "leave"]),
        ({"text": ["a b", "b a"], "c": ["u", "v"]}, ["text"], ["'text'", "condition"]),
    ],
)
def test_what_cannot_be_modelled_is_refused_by_name(data, given, words):
    with pytest.raises(pf.DataError) as error:
        NGram().fit(pf.read(data, text=[n for n in data if n in ("text", "note")]), given=given)
    assert all(word in str(error.value) for word in words)


def test_texts_of_a_length_that_is_said_are_drawn_symbol_by_symbol():
    """Of a bigram, p(a b | it is two long) is drawn as p(a | begins, goes on) p(b | a, goes on)."""
    model = NGram(order=2, smoothing="add-k", k=0.5).fit({"text": ["aab", "ba", "b", "a", "abba"]})
    n = 20_000
    drawn = model.sample(n, length=2, seed=0).column("text").to_pylist()

    def goes_on(prefix):
        found = model.following(prefix)
        rest = {symbol: p for symbol, p in found.items() if symbol}
        return {symbol: p / sum(rest.values()) for symbol, p in rest.items()}

    wanted = {a + b: p * q for a, p in goes_on("").items() for b, q in goes_on(a).items()}
    assert sum(wanted.values()) == pytest.approx(1)
    for text, p in wanted.items():
        assert abs(drawn.count(text) / n - p) < 4 * (p * (1 - p) / n) ** 0.5
    assert set(drawn) == set(wanted)


def test_a_length_holds_also_where_texts_begin_as_said_and_in_every_category():
    data = {"text": ["aab", "ba", "b", "a", "abba"] * 4, "label": ["x", "y"] * 10}
    model = NGram(order=3).fit(data)
    out = model.sample(50, given={"text": "ab", "label": "x"}, length=5, seed=0).column("text").to_pylist()
    assert all(len(text) == 7 and text.startswith("ab") for text in out)  # so many are drawn
    with pytest.raises(pf.ArgumentError, match="length=0 is out of range"):
        model.sample(2, length=0)


def test_a_length_cannot_be_drawn_from_no_symbols():
    model = NGram().fit(pf.read({"text": ["", "", ""]}, text=["text"]))
    with pytest.raises(pf.ArgumentError, match="length=3 cannot be drawn"):
        model.sample(2, length=3)
