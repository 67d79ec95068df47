"""Judges of drawn pictures, given as arrays: what `pushforward.metrics` measures of them, as plain numbers.

What each number means, for n drawn pictures against n held-out real ones:

- class accuracy: how often a judge sees the label that was asked for;
- utility: accuracy on real pictures of a network trained on drawn ones, over that of one trained on real ones;
- two-sample: accuracy in telling drawn from real (0.5: no better than chance), by gradient boosting on 32 principal
  components and by a small network, which sees blur;
- Fréchet: distance in the features of three judges, over that of as many real training pictures;
- coverage: share of real pictures with a drawn one within the distance of their fifth nearest real neighbour (Naeem
  et al. 2020, arXiv 2002.09797), over that of training pictures;
- near: share of drawn pictures nearer to a training picture than 95% of held-out ones are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import pushforward as pf
from pushforward.metrics import manifold, near_copies, told_by_network, told_by_trees
from pushforward.metrics.distances import frechet
from pushforward.metrics.judge import Judge, accuracy, as_tensor, features, trained

__all__ = ["Court", "Judge", "accuracy", "as_tensor", "nearness"]


def records(pixels: np.ndarray) -> pf.Records:
    """Pictures (n, height, width[, channels]) as records."""
    return pf.read({"image": np.ascontiguousarray(pixels)})


@dataclass
class Court:
    """Judges of one data set.

    Args:
        train, held: (pixels, labels as whole numbers) to train judges on, and to compare with.
        classes: how many labels there are.
    """

    train: tuple[np.ndarray, np.ndarray]
    held: tuple[np.ndarray, np.ndarray]
    classes: int

    def __post_init__(self) -> None:
        x, y = as_tensor(self.train[0]), torch.from_numpy(self.train[1])
        self.judges = [trained(x, y, self.classes, seed=100 + seed) for seed in range(3)]
        real, labels = as_tensor(self.held[0]), torch.from_numpy(self.held[1])
        self.best = float(np.mean([accuracy(judge, real, labels) for judge in self.judges]))
        rows = np.random.default_rng(0).permutation(len(x))[: len(real)]
        self.floor, self.full = self._apart(x[rows])

    def _apart(self, x: Tensor) -> tuple[float, float]:
        """The Fréchet distance to held-out pictures, and their coverage: means over judges."""
        real = as_tensor(self.held[0])
        seen = [(features(judge, x), features(judge, real)) for judge in self.judges]
        coverage = [manifold(ours, theirs)["coverage"].value for ours, theirs in seen]
        return float(np.mean([frechet(*pair) for pair in seen])), float(np.mean(coverage))

    def verdict(self, pixels: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """All numbers about drawn pictures, of which there are at least as many as were held out."""
        n = len(self.held[0])
        x, y = as_tensor(pixels), torch.from_numpy(labels)
        real, truth = as_tensor(self.held[0]), torch.from_numpy(self.held[1])
        students = [accuracy(trained(x, y, self.classes, seed=200 + s), real, truth) for s in range(2)]
        drawn, held = records(pixels[:n]), records(self.held[0])
        distance, coverage = self._apart(x[:n])
        return {
            "class": float(np.mean([accuracy(judge, x[:n], y[:n]) for judge in self.judges])),
            "utility": float(np.mean(students)) / self.best,
            "pc": told_by_trees(drawn, held).value,
            "cnn": told_by_network(drawn, held).value,
            "frechet": distance / self.floor,
            "coverage": coverage / self.full,
            **nearness(pixels[:n], self.train[0], self.held[0]),
        }


def nearness(drawn: np.ndarray, train: np.ndarray, held: np.ndarray) -> dict[str, float]:
    """Share of drawn pictures nearer to a training picture than the nearest twentieth of held-out ones."""
    return {"near": near_copies(records(drawn), records(train), records(held)).value}
