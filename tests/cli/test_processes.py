"""Several processes: one prints and writes, and the model is that of a single one."""

import json
import os
import subprocess
import sys

import torch

import pushforward as pf

FIT = ["fit", "gaussian-mixture", "penguins", "--components", "3", "--steps", "5", "--device", "cpu", "--out", "model"]


def launched(launcher, folder, *words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", *launcher, "-m", "pushforward", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


def same(folder, penguins):
    ours, single = pf.load(folder / "model")._state(), pf.load(penguins)._state()
    return all(torch.allclose(ours[name], single[name], rtol=0, atol=1e-6) for name in single)


def test_two_processes_fit_what_one_fits_and_only_the_first_speaks(tmp_path, penguins):
    (tmp_path / "work").mkdir()
    torchrun = [
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--redirects",
        "3",
        "--log-dir",
        str(tmp_path / "logs"),
    ]
    done = launched(torchrun, tmp_path / "work", *FIT, "--json")
    assert done.returncode == 0, done.stderr
    told = {path.parent.name: path.read_text() for path in (tmp_path / "logs").rglob("stdout.log")}
    assert set(told) == {"0", "1"} and told["1"] == ""
    assert json.loads(told["0"].splitlines()[-1])["measurements"]["steps"] == 5
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["model"]
    assert same(tmp_path / "work", penguins)


def test_accelerate_launches_it(tmp_path, penguins):
    launcher = ["accelerate.commands.accelerate_cli", "launch", "--multi_gpu", "--num_processes", "2"]
    done = launched(launcher, tmp_path, *FIT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("saved in model") == 1
    assert same(tmp_path, penguins)


def test_where_accelerate_starts_one_process_in_place_of_two_it_is_said(tmp_path, penguins):
    launcher = ["accelerate.commands.accelerate_cli", "launch", "--cpu", "--num_processes", "2"]
    done = launched(launcher, tmp_path, *FIT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("one process alone") == 1
    assert same(tmp_path, penguins)
