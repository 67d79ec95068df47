"""Records that are only looked at: those that are said, or a share of the data, which then weighs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Records, Scan
from pushforward.data.encodings.cells import Cells
from pushforward.data.read import as_records
from pushforward.errors import ArgumentError
from pushforward.mixtures.start import taken
from pushforward.training.randomness import mix
from pushforward.training.run import Run

if TYPE_CHECKING:
    from pushforward.mixtures.gaussian_mixture import GaussianMixture

MOST = 16_384  # records of a share that are held out


@dataclass(frozen=True)
class Held:
    """Held-out cells, and the weights of their records."""

    cells: Cells
    weights: Tensor


@dataclass(frozen=True)
class HeldRecords:
    """Held-out records and their weights."""

    records: Records
    weights: Tensor


def held_out(
    data: Records | Scan, weights: np.ndarray | None, run: Run
) -> tuple[HeldRecords | None, np.ndarray | None]:
    """What `run.validation` holds out, if anything, and the weights of the data without it.

    Raises:
        ArgumentError: the share is none, or leaves nothing to learn from.
    """
    said = run.validation
    if said is None or (isinstance(said, int | float) and not isinstance(said, bool) and said == 0):
        return None, weights
    if isinstance(said, bool) or (isinstance(said, int | float | np.number) and not 0 < said < 1):
        raise ArgumentError(f"validation={said!r} is out of range; it must be data, or a share from 0 to below 1")
    if not isinstance(said, float | np.floating):
        records = as_records(said, data.schema)
        return HeldRecords(records, torch.ones(len(records), dtype=torch.float64)), weights
    whole = np.ones(len(data)) if weights is None else weights
    able = np.flatnonzero(whole)
    count = min(int(np.ceil(float(said) * len(able))), len(able) - 1, MOST)
    if count < 1:
        raise ArgumentError(f"validation={said!r} leaves nothing of {len(able)} records to learn from; leave it out")
    rows = np.sort(np.random.default_rng(mix(run.seed, 2)).choice(able, count, replace=False))
    less = whole.copy()
    less[rows] = 0
    return HeldRecords(taken(data, rows), torch.from_numpy(whole[rows])), less


def judging(model: GaussianMixture, held: Held | None) -> Callable[[dict[str, Tensor]], float] | None:
    """The mean log density of held-out records under parameters, if any are held out."""
    if held is None:
        return None
    cells, weights = held.cells, held.weights

    def judge(parameters: dict[str, Tensor]) -> float:
        model._set(parameters)
        return float((model.mixture.posterior(cells)[1] + model._units(cells)) @ weights / weights.sum())

    return judge


def said(validation: object) -> object:
    """What a checkpoint keeps of it: the share, or that there was data."""
    return validation if validation is None or isinstance(validation, int | float) else "data"
