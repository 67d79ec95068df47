"""Warnings on the command line."""

from __future__ import annotations

import warnings

import pytest


@pytest.mark.filterwarnings("always")
def test_a_warning_is_one_line_without_its_place(run):
    shown = warnings.showwarning
    words = ("fit", "diffusion", "moons", "--width", 8, "--lr", 100, "--steps", 5, "--out", "model")
    said = [line for line in run(*words).stderr.splitlines() if line.startswith("pushforward: warning:")]
    assert len(said) == 1
    assert "draws are noise" in said[0]
    assert ".py:" not in said[0]
    assert warnings.showwarning is shown
