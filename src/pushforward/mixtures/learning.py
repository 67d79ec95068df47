"""EM on all records at once, and stepwise EM on batches of them, as updates that `climb` repeats.

Stepwise EM (Cappé, Moulines 2009, arXiv:0712.4273; Liang, Klein 2009) holds a running mean s of the moments,

    s ← (1 - γ_t) s + γ_t s(batch),    γ_t = (t + 2)^-0.7,

and takes the mixture that fits s after each batch: what is held is one chunk of the data and s, however long the
stream is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Records, Scan
from pushforward.data.encodings.cells import Cells
from pushforward.data.records import rows_per_chunk
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import Moments, solve
from pushforward.mixtures.prior import Prior
from pushforward.training.batches import Batches
from pushforward.training.place import Place
from pushforward.training.statistic import Estimate, total

if TYPE_CHECKING:
    from pushforward.mixtures.gaussian_mixture import GaussianMixture

RUNNING = "running."
DECAY = 0.7  # between ½ and 1 it converges (Cappé, Moulines); of these, this is in the range Liang and Klein found best
Chunks = Callable[[], Iterable[Cells]]
Update = Callable[[dict[str, Tensor]], Estimate]


class Whole:
    """One step of EM: all records.

    Args:
        chunks: the records, encoded, as often as it is called.
        weights: (n,) of the records; None: all alike.
        units: (d,) log density that a known number brings with it.
        prior: see `moments.solve`.
        place: where it computes.
    """

    def __init__(self, chunks: Chunks, weights: np.ndarray | None, units: Tensor, prior: Prior, place: Place):
        self._chunks, self._weights, self._units = chunks, weights, units
        self._prior, self._place = prior, place

    def __call__(self, mixture: Mixture) -> tuple[Mixture, Tensor, float]:
        """The mixture after the step, how often its cells are holes, and the score before the step."""
        moments = total(self._observed(mixture), self._place)
        assert isinstance(moments, Moments)
        return solved(moments, mixture, self._prior)

    def _observed(self, mixture: Mixture) -> Iterator[Moments]:
        """The moments of this process's share of each chunk."""
        at, part = 0, slice(self._place.rank, None, self._place.world)
        for cells in self._chunks():
            n, weights = len(cells), self._weights
            share = torch.ones(n) if weights is None else torch.from_numpy(weights[at : at + n])
            at += n
            yield mixture.moments(cells[part], share[part].to(self._units), self._units)


class Stepwise:
    """One step of stepwise EM: a batch.

    Args:
        batches: of tensors ``numbers``, ``codes``, ``holes`` and ``weight``.
        size: records in a batch.
        mass: the weight of all records together.
        units, prior, place: as for `Whole`.
    """

    def __init__(self, batches: Batches, size: int, mass: float, units: Tensor, prior: Prior, place: Place):
        self._batches, self._size, self._mass, self._units = batches, size, mass, units
        self._prior, self._place = prior, place

    def __call__(self, mixture: Mixture, running: Moments, step: int) -> tuple[Mixture, Tensor, float, Moments]:
        """The mixture after the step, how often its cells are holes, the score of the batch, and the running mean."""
        part = slice(self._place.rank, None, self._place.world)
        batch = self._batches.at(step * self._size, self._size, part)
        cells = Cells(batch["numbers"], batch["codes"], batch["holes"])
        moments = mixture.moments(cells, batch["weight"].to(self._units), self._units)
        self._place.total(moments.tensors())
        weight = float(moments.weight)
        gain = (step + 2) ** -DECAY if weight > 0 else 0.0  # a batch in which no record counts teaches nothing
        running = running.times(1 - gain) + moments.times(gain / weight if weight > 0 else 0.0)
        after, holes, _ = solved(running.times(self._mass), mixture, self._prior)
        score = float(moments.score) / weight if weight > 0 else float(running.score)
        return after, holes, score, running


def solved(moments: Moments, mixture: Mixture, prior: Prior) -> tuple[Mixture, Tensor, float]:
    """The mixture that fits the moments, how often its cells are holes, and the mean score of the moments."""
    holes = moments.holes / moments.mass.clamp_min(1e-300)[:, None]
    return solve(moments, mixture, prior), holes, float(moments.score / moments.weight)


def whole(model: GaussianMixture, data: Records | Scan, weights: np.ndarray | None, place: Place) -> Update:
    """EM on all records: what a step makes of parameters."""
    held = [model._encode_cells(c) for c in data.chunks()] if isinstance(data, Records) else None

    def chunks() -> Iterable[Cells]:
        return held if held is not None else (model._encode_cells(c) for c in data.chunks())

    em = Whole(chunks, weights, model._offset, model._prior, place)

    def update(parameters: dict[str, Tensor]) -> Estimate:
        model._set(parameters)
        after, holes, score = em(model.mixture)
        return Estimate(model._tensors(after, holes), score)

    return update


def stepwise(
    model: GaussianMixture, data: Records | Scan, weights: np.ndarray | None, place: Place, size: int, seed: int
) -> Update:
    """Stepwise EM on batches; the running mean and the steps done stand among the parameters."""

    def chunks() -> Iterator[dict[str, Tensor]]:
        at = 0
        for chunk in data.chunks() if isinstance(data, Scan) else [data]:
            cells, n = model._encode_cells(chunk), len(chunk)
            share = torch.ones(n) if weights is None else torch.from_numpy(weights[at : at + n])
            at += n
            held = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
            yield held | {"weight": share.to(model._offset)}

    mass = float(len(data) if weights is None else weights.sum())
    rows = rows_per_chunk(data.schema) if isinstance(data, Scan) else len(data)
    sizes = [min(rows, len(data) - start) for start in range(0, len(data), rows)]
    em = Stepwise(Batches(chunks, sizes, seed), size, mass, model._offset, model._prior, place)

    def update(parameters: dict[str, Tensor]) -> Estimate:
        model._set(parameters)
        step = int(parameters["steps"])
        running = Moments.of([parameters[n].to(model._device) for n in sorted(parameters) if n.startswith(RUNNING)])
        after, holes, score, running = em(model.mixture, running, step)
        return Estimate(model._tensors(after, holes) | kept(running, step + 1), score)

    return update


def kept(running: Moments, steps: int) -> dict[str, Tensor]:
    """A running mean and the steps done, to stand in a checkpoint beside the mixture."""
    return {f"{RUNNING}{i:02d}": t for i, t in enumerate(running.tensors())} | {"steps": torch.tensor(steps)}


def begun(moments: Moments) -> dict[str, Tensor]:
    """Where stepwise EM begins."""
    return kept(moments.times(1 / float(moments.weight)), 0)
