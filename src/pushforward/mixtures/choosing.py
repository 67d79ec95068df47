"""Which start, how many components, and how far they are drawn together: what short runs on some records say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.prior import Prior
from pushforward.mixtures.trials import Begin, Trials, climbed

SHORT = 15  # steps of EM on which a start is judged
LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
FEWEST = 8  # records a component must have
PATIENCE = 2  # rungs without a better one after which the ladder is left
SHRINKAGE = (0.0, 0.3, 1.25, 5.0, 20.0, 80.0, 320.0, 1280.0)  # of which the best is found, and refined by halves
WIDER, WIDEST = 1.05, 2.0  # by what covariances are multiplied at a time, and in all
USUAL = 4  # where on these the search begins, and what numbers of components are compared with


def best_start(begin: Begin, cells: Cells, share: Tensor, k: int, starts: int, prior: Prior) -> Mixture:
    """The start from which a short run climbs highest; there is nothing to run where there is one.

    Args:
        begin: gives a start.
        cells, share: records and their weights.
        k: components.
        starts: how many are tried.
        prior: what is believed beside the records.
    """
    if starts == 1:
        return begin(cells, share, k, 0, prior)
    found = (climbed(begin(cells, share, k, i, prior), cells, share, SHORT, prior) for i in range(starts))
    return max(found, key=lambda pair: pair[1])[0]


def chosen(
    trials: Callable[[], Trials],
    components: int | Literal["auto"],
    shrinkage: float | Literal["auto"],
    prior: Prior,
) -> tuple[int, Prior]:
    """How many components, and the prior with its shrinkage, each as said or found best; trials are made if need be."""
    prior = replace(prior, shrinkage=SHRINKAGE[USUAL] if shrinkage == "auto" else shrinkage)
    if components != "auto" and shrinkage != "auto":
        return components, prior
    runs = trials()
    k = best_number(runs, prior) if components == "auto" else components
    return k, best_shrinkage(runs, k, prior) if shrinkage == "auto" else prior


def best_number(trials: Trials, prior: Prior) -> int:
    """How many components score held-out records best; the fewest, within a standard error of the difference."""
    found: dict[int, Tensor] = {}

    def judge(k: int) -> float:
        if k not in found:
            found[k] = trials.run(k, prior)[1]
        return trials.mean(found[k])

    def surely(k: int, other: int) -> bool:
        """Whether k components are better than others by more than a standard error."""
        if judge(k) == -torch.inf or judge(other) == -torch.inf:
            return judge(k) > judge(other)
        more = (found[k] - found[other]) * trials.weights / trials.weights.mean()
        return bool(more.mean() > more.std(correction=0) / len(more) ** 0.5)

    n = min(len(part.cells) for part in trials.parts)
    rungs = [k for k in LADDER if k <= max(1, n // FEWEST)]
    best = 0
    for i, k in enumerate(rungs):
        best = i if surely(k, rungs[best]) else best
        if i - best == PATIENCE:
            break
    number = rungs[best]
    gap = max(number - rungs[max(0, best - 1)], rungs[min(len(rungs) - 1, best + 1)] - number)
    while gap := gap // 2:  # between the rungs
        near = [k for k in (number - gap, number, number + gap) if 1 <= k <= rungs[-1]]
        number = max(near, key=judge)
    return next(k for k in sorted(found) if k == number or (k < number and not surely(number, k)))


def best_shrinkage(trials: Trials, k: int, prior: Prior) -> Prior:
    """The prior whose shrinkage, and then whose widening, score held-out records best, found by going uphill."""
    mixtures, log = trials.run(k, prior)
    best, at = trials.mean(log), USUAL
    for step in (1, -1):
        here, nearby = at, mixtures
        while 0 <= here + step < len(SHRINKAGE):
            here += step
            nearby, log = trials.run(k, replace(prior, shrinkage=SHRINKAGE[here]), nearby)
            if trials.mean(log) <= best:
                break
            best, at, mixtures = trials.mean(log), here, nearby
        if at != USUAL:
            break
    prior = replace(prior, shrinkage=SHRINKAGE[at])
    for other in (prior.shrinkage / 2, prior.shrinkage * 2) if prior.shrinkage else ():
        nearby, log = trials.run(k, replace(prior, shrinkage=other), mixtures)
        if trials.mean(log) > best:
            mixtures, prior = nearby, replace(prior, shrinkage=other)
            break
    return replace(prior, widening=best_widening(trials, mixtures))


def best_widening(trials: Trials, mixtures: list[Mixture]) -> float:
    """By what covariances are to be multiplied, so that held-out records score best."""
    factor, best = 1.0, trials.widened(mixtures, 1.0)
    while factor < WIDEST and (score := trials.widened(mixtures, factor * WIDER)) > best:
        factor, best = factor * WIDER, score
    return factor
