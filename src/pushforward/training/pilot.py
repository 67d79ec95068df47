"""Some records from all over the data, to choose scales and starts on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Records, Scan
from pushforward.training.randomness import mix


def pilot(data: Records | Scan, weights: np.ndarray | None, seed: int, most: int) -> tuple[Records, Tensor]:
    """At most `most` records of those that have a weight, drawn without looking at them, and their weights."""
    able: int | np.ndarray = len(data) if weights is None else np.flatnonzero(weights)  # not a number for each record
    count = len(data) if weights is None else np.count_nonzero(weights)
    rows = np.sort(np.random.default_rng(mix(seed)).choice(able, min(count, most), replace=False))
    share = np.ones(len(rows)) if weights is None else weights[rows]
    pieces, start = [], 0
    for chunk in data.chunks():
        here = rows[(rows >= start) & (rows < start + len(chunk))] - start
        pieces.append(chunk.take(here))
        start += len(chunk)
    return pieces[0].concat(*pieces[1:]), torch.from_numpy(share)
