"""One process of a fit; ``python distributed_vq.py PREFIX``, where the environment says which of how many."""

import os
import sys

import numpy as np
import torch

import pushforward as pf
from pushforward.training.place import Place
from pushforward.training.run import Run


def main(prefix: str) -> None:
    """Fit, and write the parameters for the test to compare."""
    data = np.random.default_rng(0).standard_normal((600, 3))
    model = pf.VQ(codebook="learned", codes=16, positions=2, width=8)
    model.fit(data, steps=40, batch=64, folder=f"{prefix}-run", device="cpu")
    world = Place(Run(device="cpu")).world
    state = {name: tensor.numpy() for name, tensor in model._state().items()}
    used = model.measurements["used"]
    np.savez(f"{prefix}-{os.environ.get('RANK', 0)}.npz", world=world, used=used, **state)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
