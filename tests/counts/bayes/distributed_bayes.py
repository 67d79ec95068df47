"""One process of a fit; ``python distributed_bayes.py PREFIX``, where the environment says which of how many."""

import os
import sys

import numpy as np
import torch

import pushforward as pf
from pushforward.training.place import Place
from pushforward.training.run import Run


def main(prefix: str) -> None:
    """Fit, and write the parameters for the test to compare."""
    rng = np.random.default_rng(0)
    k = rng.integers(0, 3, 901)
    data = {
        "x": np.where(rng.random(901) < 0.1, np.nan, 4.0 * k + rng.standard_normal(901)),
        "calls": rng.poisson(2 + k),
        "note": [" ".join(rng.choice(["up", "down", "left"], 3 + i)) for i in k],
        "town": np.array(["Ulm", "Bonn", "Kiel"])[k],
    }
    model = pf.NaiveBayes().fit(pf.read(data, text=["note"]), weights=rng.random(901))
    world = Place(Run(device="cpu")).world
    state = {name: tensor.numpy() for name, tensor in model._state().items()}
    np.savez(f"{prefix}-{os.environ.get('RANK', 0)}.npz", world=world, **state)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
