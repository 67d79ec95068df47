"""Several processes: one prints and writes, and the model is that of a single one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
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


DIFFUSE = [
    *("fit", "diffusion", "moons", "--given", "moon", "--width", "32", "--layers", "1", "--batch", "256"),
    *("--device", "cpu", "--out", "model", "--json"),
]
TORCHRUN = ["torch.distributed.run", "--nproc-per-node", "2"]


def curve(stdout):
    told = [json.loads(line) for line in stdout.splitlines()]
    return np.array([line["losses"]["denoising"] for line in told if "losses" in line])


def test_a_network_learns_as_fast_in_two_processes(tmp_path):
    """The same records a step, other noise: the mean loss of the second half agrees within 5 sigma of it."""
    two = launched(TORCHRUN, tmp_path, *DIFFUSE, "--steps", "120")
    assert two.returncode == 0, two.stderr
    model = pf.Diffusion(width=32, layers=1)
    single = [p.losses["denoising"] for p in model.fitting("moons", given="moon", steps=120, batch=256, device="cpu")]
    a, b = curve(two.stdout)[60:], np.array(single)[60:]
    assert len(a) == len(b) == 60
    assert abs(a.mean() - b.mean()) < 5 * (a.var() / 60 + b.var() / 60) ** 0.5


def test_a_killed_process_ends_the_run_which_can_be_gone_on_with(tmp_path):
    command = [sys.executable, "-m", *TORCHRUN, "-m", "pushforward", *DIFFUSE, "--steps", "400", "--checkpoint", "0.5"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and steps_kept(tmp_path / "model.run") < 20:
            time.sleep(0.1)
        os.kill(children(run.pid)[1], signal.SIGKILL)
        assert run.wait(timeout=60) != 0
    assert not (tmp_path / "model").exists()
    kept = steps_kept(tmp_path / "model.run")
    assert 20 <= kept < 400
    done = launched(TORCHRUN, tmp_path, *DIFFUSE, "--steps", "400")
    assert done.returncode == 0, done.stderr
    assert len(curve(done.stdout)) == 400 - kept
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def steps_kept(folder):
    return max((int(path.name.removeprefix("step-")) for path in folder.glob("step-*")), default=0)


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
