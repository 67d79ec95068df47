"""Packed keys and streaming counts, against plain Python."""

from collections import Counter as Plain

import numpy as np
import pytest

from pushforward.counts.ngrams import counting
from pushforward.counts.ngrams.counting import Counter
from pushforward.counts.ngrams.packing import Packing, tally


@pytest.mark.parametrize("bits, width", [(3, 4), (7, 9), (8, 8), (17, 6), (31, 5), (40, 2)])
def test_packing_goes_round_and_keeps_the_order(bits, width):
    rows = np.random.default_rng(0).integers(0, min(2**bits, 2**31), (200, width))
    packing = Packing(bits, width)
    keys = packing.pack(rows)
    assert keys.shape == (packing.columns, 200) and np.array_equal(packing.unpack(keys), rows)
    assert np.array_equal(np.lexsort(keys[::-1]), np.lexsort(rows.T[::-1]))


def windows(stream, order):
    """Windows that end at each symbol, with zeros before the last zero of their contexts."""
    out, padded = [], [0] * (order - 1) + list(stream)
    for i in range(len(stream)):
        window = padded[i : i + order]
        last = max((j for j in range(order - 1) if window[j] == 0), default=0)
        out.append(tuple([0] * last + window[last:]))
    return out


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("top", [3, 100, 5000, 100_000])
def test_counts_are_those_of_a_loop(order, top, monkeypatch):
    monkeypatch.setattr(counting, "BLOCK", 50)
    monkeypatch.setattr(counting, "PENDING", 60)
    rng, wanted, counter = np.random.default_rng(order), Plain(), Counter(order, bits=2)
    for label in range(3):
        stream = np.append(rng.integers(0, top, 300) * (rng.random(300) < 0.8), 0)
        weights = rng.integers(0, 4, len(stream)).astype(float)
        counter.add(stream, label, weights)
        for window, weight in zip(windows(stream, order), weights, strict=True):
            wanted[(label, *window)] += weight
    rows, counts = counter.table()
    assert {tuple(row): count for row, count in zip(rows.tolist(), counts, strict=True)} == +wanted


def test_what_waits_is_bounded_by_what_differs(monkeypatch):
    """A stream that repeats itself takes no more memory, however long it is."""
    monkeypatch.setattr(counting, "BLOCK", 100)
    monkeypatch.setattr(counting, "PENDING", 500)
    counter, text = Counter(3), np.append(np.tile([1, 2, 3, 4], 30), 0)
    for _ in range(300):
        counter.add(text)
        assert sum(len(counts) for _, counts in counter._pending) <= 500
    assert len(counter.table()[1]) == 7  # two at the beginning, one at the end, and the four of the middle
    assert counter.table()[1].sum() == 300 * len(text)


def test_nothing_is_counted_as_nothing():
    keys, counts = tally(np.zeros((1, 0), np.int64))
    assert keys.shape == (1, 0) and counts.shape == (0,)
