"""What a person sees on a terminal."""

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest


def seen(*words, columns=80, **environment):
    """All that a command writes on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    ours_alone = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    settings = {**ours_alone, "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-m", "pushforward", *map(str, words)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=settings, close_fds=True)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # Linux ends a terminal so
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0, text
    return text.decode()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_bar_with_phase_losses_speed_and_an_end(tmp_path):
    told = seen("fit", "gaussian-mixture", "penguins", "--steps", "5", "--out", tmp_path / "model", columns=120)
    assert "\x1b[" in told and "━" in told
    last = plain(told).replace("\r", "\n")
    assert re.search(r"em 5 · nats -\d+\.\d+ · .*steps?", last) and "saved in" in last


@pytest.mark.parametrize("columns", [60, 100])
def test_a_table_of_the_first_rows_that_fits_the_screen(penguins, columns):
    lines = plain(seen("sample", penguins, "-n", 30, "--seed", 1, columns=columns)).splitlines()
    assert max(map(len, lines)) <= columns
    assert "10 more rows" in lines[-1] and len(lines) == 22


def test_a_description_fits_the_screen():
    told = seen("describe", "adult", columns=70)
    assert max(map(len, plain(told).splitlines())) <= 70 and "\x1b[" in told


def test_colours_can_be_declined():
    assert "\x1b[" in seen("families") and "\x1b[3" not in seen("families", NO_COLOR="1")


def test_a_card_is_set_in_type(penguins):
    assert "```" not in plain(seen("card", penguins))
