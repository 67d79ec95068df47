"""What adds up, and what multiplies, is one column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.counts.chains.sums import summed, sums
from pushforward.counts.chains.views import view

N = 2000


def learned(target):
    """Sums of a target over two numbers of 40 states and a category of 3, and the states."""
    rng = np.random.default_rng(0)
    states = np.stack([rng.integers(0, 40, N), rng.integers(0, 40, N), rng.integers(0, 3, N)], 1)
    a, b = 1 + np.arange(40) * 0.5, 2 + np.arange(40) * 3.0
    value = target(a[states[:, 0]], b[states[:, 1]], states[:, 2])
    line, place = np.unique(value, return_inverse=True)
    states = np.column_stack([states, place])
    places = [a, b, None, line]
    group = (place * 8 // len(line)).astype(np.int64)
    views = [view(places[u], size, states[:, u], group, np.ones(N)) for u, size in enumerate((40, 40, 3))]
    tables = sums(states, np.ones(N), 3, (0, 1, 2), views, places)
    return summed(states, (0, 1, 2), tables), value, states, tables


def test_what_adds_up_is_a_column():
    found, value, _, _ = learned(lambda a, b, c: 3 * a - 2 * b + np.array([0.0, 5.0, -7.0])[c])
    assert np.ptp(found[:, 0] - value) < 1e-4 * np.ptp(value)


def test_what_multiplies_is_a_column_of_logarithms():
    found, value, _, _ = learned(lambda a, b, c: a * b**2)
    assert np.ptp(found[:, 1] - np.log(value)) < 1e-4 * np.ptp(np.log(value))
    assert np.ptp(found[:, 0] - value) > 0.1 * np.ptp(value)


def test_a_sum_is_not_known_without_its_terms():
    _, _, states, tables = learned(lambda a, b, c: a + b)
    states[0, 1] = -1
    found = summed(states, (0, 1, 2), tables)
    assert np.isnan(found[0]).all() and not np.isnan(found[1:]).any()


def test_categories_have_no_sums():
    states = np.zeros((5, 2), np.int64)
    table = np.zeros((1, 1))
    found = sums(states, np.ones(5), 1, (0,), [table], [np.zeros(1), None])
    assert [table.shape for table in found] == [(1, 0)]


@pytest.mark.parametrize("kept", [True, False])
def test_totals_of_a_table_are_kept(kept):
    rng = np.random.default_rng(0)
    work, parts = rng.gamma(2, 40, 3000).round(1), rng.gamma(3, 25, 3000).round(1)
    total = work + parts if kept else rng.permutation(work + parts)
    table = pd.DataFrame({"work": work, "parts": parts, "total": total.round(1)})
    drawn = pf.TreeChain().fit(table, seed=0).sample(2000, seed=0).to_pandas()
    off = (drawn.work + drawn.parts - drawn.total).abs()
    if kept:  # of a standard deviation of 71
        assert off.median() < 1.0 and (off < 5).mean() > 0.9
    else:
        assert off.median() > 20
