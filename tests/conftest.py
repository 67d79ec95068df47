"""One thread a process: the networks of the tests are too small for more, and test processes share the cores."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # of the processes that tests start
torch.set_num_threads(1)


@pytest.fixture
def in_two_processes(tmp_path):
    """Run a worker, ``python WORKER PREFIX``, alone and in two processes that share a fit; what each of them wrote."""

    def run(worker):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true",
                  "OMP_NUM_THREADS": "1"}  # fmt: skip
        ranks = [{"RANK": str(r), "LOCAL_RANK": str(r), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"} for r in range(2)]
        two = [sys.executable, str(worker), str(tmp_path / "two")]
        started = [subprocess.Popen(two, env=shared | rank, stderr=subprocess.PIPE) for rank in ranks]
        for process in started:
            _, said = process.communicate(timeout=100)
            assert process.returncode == 0, said.decode()
        alone = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
        subprocess.run([sys.executable, str(worker), str(tmp_path / "one")], env=alone, check=True, timeout=100)
        found = [np.load(tmp_path / f"{name}.npz") for name in ("one-0", "two-0", "two-1")]
        assert [str(written["world"]) for written in found] == ["1", "2", "2"]
        return found

    return run
