"""Charts show where numbers are: order is kept, intervals hold their numbers, and shares add up."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushforward.compare.report.charts import marginal, pair
from pushforward.compare.report.charts.plane import Point, plane
from pushforward.compare.report.charts.scale import Scale, around, round_numbers
from pushforward.compare.report.charts.whisker import column, whisker
from pushforward.compare.report.elements import el, join, text
from pushforward.metrics import Measured

FINITE = st.floats(-1e12, 1e12)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_a_scale_keeps_order_and_ends(values):
    scale = around(values, 5, 95)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(5 <= place <= 95 for place in places)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 9))
def test_ticks_are_round_inside_and_few(low, width, most):
    ticks = round_numbers(low, low + width, most)
    slack = 1e-6 * max(width, abs(low))
    assert 1 <= len(ticks) <= most
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)


def test_equal_ratios_are_equal_distances_on_a_log_scale():
    scale = Scale(0.1, 1000, 0, 80, log=True)
    assert np.allclose(np.diff([scale(v) for v in (0.1, 1, 10, 100, 1000)]), 20)
    assert scale.ticks() == pytest.approx([0.1, 1, 10, 100, 1000])


def test_one_far_number_does_not_press_the_others_together():
    scale = around([1, 2, 3, 4, 5, 6, 7, 1e6], 0, 100)
    assert scale(7) - scale(1) > 80 and scale.beyond(1e6) == 1 and scale(1e6) == 100


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3))
def test_a_whisker_holds_its_dot(value, below, above):
    one = Measured(value, value - below, value + above, "lower", 0.5)
    tree = ET.fromstring(whisker(one, column([one]), "words"))
    dot, line = tree.find("circle"), next(e for e in tree.iter("line") if e.get("class") == "whisker")
    assert float(line.get("x1")) - 0.1 <= float(dot.get("cx")) <= float(line.get("x2")) + 0.1


def test_dots_of_a_column_stand_in_order_with_the_ideal_where_it_is():
    many = [Measured(v, v - 0.02, v + 0.02, "lower", 0.5) for v in (0.55, 0.7, 0.9)]
    scale = column(many)
    trees = [ET.fromstring(whisker(one, scale, "words")) for one in many]
    dots = [float(tree.find("circle").get("cx")) for tree in trees]
    ideals = {next(e for e in tree.iter("line") if e.get("class") == "ideal").get("x1") for tree in trees}
    assert dots == sorted(dots) and len(ideals) == 1 and float(ideals.pop()) < dots[0]


def test_shares_of_bins_add_up_whatever_lies_beyond():
    rng = np.random.default_rng(0)
    bins = marginal.edges(rng.normal(size=500))
    assert marginal.shares(rng.normal(3, 9, 400), bins).sum() == pytest.approx(1)
    assert marginal.shares(np.full(4, np.nan), bins).sum() == 0


def test_few_whole_numbers_have_a_bin_each():
    bins = marginal.edges(np.array([2007.0, 2008, 2009, 2009]))
    assert bins.tolist() == [2006.5, 2007.5, 2008.5, 2009.5]
    assert "2007" in marginal.numbers(np.array([2007.0, 2009, 2008]), np.array([2008.0]), "words")


def test_bars_and_dots_are_as_long_as_shares():
    real, drawn = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [10, 30])
    tree = ET.fromstring(marginal.levels(real, drawn, ("a", "b"), "words"))
    bars = [float(bar.get("width")) for bar in tree.iter("rect")]
    dots = [float(dot.get("cx")) - marginal.NAMES for dot in tree.iter("circle")]
    assert bars[0] == pytest.approx(3 * bars[1], abs=0.3)
    assert dots == pytest.approx(bars[::-1], abs=0.2)


def test_rare_levels_and_holes_have_lines_of_their_own():
    codes = np.arange(-1, 40)
    said = "".join(ET.fromstring(marginal.levels(codes, codes, tuple(map(str, range(40))), "words")).itertext())
    assert "33 more" in said and "missing" in said


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [1.0], [1.0, 1.0], [-1e300, 1e300], [0.0, 5e-324]])
def test_odd_columns_are_drawn(values):
    values = np.array(values, float)
    codes = np.zeros(len(values), int)
    for chart in (
        marginal.numbers(values, values, "words"),
        pair.clouds((values, values), (values, values), ("a", "b"), "words"),
        pair.spans((codes, values), (codes, values), ("a",), "words"),
        pair.rings((codes, codes), (codes, codes), (("a",), ("b",)), "words"),
    ):
        assert not re.search(r"nan|inf", ET.tostring(ET.fromstring(chart), encoding="unicode").replace("1e+300", ""))


def test_names_beside_points_do_not_lie_on_each_other():
    points = [Point(f"model {i}", "m0", 0, 1.0, Measured(0.5 + i / 1e3, 0.4, 0.6, "lower", 0.5)) for i in range(12)]
    tree = ET.fromstring(plane(points, "seconds", "quality", "words"))
    places = sorted(float(e.get("y")) for e in tree.iter("text") if (e.text or "").startswith("model"))
    assert min(np.diff(places)) > 9


@given(st.text())
def test_any_text_is_text(words):
    tree = ET.fromstring(el("p", words, title=words))
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    kept = [c for c in words if c in "\t\n" or 0x20 <= ord(c) < 0x7F]
    assert [c for c in "".join(tree.itertext()) if c in "\t\n" or 0x20 <= ord(c) < 0x7F] == kept
    assert not list(tree)


def test_markup_is_escaped_once():
    assert join(text("<"), el("i", "&")) == "&lt;<i>&amp;</i>"
