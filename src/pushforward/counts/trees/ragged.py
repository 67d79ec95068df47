"""Arrays of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def join(arrays: Sequence[np.ndarray]) -> Tensor:
    """(1 + n + total,) float64: how many arrays there are, their sizes, and all their numbers.

    >>> join([np.ones(2), np.zeros(1)]).tolist()
    [2.0, 2.0, 1.0, 1.0, 1.0, 0.0]
    """
    sizes = [len(arrays), *(array.size for array in arrays)]
    flat = [np.asarray(array, np.float64).reshape(-1) for array in arrays]
    return torch.from_numpy(np.concatenate([np.asarray(sizes, np.float64), *flat]))


def part(joined: Tensor, i: int) -> np.ndarray:
    """The i-th of the arrays, flat."""
    flat = joined.cpu().numpy()
    sizes = flat[1 : 1 + int(flat[0])].astype(np.int64)
    start = 1 + len(sizes) + int(sizes[:i].sum())
    return flat[start : start + sizes[i]]
