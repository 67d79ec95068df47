"""Fields as states: what is in a state adds up to one, draws follow it, and limits cut it exactly."""

import numpy as np
import pytest

from pushforward.counts.trees.axes.binning import _edges, bins_for, number_axis
from pushforward.counts.trees.axes.levels import LevelAxis
from pushforward.counts.trees.axes.numbers import NumberAxis
from pushforward.data import Number
from pushforward.limits import Limit

RNG = np.random.default_rng(0)
HEAPED = np.where(RNG.random(4000) < 0.5, 40.0, np.rint(RNG.normal(40, 12, 4000)))
COLUMNS = {
    "floats": (RNG.standard_normal(3000), Number(name="x")),
    "heaped": (HEAPED, Number(name="x", type="int64", resolution=1.0, decimals=0, low=HEAPED.min(), high=HEAPED.max())),
    "spike": (
        np.where(RNG.random(2000) < 0.7, 0.0, RNG.exponential(3.0, 2000)),
        Number(name="x", atoms=(0.0,), decimals=6, low=0.0, high=30.0),
    ),
    "cents": (
        np.rint(RNG.gamma(2, 500, 3000)) / 100,
        Number(name="x", resolution=0.01, decimals=2, low=0.0, high=100.0),
    ),
    "gap": (np.concatenate([RNG.uniform(25, 55, 80), RNG.uniform(120, 220, 320)]), Number(name="x")),
    "rounded gap": (
        np.rint(np.concatenate([RNG.uniform(25, 55, 80), RNG.uniform(120, 220, 320)])),
        Number(name="x", type="int64", resolution=1.0, decimals=0, low=0.0, high=300.0),
    ),
    "few": (np.array([1.0, 1, 2, 2, 2, 3]), Number(name="x", type="int64", resolution=1.0, decimals=0, low=1, high=3)),
    "one": (np.full(5, 7.5), Number(name="x")),
}


def axis_of(name, most=32):
    values, field = COLUMNS[name]
    return number_axis(values, np.ones(len(values)), field, bins_for(len(values), most)), values, field


def inside(axis, limit):
    """(S,) how much of each state lies within a limit, summed or integrated value by value."""
    points = axis.points if not axis.step else np.zeros(0)
    if axis.step:
        grid = np.arange(-40_000, 60_000) * axis.step
        weight = np.ones(len(grid))
    else:
        width = 40 * axis.scale.max()
        low, high = axis.edges[0] - width, axis.edges[-1] + width
        cells = np.unique(np.concatenate([np.linspace(low, high, 400_001), axis.edges]))
        grid, weight = (cells[1:] + cells[:-1]) / 2, np.diff(cells)
        grid, weight = np.concatenate([grid, points]), np.concatenate([weight, np.ones(len(points))])
    states, within = axis.encode(grid)
    kept = (grid >= limit.low) & (grid <= limit.high)
    return np.bincount(states[kept], (np.exp(within) * weight)[kept], minlength=axis.size)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_state_holds_a_whole_distribution(name):
    axis, _, _ = axis_of(name)
    np.testing.assert_allclose(inside(axis, Limit()), 1, atol=2e-3 if not axis.step else 1e-6)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("ends", [(0.2, 0.6), (0.5, 0.5), (None, 0.3), (0.9, None)])
def test_limits_cut_states_exactly(name, ends):
    axis, values, _ = axis_of(name)
    low, high = (
        np.inf * sign if end is None else round(np.quantile(values, end), 9)  # a value of the data, not one next to it
        for end, sign in zip(ends, (-1, 1), strict=True)
    )
    _, mass = axis.limited(Limit(low, high))
    np.testing.assert_allclose(mass, inside(axis, Limit(low, high)), atol=2e-3 if not axis.step else 1e-6)


@pytest.mark.parametrize("name", COLUMNS)
def test_draws_follow_the_density(name):
    axis, _, _ = axis_of(name)
    n, rng = 20_000, np.random.default_rng(1)
    for state in range(axis.size):
        drawn = axis.draw(np.full(n, state), rng)
        again, _ = axis.encode(drawn)
        assert (again == state).all(), f"a draw of state {state} lies in another"
        middle = np.median(drawn)
        share = inside(axis, Limit(high=middle))[state]
        assert abs((drawn <= middle).mean() - share) < 5 * 0.5 / np.sqrt(n) + 2e-3


@pytest.mark.parametrize("name", COLUMNS)
def test_draws_stay_within_limits(name):
    axis, values, _ = axis_of(name)
    low, high = np.quantile(values, [0.3, 0.8], method="nearest")
    limited, mass = axis.limited(Limit(low, high))
    for state in np.flatnonzero(mass > 1e-12):
        drawn = limited.draw(np.full(500, state), np.random.default_rng(2))
        assert (drawn >= low - 1e-9).all() and (drawn <= high + 1e-9).all()


def test_a_set_keeps_its_values_in_proportion():
    axis, _, _ = axis_of("heaped")
    wanted = np.array([38.0, 40.0, 41.0])
    limited, mass = axis.limited(Limit(values=tuple(wanted)))
    states, within = axis.encode(wanted)
    np.testing.assert_allclose(mass, np.bincount(states, np.exp(within), minlength=axis.size))
    for state in np.unique(states):
        drawn = limited.draw(np.full(4000, state), np.random.default_rng(3))
        expected = np.exp(within[states == state])
        found = np.array([(drawn == value).mean() for value in wanted[states == state]])
        np.testing.assert_allclose(found, expected / expected.sum(), atol=5 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_and_origin_change_nothing_but_the_unit(scale):
    axis, values, field = axis_of("floats")
    other = number_axis(values * scale, np.ones(len(values)), field, bins_for(len(values), 32))
    (states, within), (again, moved) = axis.encode(values), other.encode(values * scale)
    assert (states == again).all()
    np.testing.assert_allclose(moved, within - np.log(scale), atol=1e-9)
    shifted = number_axis(values + 1e4, np.ones(len(values)), field, bins_for(len(values), 32))
    np.testing.assert_allclose(shifted.encode(values + 1e4)[1], within, atol=1e-6)


def test_what_repeats_has_a_share_and_what_occurs_once_leaves_no_trace():
    values = np.concatenate([np.arange(0, 20_000, 7), np.repeat([123.0, 5000.0], 30)])
    field = Number(name="x", type="int64", resolution=1.0, decimals=0, low=0, high=20_000)
    axis = number_axis(values, np.ones(len(values)), field, bins_for(len(values), 32))
    assert set(axis.points) == {123.0, 5000.0}


@pytest.mark.parametrize("name", ["gap", "rounded gap"])
def test_no_bin_reaches_over_a_gap(name):
    axis, values, _ = axis_of(name)
    ordered = np.sort(values)
    at = np.diff(ordered).argmax()
    low, high = ordered[at], ordered[at + 1]
    one, two = low + 0.25 * (high - low), high - 0.25 * (high - low)
    states, _ = axis.encode(values)
    _, mass = axis.limited(Limit(one, two))
    leaked = mass[states].mean()
    assert leaked < 0.002, f"{leaked:.1%} of the values would be drawn where none is"


def test_chance_makes_no_gaps():
    rng = np.random.default_rng(4)
    more = 0
    for n in (60, 400, 3000):
        for _ in range(40):
            bins = bins_for(n, 128)
            plain = len(_edges(np.sort(rng.random(n)), np.ones(n), bins))
            values = rng.random(n)
            more += len(number_axis(values, np.ones(n), Number(name="x"), bins).edges) > plain
    assert more <= 15, "0.05 gaps of chance are expected in each of 120 samples"


def test_rare_levels_share_a_state_and_keep_their_shares():
    axis = LevelAxis.of(np.array([50.0, 4, 40, 1, 0]), most=3)
    states, within = axis.encode(np.arange(5))
    assert states.tolist() == [0, 2, 1, 2, 2]
    np.testing.assert_allclose(np.exp(within), [1, 4.5 / 6.5, 1, 1.5 / 6.5, 0.5 / 6.5])
    drawn = axis.draw(np.full(20_000, 2), np.random.default_rng(0))
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=5) / 20_000, [0, 4.5 / 6.5, 0, 1.5 / 6.5, 0.5 / 6.5], atol=0.02
    )
    _, mass = axis.limited(Limit(values=(1, 2)))
    np.testing.assert_allclose(mass, [0, 1, 4.5 / 6.5])


@pytest.mark.parametrize("name", COLUMNS)
def test_arrays_say_all(name):
    axis, values, _ = axis_of(name)
    again = NumberAxis.of_arrays(axis.arrays())
    for one, other in zip(axis.encode(values), again.encode(values), strict=True):
        assert np.array_equal(one, other)
