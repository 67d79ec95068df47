"""One thread a process: the networks of the tests are too small for more, and test processes share the cores."""

import os

import torch

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # of the processes that tests start
torch.set_num_threads(1)
