"""Records grouped by which of their numbers are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


def complete(x: Tensor) -> bool:
    """Whether no number is unknown; a sum is NaN if one of its terms is, and needs no mask."""
    return not bool(x.sum().isnan()) or not bool(x.isnan().any())


def patterns(known: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The different rows of an (n, d) mask, each with the positions of the records that have it."""
    groups, _ = grouped(known, 1)
    yield from groups


def grouped(known: Tensor, least: int) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """The patterns that at least so many records have, with their positions, and the positions of all others."""
    n, d = known.shape
    everyone = torch.arange(n, device=known.device)
    if d == 0 or n == 0 or bool((known == known[0]).all()):
        mask = known[0] if n else known.new_ones(d)
        return ([(mask, everyone)], everyone[:0]) if n >= least or n == 0 else ([], everyone)
    _, which, count = np.unique(_keys(known.cpu().numpy()), return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    often, ends = count >= least, np.cumsum(count)
    groups = [
        (known[order[end - size]], torch.from_numpy(order[end - size : end]).to(known.device))
        for end, size in zip(ends[often], count[often], strict=True)
    ]
    rest = np.flatnonzero(~often[which])
    return groups, torch.from_numpy(rest).to(known.device)


def _keys(known: np.ndarray) -> np.ndarray:
    """One sortable value a row: a whole number where the bits fit, else bytes."""
    packed = np.packbits(known, axis=1)
    if packed.shape[1] <= 8:
        wide = np.zeros((len(packed), 8), np.uint8)
        wide[:, : packed.shape[1]] = packed
        return wide.view(np.uint64)[:, 0]
    return np.ascontiguousarray(packed).view([("", packed.dtype)] * packed.shape[1])[:, 0]
