"""From sums to the distributions of numbers: moments, floors, and which distribution a whole number has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.counts.bayes.layout import Layout, Sums
from pushforward.counts.bayes.likelihoods import GRID, LIKELIHOODS, NEGATIVE_BINOMIAL, NORMAL, POISSON
from pushforward.counts.bayes.likelihoods.likelihood import Moments
from pushforward.counts.bayes.likelihoods.words import Vocabulary
from pushforward.counts.bayes.quantity import Quantity
from pushforward.data import Number, Records


@dataclass(frozen=True)
class Pilot:
    """The first records: where numbers lie, which words there are, and what whole numbers are judged on.

    Every process reads them, so that all centre alike and sums add.

    Attributes:
        centre, scale: (d,) from where and in what units sums of numbers are taken, so that they do not cancel.
        vocabularies: by text field.
        numbers: (n, d), `label` (n,) and `share` (n,) of the records themselves.
    """

    SHOWN: ClassVar[int] = 16_384  # records that the score is told of

    centre: Tensor
    scale: Tensor
    vocabularies: Mapping[str, Vocabulary]
    numbers: Tensor
    label: Tensor
    share: Tensor

    @classmethod
    def of(cls, layout: Layout, records: Records, weights: Tensor | None, words: int) -> Pilot:
        """The pilot of the first chunk."""
        if weights is not None and weights.any():
            records, weights = records[weights.numpy() > 0], weights[weights > 0]
        numbers = layout.cells.encode(records).numbers
        centre, reach = numbers.new_zeros(layout.cells.width), numbers.new_ones(layout.cells.width)
        if numbers.numel():
            centre = numbers.nanmedian(0).values.nan_to_num()
            reach = (numbers - centre).abs().nan_to_num().amax(0)
        texts = {f.name: records.column(f.name).to_pylist() for f in layout.texts}
        return cls(
            centre=centre,
            scale=torch.where(reach > 0, reach, 1.0),
            vocabularies={name: Vocabulary.of(column, words) for name, column in texts.items()},
            numbers=numbers,
            label=layout.classes_of(records),
            share=torch.ones(len(records)).double() if weights is None else weights.double(),
        )


def solve_numbers(layout: Layout, sums: Sums, pilot: Pilot, level: Tensor, floor: float) -> dict[str, Tensor]:
    """`mean` and `spread`, (K, d), and `kind`, (d,), of all numbers and pixels.

    Args:
        level: (K, L) the probabilities of levels, which hold those of atoms.
        floor: the least variance of a class, as a share of that of all records.
    """
    n, all_n = sums.filled, sums.filled.sum(0)
    over = _ratio(sums.first.sum(0), all_n, 0.0)
    over_variance = (_ratio(sums.second.sum(0), all_n, 0.0) - over.square()).clamp_min(0.0)
    local = torch.where(n > 0, _ratio(sums.first, n, 0.0), over)
    spread = torch.where(n > 0, (_ratio(sums.second, n, 0.0) - local.square()).clamp_min(0.0), over_variance)
    mean = pilot.centre + pilot.scale * local
    variance = pilot.scale.square() * spread
    overall, overall_variance = pilot.centre + pilot.scale * over, pilot.scale.square() * over_variance
    kind = torch.empty(layout.cells.width, dtype=torch.int64)

    def moments(where: slice | int, step: float) -> Moments:
        return Moments(mean[:, where], variance[:, where], overall[where], overall_variance[where], step, floor)

    for picture in layout.pictures:
        where = layout.cells.columns[picture.name]
        mean[:, where], variance[:, where] = LIKELIHOODS[GRID].fit(moments(where, 1.0))
        kind[where] = GRID
    for field in layout.numbers:
        at = layout.cells.columns[field.name].start
        atoms = level[:, layout.parts[field.name]] if field.atoms else None
        candidates = [
            Quantity(field, which, *LIKELIHOODS[which].fit(moments(at, field.resolution or 0.0)), atoms)
            for which in _candidates(field)
        ]
        best = candidates[0] if len(candidates) == 1 else max(candidates, key=lambda c: _score(c, pilot, at))
        kind[at], mean[:, at], variance[:, at] = best.kind, best.mean, best.spread
    return {"mean": mean, "spread": variance, "kind": kind}


def _candidates(field: Number) -> list[int]:
    if field.resolution is None:
        return [NORMAL]
    counted = field.resolution == 1 and field.low >= 0 and not pa.types.is_temporal(field.arrow_type)
    return [GRID, POISSON, NEGATIVE_BINOMIAL] if counted else [GRID]


def _score(quantity: Quantity, pilot: Pilot, at: int) -> float:
    """The log-likelihood of the pilot's records."""
    x = pilot.numbers[:, at]
    there = ~x.isnan() & (pilot.label >= 0)
    logs = quantity.log_prob(x[there]).gather(1, pilot.label[there, None])[:, 0]
    return float((logs * pilot.share[there]).sum())


def _ratio(sums: Tensor, counts: Tensor, none: float) -> Tensor:
    return torch.where(counts > 0, sums / counts.clamp_min(1e-300), none)
