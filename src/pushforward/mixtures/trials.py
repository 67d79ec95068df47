"""Short runs of EM on some of the records, judged by others: what a choice is made by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import collapsed, solve
from pushforward.mixtures.prior import Prior

LONG = 60  # steps of EM on which a choice is judged
SETTLED = 1e-3  # rise in nats a number at which a short run is over
PARTS = 5  # one in so many records is held out, where nobody says which
FEW = 4096  # numbers up to which each record is held out once, since one part of them says too little

Begin = Callable[[Cells, Tensor, int, int, Prior], Mixture]  # cells, weights, components, which start, prior


@dataclass(frozen=True)
class Fold:
    """Records to learn from and records to judge by, with their weights."""

    cells: Cells
    share: Tensor
    judged: Cells
    weights: Tensor


def folds(cells: Cells, share: Tensor, held: tuple[Cells, Tensor] | None, order: Tensor) -> list[Fold]:
    """What is held out, if anything; else a part of the records, or each part in its turn where they are few.

    Args:
        cells, share: the records and their weights.
        held: held-out records and their weights, if any.
        order: (n,) a permutation of the records.
    """
    if held is not None:
        return [Fold(cells, share, *held)]
    n = len(cells)
    if n < 2:
        return [Fold(cells, share, cells, share)]
    size = max(1, n // PARTS)
    found = []
    for start in range(0, n if cells.numbers.numel() <= FEW else 1, size):
        out = order[start : start + size]
        rest = torch.cat([order[:start], order[start + size :]]).sort()[0]
        found.append(Fold(cells[rest], share[rest], cells[out], share[out]))
    return found


class Trials:
    """Runs on each fold.

    Args:
        begin: gives a start.
        parts: the folds.
    """

    def __init__(self, begin: Begin, parts: list[Fold]):
        self._begin, self.parts = begin, parts
        self.weights = torch.cat([part.weights for part in parts])

    def run(self, k: int, prior: Prior, before: list[Mixture] | None = None) -> tuple[list[Mixture], Tensor]:
        """What is learned of each fold, from a start or from other mixtures, and the log densities of what is judged.

        A component that collapsed says nothing of its worth by the few records it stands on: all are -∞ then.
        """
        found, logs = [], []
        for i, part in enumerate(self.parts):
            start = self._begin(part.cells, part.share, k, 0, prior) if before is None else before[i]
            mixture, _ = climbed(start, part.cells, part.share, LONG, prior)
            log = mixture.posterior(part.judged)[1]
            fallen = bool(collapsed(mixture, prior.ridge).any())
            found.append(mixture)
            logs.append(torch.full_like(log, -torch.inf) if fallen else log)
        return found, torch.cat(logs)

    def widened(self, mixtures: list[Mixture], factor: float) -> float:
        """The mean log density of what is judged, under mixtures that are made wider."""
        pairs = zip(mixtures, self.parts, strict=True)
        return self.mean(torch.cat([mixture.widened(factor).posterior(part.judged)[1] for mixture, part in pairs]))

    def mean(self, log: Tensor) -> float:
        """The mean of the log densities that `run` gave."""
        return float(log @ self.weights / self.weights.sum())


def climbed(mixture: Mixture, cells: Cells, share: Tensor, steps: int, prior: Prior) -> tuple[Mixture, float]:
    """A mixture after some steps of EM, and its score before the last."""
    units, before = torch.zeros_like(mixture.grid), -torch.inf
    for _ in range(steps):
        moments = mixture.moments(cells, share, units)
        mixture, now = solve(moments, mixture, prior), float(moments.score / moments.weight)
        if now - before < SETTLED * max(1, len(units)):
            break
        before = now
    return mixture, now
