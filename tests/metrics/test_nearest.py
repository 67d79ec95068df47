"""Distances to the nearest record, against the definition, pair by pair."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

import pushforward as pf
from pushforward.errors import UnmeasurableError
from pushforward.metrics.nearest import BLOCK, FEW_LEVELS, GowerSpace, PixelSpace, pixels, space


def gower(one, other, schema):
    """The definition, cell by cell."""
    out = np.zeros((len(one), len(other)))
    for field in schema:
        a, b = one.column(field.name).to_pylist(), other.column(field.name).to_pylist()
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                if isinstance(field, pf.Number) and x is not None and y is not None:
                    out[i, j] += abs(x - y) / (field.high - field.low)
                else:
                    out[i, j] += x != y
    return out


def mixed(n, seed=0):
    """Numbers with and without holes, categories of few and of many levels, with holes."""
    rng = np.random.default_rng(seed)
    holed = [None if hole else float(x) for x, hole in zip(rng.normal(size=n), rng.random(n) < 0.3, strict=True)]
    few = [None if i == 0 else "abc"[i - 1] for i in rng.integers(0, 4, n)]
    many = [f"level {i}" for i in rng.integers(0, 2 * FEW_LEVELS, n)]
    return pf.read({"x": rng.normal(size=n), "h": holed, "few": few, "many": many}, category=["few", "many"])


def test_it_is_the_definition_in_both_directions():
    records = mixed(2 * BLOCK + 30)
    one, other = records[: BLOCK + 10], records[BLOCK + 10 :]
    wanted = gower(one, other, records.schema)
    found = GowerSpace(one, other).nearest(0, 1)
    np.testing.assert_allclose(found.there, wanted.min(1), atol=1e-5)
    np.testing.assert_allclose(found.back, wanted.min(0), atol=1e-5)
    np.testing.assert_allclose(wanted[np.arange(len(one)), found.which], wanted.min(1), atol=1e-5)


def test_a_record_is_nowhere_from_itself():
    records = mixed(100)
    found = space(records, records).nearest(0, 1)
    assert (found.there == 0).all() and (found.back == 0).all()


def test_texts_are_compared_by_their_words():
    one = pf.read({"t": ["a red circle", ""]}, text=["t"])
    other = pf.read({"t": ["a red circle", "something else entirely", ""]}, text=["t"])
    found = space(one, other).nearest(0, 1)
    np.testing.assert_allclose(found.there, 0, atol=1e-6)
    assert found.back[1] > 0.5 and found.which.tolist() == [0, 2]


def test_pictures_are_compared_by_their_pixels(digits):
    one, other = digits[0][:150], digits[1][:100]
    flat = [pixels(part).reshape(len(part), -1) / 255.0 for part in (one, other)]
    wanted = cdist(*flat) / 8
    found = PixelSpace(one, other).nearest(0, 1)
    np.testing.assert_allclose(found.there, wanted.min(1), atol=1e-4)
    np.testing.assert_allclose(found.back, wanted.min(0), atol=1e-4)


def test_the_kinds_are_chosen_and_nothing_is_refused(digits):
    assert isinstance(space(digits[0]), PixelSpace) and isinstance(space(mixed(10)), GowerSpace)
    with pytest.raises(UnmeasurableError, match="no records"):
        GowerSpace(mixed(10), mixed(10)[:0]).nearest(0, 1)


def test_threads_do_not_matter():
    records, threads = mixed(200), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = space(records[:100], records[100:]).nearest(0, 1).there
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(two, space(records[:100], records[100:]).nearest(0, 1).there, atol=1e-6)
