"""One process of a fit; ``python distributed.py PREFIX``, where the environment says which of how many."""

import os
import sys
from pathlib import Path

import numpy as np
import torch

import pushforward as pf
from pushforward.training.place import Place
from pushforward.training.run import Run


def main(prefix: str) -> None:
    """Fit, and write the parameters for the test to compare."""
    rng = np.random.default_rng(0)
    k = rng.integers(0, 3, 901)
    x = np.where(rng.random((901, 2)) < 0.1, np.nan, 4.0 * k[:, None] + rng.standard_normal((901, 2)))
    data = {"x": x[:, 0], "y": x[:, 1], "town": np.array(["Ulm", "Bonn", "Kiel"])[k]}
    model = pf.GaussianMixture(components=3).fit(data, steps=6, folder=f"{prefix}-run", device="cpu")
    world = Place(Run(device="cpu")).world
    state = {name: tensor.numpy() for name, tensor in model._state().items()}
    np.savez(f"{prefix}-{os.environ.get('RANK', 0)}.npz", world=world, **state)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    Path(sys.argv[1]).parent.mkdir(exist_ok=True)
    main(sys.argv[1])
