"""Ctrl-C and SIGTERM: a checkpoint, the command that goes on, exit code 130."""

import os
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest

import pushforward as pf

RUN = [sys.executable, "-m", "pushforward"]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}  # the same order of sums each time, on a machine that others use
FIT = ["fit", "gaussian-mixture", "penguins", "--steps", "300", "--components", "3", "--out", "my model"]


def interrupted(signals, folder, words):
    """Start a fit, send signals once it is under way, and give its exit code and the last line of stderr."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    fit = subprocess.Popen([*RUN, *words], cwd=folder, env=ALONE, **pipes)
    fit.stderr.readline()  # the first step is done
    for number in signals:
        os.kill(fit.pid, number)
    _, told = fit.communicate(timeout=60)
    return fit.returncode, told.splitlines()[-1]


def finished(words, folder):
    """Run a fit to its end, and give what it says."""
    return subprocess.run([*RUN, *words], cwd=folder, env=ALONE, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_that_is_printed_goes_on_to_the_same_model(tmp_path, number):
    code, line = interrupted([number], tmp_path, FIT)
    assert code == 130
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my model.run"]
    again = shlex.split(line.partition("go on with: ")[2])
    assert again == ["python", "-m", "pushforward", *FIT]
    assert "em 1 ·" not in finished(again[3:], tmp_path)  # it did not start again
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my model"]
    finished([*FIT[:-1], "whole"], tmp_path)
    ours, whole = (tmp_path / name / "weights.safetensors" for name in ("my model", "whole"))
    assert ours.read_bytes() == whole.read_bytes()


def test_impatience_ends_it_as_well(tmp_path):
    code, line = interrupted([signal.SIGINT, signal.SIGINT, signal.SIGINT], tmp_path, FIT)
    assert code == 130 and "go on with: " in line


def test_a_finished_budget_stays_finished(tmp_path, run):
    run("fit", "gaussian-mixture", "penguins", "--steps", 3, "--out", "model", "--folder", "kept")
    before = pf.load("model").means
    run("fit", "gaussian-mixture", "penguins", "--steps", 3, "--out", "model", "--folder", "kept")
    np.testing.assert_array_equal(pf.load("model").means, before)
