"""Naive Bayes in several processes, and from the command line."""

import subprocess
import sys
from pathlib import Path

import numpy as np

import pushforward as pf


def test_two_processes_give_the_parameters_of_one(in_two_processes):
    one, two, other = in_two_processes(Path(__file__).with_name("distributed_bayes.py"))
    for name in set(one.files) - {"world"}:
        np.testing.assert_array_equal(two[name], other[name])
        np.testing.assert_allclose(one[name], two[name], rtol=1e-12, atol=1e-12)


def test_it_is_fitted_and_predicts_from_the_command_line(tmp_path):
    out = str(tmp_path / "birds")

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "pushforward", *words], check=True, timeout=100, capture_output=True, text=True
        ).stdout

    run("fit", "naive-bayes", "penguins", "--field", "species", "--out", out)
    found = run("predict", out, "penguins", "--field", "species").splitlines()
    wanted = pf.NaiveBayes(field="species").fit("penguins").predict("penguins", "species")
    assert [line.split(",")[0].strip('"') for line in found[1:]] == wanted.tolist()
