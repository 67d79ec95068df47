"""What is drawn of a training is what was told of it."""

import numpy as np
import pytest

from pushforward.drawing.panels import limits, logarithmic, panels, smooth

STEPS = np.arange(1, 201)


def line(values):
    return STEPS, np.broadcast_to(np.asarray(values, float), STEPS.shape)


def test_prefixes_make_panels_and_plain_names_share_one():
    wave = line(np.sin(STEPS))
    shown = panels(
        {"a/x": wave, "loss": wave, "a/y": wave, "other": line(np.cos(STEPS)), "far": line(1e4 * np.sin(STEPS))}
    )
    assert [(p.title, list(p.lines)) for p in shown] == [
        ("loss", ["loss", "other"]), ("far", ["far"]), ("a", ["x", "y"]),
    ]  # fmt: skip


def test_an_axis_is_logarithmic_only_over_decades_of_positive_numbers():
    falling = line(np.exp(-STEPS / 20))
    assert logarithmic({"a": falling})
    assert not logarithmic({"a": line(1 / STEPS[::-1] + 1)})
    assert not logarithmic({"a": falling, "b": line(-1)})
    assert not logarithmic({"a": line(np.nan)})


def test_smoothing_keeps_lines_straight_and_takes_noise_away():
    straight = line(3.0 * STEPS)
    (_, values), window = smooth(straight)
    assert window > 1 and np.allclose(values[:-window], straight[1][:-window])
    noise = line(np.random.default_rng(0).normal(size=len(STEPS)))
    assert smooth(noise)[0][1][20:].std() < 0.6 * noise[1].std()
    steps, holed = line(np.where(STEPS == 7, np.nan, 1.0))
    assert smooth((steps, holed))[1] == 1  # a hole stays one


def test_shares_are_shown_whole_and_a_rush_at_the_start_leaves_the_panel():
    assert limits({"a": line(0.5 + 0.4 * np.sin(STEPS))}) == (-0.03, 1.03)
    assert limits({"a": line(0.7 + 0.1 * np.sin(STEPS))}) is None
    low, high = limits({"a": line(np.where(STEPS < 4, 1e6, np.sin(STEPS)))})
    assert -1.5 < low < -1 and 1 < high < 4
    assert limits({"a": line(np.sin(STEPS))}) is None


# The figure


@pytest.fixture
def curves():
    pytest.importorskip("matplotlib")
    from pushforward.drawing.curves import curves

    return curves


def shown(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def test_each_number_is_a_line_through_its_points_with_its_name_beside_it(curves):
    few = np.array([1, 5, 9]), np.array([3.0, 2.0, 4.0])
    figure = curves({"loss": few, "accuracy/real": few, "accuracy/fake": few})
    loss, accuracy = shown(figure)
    assert [axes.get_title(loc="left") for axes in (loss, accuracy)] == ["loss", "accuracy"]
    assert [len(axes.lines) for axes in (loss, accuracy)] == [1, 2]
    assert np.array_equal(loss.lines[0].get_xydata(), np.stack(few, 1))
    assert [text.get_text() for text in accuracy.texts] == ["real", "fake"] and not loss.texts
    assert all(axes.get_xlabel() == "steps" for axes in (loss, accuracy))


def test_names_do_not_lie_on_one_another_nor_panels_on_their_words(curves):
    same = np.array([1, 9]), np.array([1.0, 2.0])
    numbers = {f"p{i}/{name}": same for i in range(4) for name in ("one", "two", "three", "four")}
    figure = curves(numbers, [(3, "an alarm"), (6, "another, and " * 30)])
    figure.savefig("/dev/null", format="png")
    boxes = [text.get_window_extent() for axes in shown(figure) for text in axes.texts if len(text.get_text()) > 1]
    assert len(boxes) == 16
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    words = figure._supxlabel.get_window_extent()
    assert not any(axes.get_tightbbox().overlaps(words) for axes in shown(figure))
    assert figure.bbox.x0 <= words.x0 and words.x1 <= figure.bbox.x1


def test_notes_are_marked_at_their_steps_in_every_panel(curves):
    few = np.array([1, 5, 9]), np.array([3.0, 2.0, 4.0])
    figure = curves({"a": few, "b/c": few}, [(4, "the batch is halved"), (8, "collapse")])
    for axes in shown(figure):
        assert [tuple(mark.get_xdata()) for mark in axes.lines[1:]] == [(4, 4), (8, 8)]
    told = figure._supxlabel.get_text()
    assert "step 4: the batch is halved" in told and "step 8: collapse" in told


@pytest.mark.parametrize("values", [[np.nan] * 3, [np.inf, 1.0, 2.0], [0.0] * 3, [1e-30, 1e30, 1.0], [7.0]])
def test_odd_numbers_are_drawn_too(curves, values, tmp_path):
    steps = np.arange(1, len(values) + 1)
    curves({"a": (steps, np.array(values)), "b": (steps, np.ones(len(steps)))}).savefig(tmp_path / "a.png")
