"""The distributions of one number or text: they add up, agree with scipy in both tails, and are drawn as they are."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import torch

import pushforward as pf
from pushforward.counts.bayes import tables
from pushforward.counts.bayes.likelihoods import GRID, LIKELIHOODS, NEGATIVE_BINOMIAL, POISSON
from pushforward.counts.bayes.likelihoods.normal import log_between
from pushforward.counts.bayes.likelihoods.words import OTHERS, Vocabulary
from pushforward.counts.bayes.quantity import Quantity
from pushforward.data import Number
from pushforward.limits import Limit


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def peers(mean, spread):
    r, q = mean**2 / (spread - mean), mean / spread
    return {POISSON: scipy.stats.poisson(mean), NEGATIVE_BINOMIAL: scipy.stats.nbinom(r, q)}


@pytest.mark.parametrize("kind", [POISSON, NEGATIVE_BINOMIAL])
@pytest.mark.parametrize("low, high", [(0, math.inf), (0, 3), (5, 5), (40, math.inf), (90, 130), (0, 0), (7, 1000)])
def test_ranges_of_counts_are_those_of_scipy(kind, low, high):
    for mean, spread in ((4.0, 9.0), (60.0, 75.0), (0.2, 0.3)):
        peer = peers(mean, spread)[kind]
        found = LIKELIHOODS[kind].log_between(low, high, numbers(mean), numbers(spread), 1.0).item()
        wanted = np.logaddexp.reduce(peer.logpmf(np.arange(low, min(high, 3000) + 1)))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind, x", [(POISSON, 2000), (NEGATIVE_BINOMIAL, 5000)])
def test_ranges_beyond_the_smallest_float_are_finite(kind, x):
    found = LIKELIHOODS[kind].log_between(x, math.inf, numbers(4.0), numbers(9.0), 1.0).item()
    wanted = np.logaddexp.reduce(peers(4.0, 9.0)[kind].logpmf(np.arange(x, x + 2000)))
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    "low, width", [(-3.0, 6.0), (0.5, 1e-3), (8.0, 1.0), (-8.0, 1e-6), (2.0, 1e-10), (30, math.inf)]
)
def test_ranges_of_the_normal_are_those_of_scipy(low, width):
    found = log_between(numbers(low), numbers(low + width)).item()
    if width < 1e-2:
        width = (low + width) - low
        wanted = scipy.stats.norm.logpdf(low + width / 2) + math.log(width)
        wanted += ((low + width / 2) ** 2 - 1) * width**2 / 24
    else:
        mass = scipy.stats.norm.sf(low) - scipy.stats.norm.sf(low + width)
        wanted = math.log(mass)
    assert found == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("kind", [GRID, POISSON, NEGATIVE_BINOMIAL])
@pytest.mark.parametrize("atoms", [(), (0.0,), (3.0, 7.0)])
def test_probabilities_on_a_grid_add_up(kind, atoms):
    field = Number(name="x", type="int64", resolution=1.0, low=0, high=60, atoms=atoms)
    table = torch.full((1, 1 + len(atoms)), 1 / (1 + len(atoms)), dtype=torch.float64) if atoms else None
    quantity = Quantity(field, kind, numbers(5.0), numbers(8.0), table)
    off = [x for x in range(-60, 300) if x not in atoms]
    assert quantity.log_prob(numbers(*off)).exp().sum().item() == pytest.approx(1, abs=1e-9)
    parts = [quantity.log_limit(limit).exp() for limit in (Limit(high=4), Limit(low=5))]
    assert sum(parts).item() == pytest.approx(1, abs=1e-9)
    each = [quantity.log_limit(Limit(values=(float(x),))).exp().item() for x in range(2, 12)]
    assert quantity.log_limit(Limit(2, 11)).exp().item() == pytest.approx(sum(each), abs=1e-9)


@pytest.mark.parametrize("kind", [GRID, POISSON, NEGATIVE_BINOMIAL])
@pytest.mark.parametrize("high", [60, 10**6])
@pytest.mark.parametrize("limit", [Limit(), Limit(2, 6), Limit(12, 15), Limit(values=(1.0, 4.0))])
def test_draws_of_whole_numbers_have_their_probabilities(kind, high, limit):
    field = Number(name="x", type="int64", resolution=1.0, low=0, high=high, atoms=(3.0,))
    quantity = Quantity(field, kind, numbers(5.0, 4.0), numbers(8.0, 9.0), numbers(*[0.8, 0.2] * 2).view(2, 2))
    n = 20_000
    k = torch.arange(n) % 2
    x, codes = quantity.draw(k, limit, torch.Generator().manual_seed(0))
    x = torch.where(codes > 0, 3.0, x)
    for j in range(2):
        logs = {v: quantity.log_limit(Limit(values=(float(v),)))[j].item() for v in range(40) if _in(limit, v)}
        total = np.logaddexp.reduce(list(logs.values()))
        for value, log in logs.items():
            p = math.exp(log - total)
            share = (x[k == j] == value).double().mean().item()
            assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / (n / 2)) + 1e-9, (j, value)


def _in(limit, value):
    return value in limit.values if limit.values else limit.low <= value <= limit.high


def test_the_distribution_of_a_count_is_chosen_by_likelihood():
    rng = np.random.default_rng(0)
    data = {
        "rare": rng.poisson(0.7, 3000),
        "burst": rng.negative_binomial(1, 0.2, 3000),
        "year": np.rint(rng.normal(1990, 6, 3000)).astype(int),
        "below": rng.integers(-3, 9, 3000),
        "price": rng.gamma(2, 1, 3000),
    }
    found = pf.NaiveBayes().fit(data).likelihoods
    assert found == {
        "rare": "Poisson", "burst": "NegativeBinomial", "year": "GridNormal", "below": "GridNormal", "price": "Normal"
    }  # fmt: skip


def test_sheppards_correction_finds_the_variance_before_rounding():
    x = np.rint(np.random.default_rng(0).normal(3, 0.9, 200_000)).astype(int) - 50
    model = pf.NaiveBayes().fit({"x": x})
    assert model.product.quantities["x"].spread.item() == pytest.approx(0.81, abs=5 * 0.81 * math.sqrt(2.4 / 200_000))


def test_spellings_add_up_to_one():
    vocabulary = Vocabulary.of(["ab ab b", "a cab"], 2)
    letters = vocabulary.letters.exp()
    assert letters[:-1].sum().item() == pytest.approx(1)
    on, end = 1 - letters[-1].item(), letters[-1].item()
    # all words of up to three letters, over the letters as one: lengths, times what one letter has in all
    assert sum(end * on**i for i in range(400)) == pytest.approx(1)
    two = math.exp(vocabulary._spelling("a")) + math.exp(vocabulary._spelling("b"))
    assert two == pytest.approx(end * (letters[ord("a")] + letters[ord("b")]).item())
    assert math.exp(vocabulary._spelling("日")) == pytest.approx(end * letters[256].item() / OTHERS)


def test_others_are_counted_rightly():
    every = (c for c in range(256, 0x110000) if not 0xD800 <= c < 0xE000)
    assert sum(not chr(c).isspace() for c in every) == OTHERS


def test_texts_up_to_a_length_add_up_to_their_share():
    notes = ["a b", "b", "a a b", ""] * 5
    model = pf.NaiveBayes().fit(pf.read({"note": notes, "k": list("uvuv") * 5}, text=["note"]))
    _, table = model.product.texts["note"]
    stop, unknown = table[:, -1], table[:, -2]
    texts = [" ".join(words) for n in range(4) for words in itertools.product("ab", repeat=n)]
    found = np.exp(model.log_prob({"note": texts})).sum()
    wanted = model.product.prior @ sum(stop * (1 - stop - unknown) ** n for n in range(4))
    assert found == pytest.approx(wanted.item(), abs=1e-12)
    strange = model.log_prob({"note": ["a", "xyzzy", "a xyzzy 日本", "b  a\n"]})
    assert np.isfinite(strange).all()
    assert strange[3] == pytest.approx(model.log_prob({"note": ["b a"]})[0])


def test_drawn_texts_have_the_frequencies_of_their_words(tmp_path):
    rng = np.random.default_rng(0)
    notes = [" ".join(rng.choice(["one", "two", "three"], rng.poisson(3) + 1, p=[0.5, 0.3, 0.2])) for _ in range(400)]
    model = pf.NaiveBayes().fit(pf.read({"note": notes, "k": list("uv") * 200}, text=["note"]))
    drawn = model.sample(4000, seed=0, given={"k": "u"})
    words = [word for note in drawn.to_numpy()["note"] for word in note.split()]
    table = model.product.texts["note"][1][0]
    for word, p in zip(model.product.texts["note"][0].words, table / (1 - table[-1]), strict=False):
        assert abs(words.count(word) / len(words) - p.item()) < 5 * math.sqrt(p.item() / len(words))
    loaded = pf.load(model.save(tmp_path / "model"))
    assert loaded.sample(9, seed=1).table.equals(model.sample(9, seed=1).table)
    np.testing.assert_array_equal(loaded.log_prob({"note": notes}), model.log_prob({"note": notes}))


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
def test_counts_and_scores_are_sums(holes, weighed):
    rng = np.random.default_rng(0)
    levels, n = [3, 1, 40, 2, 30, 7], 2500
    codes = np.stack([rng.integers(-1 if holes else 0, width, n) for width in levels], 1)
    classes = rng.integers(-1 if holes else 0, 3, n)
    weights = rng.random(n) if weighed else np.ones(n)
    share = torch.from_numpy(weights) if weighed else None
    found = tables.count(torch.from_numpy(codes), torch.from_numpy(classes), levels, 3, share)
    wanted = [
        [weights[(classes == k) & (codes[:, j] == c)].sum() for j, w in enumerate(levels) for c in range(w)]
        for k in range(3)
    ]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-12)
    logs = tables.log_tables(found, levels, 0.5)
    starts = np.cumsum([0, *levels[:-1]])
    slow = np.where(codes[..., None] < 0, 0.0, logs.numpy().T[codes.clip(0) + starts]).sum(1)
    np.testing.assert_allclose(tables.scores(torch.from_numpy(codes), logs, levels).numpy(), slow, rtol=1e-12)
    np.testing.assert_allclose(tables.scores(torch.from_numpy(codes[:5]), logs, levels).numpy(), slow[:5], rtol=1e-12)


def test_a_record_that_is_impossible_everywhere_leaves_the_prior():
    prior = numbers(0.2, 0.8).log()[None]
    found = tables.posterior(torch.full((2, 2), -torch.inf).double(), prior)
    np.testing.assert_allclose(found.numpy(), [[0.2, 0.8]] * 2)


def test_many_and_large_variables_are_counted_and_scored_alike():
    rng = np.random.default_rng(0)
    levels = [*rng.integers(1, 6, 90).tolist(), 20_000_000 // 4, 9, 2]
    codes = np.stack([rng.integers(0, width, 300) for width in levels], 1)
    classes = rng.integers(0, 2, 300)
    whole = tables.count(torch.from_numpy(codes), torch.from_numpy(classes), levels, 2)
    starts = np.cumsum([0, *levels[:-1]])
    assert whole.sum().item() == 300 * len(levels)
    for k in range(2):
        at, times = np.unique((codes + starts)[classes == k], return_counts=True)
        np.testing.assert_array_equal(whole[k, at].numpy(), times)
    logs = whole.add(1.0).log()
    found = tables.scores(torch.from_numpy(codes), logs, levels).numpy()
    np.testing.assert_allclose(found, logs.numpy().T[codes + starts].sum(1), rtol=1e-12)
