"""Which start, and how many components: what a short run on some of the records says."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import collapsed, solve

SHORT, LONG = 15, 60  # steps of EM on which a start, and a number of components, is judged
SETTLED = 1e-3  # rise in nats a record at which a short run is over
HELD_OUT = 5  # one in so many records is held out, where nobody says which
LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
FEWEST = 8  # records a component must have
PATIENCE = 3  # rungs without a better one after which the ladder is left

Begin = Callable[[Cells, Tensor, int, int], Mixture]  # cells, weights, components, which start


def best_start(begin: Begin, cells: Cells, share: Tensor, k: int, starts: int, options: tuple[float, float]) -> Mixture:
    """The start from which a short run climbs highest; there is nothing to run where there is one.

    Args:
        begin: gives a start.
        cells, share: records and their weights.
        k: components.
        starts: how many are tried.
        options: ridge and smoothing.
    """
    if starts == 1:
        return begin(cells, share, k, 0)
    found = (climbed(begin(cells, share, k, i), cells, share, SHORT, options) for i in range(starts))
    return max(found, key=lambda pair: pair[1])[0]


def best_number(
    begin: Begin,
    cells: Cells,
    share: Tensor,
    held: tuple[Cells, Tensor] | None,
    options: tuple[float, float],
    order: Tensor,
) -> int:
    """How many components score held-out records best; the fewest, within a standard error of the difference.

    Args:
        begin, options: as for `best_start`.
        cells, share: the records and their weights.
        held: held-out records and their weights; None: some of these records, by `order`.
        order: (n,) a permutation of the records.
    """
    if held is None:
        if len(cells) < 2:
            return 1
        out = max(1, len(cells) // HELD_OUT)
        rest = order[out:].sort()[0]
        held, cells, share = (cells[order[:out]], share[order[:out]]), cells[rest], share[rest]
    judged, weights = held
    found: dict[int, Tensor] = {}

    def judge(k: int) -> float:
        if k not in found:
            mixture, _ = climbed(begin(cells, share, k, 0), cells, share, LONG, options)
            fallen = bool(collapsed(mixture, options[0]).any())  # what it says of the few records is no sign of worth
            log = mixture.posterior(judged)[1]
            found[k] = torch.full_like(log, -torch.inf) if fallen else log
        return float(found[k] @ weights / weights.sum())

    rungs = [k for k in LADDER if k <= max(1, len(cells) // FEWEST)]
    best = 0
    for i, k in enumerate(rungs):
        best = i if judge(k) > judge(rungs[best]) else best
        if i - best == PATIENCE:
            break
    number = rungs[best]
    gap = max(number - rungs[max(0, best - 1)], rungs[min(len(rungs) - 1, best + 1)] - number)
    while gap := gap // 2:  # between the rungs
        near = [k for k in (number - gap, number, number + gap) if 1 <= k <= rungs[-1]]
        number = max(near, key=judge)
    for k in sorted(found):
        better = (found[number] - found[k]) * weights / weights.mean()
        if k < number and bool(better.isfinite().all()) and better.mean() < better.std() / len(better) ** 0.5:
            return k
    return number


def climbed(
    mixture: Mixture, cells: Cells, share: Tensor, steps: int, options: tuple[float, float]
) -> tuple[Mixture, float]:
    """A mixture after some steps of EM, and its score before the last."""
    units, before = torch.zeros_like(mixture.grid), -torch.inf
    for _ in range(steps):
        moments = mixture.moments(cells, share, units)
        mixture, now = solve(moments, mixture, *options), float(moments.score / moments.weight)
        if now - before < SETTLED:
            break
        before = now
    return mixture, now
