"""Sums over blocks of records, on all cores, each of which goes through blocks of its own.

Which thread sees which block follows from their number alone, so that sums are equal to the last bit from run to run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor

from pushforward.training.threads import MOST, spread

Block = TypeVar("Block")


def summed(blocks: Iterable[Block], of: Callable[[Block], list[Tensor]], threads: int) -> list[Tensor] | None:
    """The sums of what `of` gives for each block; None where there is no block.

    Args:
        blocks: of records.
        of: gives new tensors, and may be called by several threads at once.
        threads: how many, at most.
    """
    threads = min(MOST, threads)
    stream = iter(blocks)
    first = list(itertools.islice(stream, 2 * threads)) if threads > 1 else []
    if len(first) < 2 * threads or threads == 1:
        return _added(itertools.chain(first, stream), of)
    work = [*first, *stream]
    parts = spread(lambda i: _added(work[i::threads], of), range(threads))
    whole = [part for part in parts if part is not None]
    return [torch.stack(tensors).sum(0) for tensors in zip(*whole, strict=True)]


def _added(blocks: Iterable[Block], of: Callable[[Block], list[Tensor]]) -> list[Tensor] | None:
    whole: list[Tensor] | None = None
    for block in blocks:
        found = of(block)
        whole = found if whole is None else [a.add_(b) for a, b in zip(whole, found, strict=True)]
    return whole
