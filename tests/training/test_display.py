"""A run on the screen."""

import io

import pytest

from pushforward.training.display import bar, drain, follow, in_words, lines
from pushforward.training.progress import Progress


def steps(many=3, note=""):
    for step in range(1, many + 1):
        yield Progress("train", step, {"loss": 1 / step}, elapsed=step / 10, remaining=(many - step) / 10, note=note)


def test_nothing_is_written_where_there_is_no_terminal():
    stream = io.StringIO()
    assert drain(steps(), stream=stream).step == 3
    assert stream.getvalue() == ""


def test_plain_lines_tell_the_beginning_the_end_and_every_note():
    stream = io.StringIO()
    assert follow(lines(steps(note="the batch is halved"), title="fit", stream=stream), steps()).step == 3
    told = stream.getvalue().splitlines()
    assert len(told) == 4 and all("the batch is halved" in line for line in told)
    assert told[-1].startswith("fit: done, train 3 · loss 0.333")


def test_a_bar_shows_phase_losses_and_time_left():
    stream = io.StringIO()
    list(bar(steps(note="halved"), title="fit", stream=stream))
    assert "halved" in stream.getvalue() and "train 3" in stream.getvalue()


@pytest.mark.parametrize("seconds, words", [(54, "54 s left"), (125, "2:05 min left"), (3601, "60:01 min left")])
def test_time_left_in_words(seconds, words):
    assert words in in_words(Progress("train", 1, remaining=seconds))
