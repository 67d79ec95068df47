"""Which start, and how many components: what a short run on some of the records says."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import solve

SHORT, LONG = 15, 60  # steps of EM on which a start, and a number of components, is judged
SETTLED = 1e-3  # rise in nats a record at which a short run is over
HELD_OUT = 5  # one in so many records is held out, where nobody says which
LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
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
    """How many components score held-out records best.

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
    best, number, worse = -torch.inf, 1, 0
    for k in LADDER:
        if k > len(cells) or worse == PATIENCE:
            break
        mixture, _ = climbed(begin(cells, share, k, 0), cells, share, LONG, options)
        found = score(mixture, *held)
        worse = 0 if found > best else worse + 1
        best, number = (found, k) if found > best else (best, number)
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


def score(mixture: Mixture, cells: Cells, share: Tensor) -> float:
    """Mean log density of records, but for what the units add."""
    return float(mixture.posterior(cells)[1] @ share / share.sum())
