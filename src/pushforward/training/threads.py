"""Work side by side: each thread does a piece of its own, and each operation within it stays on one core.

Threads within each operation, which is how PyTorch works by itself, wait for one another at every small product; where
another process takes a core away, they wait for long. Here they meet once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST = 16  # threads, beyond which Python itself is what they wait for


def spread(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `work` gives for each item, in their order.

    Args:
        work: may be called by several threads at once; it shall change nothing that they share.
        items: each a piece of work.

    >>> spread(lambda n: n * n, [1, 2, 3])
    [1, 4, 9]
    """
    before = torch.get_num_threads()
    threads = min(MOST, before, len(items))
    torch.set_num_threads(1)
    try:
        if threads < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, items))
    finally:
        torch.set_num_threads(before)
