"""Naive Bayes in several processes, and from the command line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

import pushforward as pf


def test_two_processes_give_the_parameters_of_one(tmp_path):
    worker = str(Path(__file__).with_name("distributed_bayes.py"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true",
              "OMP_NUM_THREADS": "1"}  # fmt: skip
    ranks = [{"RANK": str(r), "LOCAL_RANK": str(r), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"} for r in range(2)]
    command = [sys.executable, worker]
    started = [
        subprocess.Popen([*command, str(tmp_path / "two")], env=shared | rank, stderr=subprocess.PIPE) for rank in ranks
    ]
    for process in started:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said.decode()
    alone = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    subprocess.run([*command, str(tmp_path / "one")], env=alone, check=True, timeout=100)
    one, two, other = (np.load(tmp_path / f"{name}.npz") for name in ("one-0", "two-0", "two-1"))
    assert str(two["world"]) == "2" and str(one["world"]) == "1"
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
