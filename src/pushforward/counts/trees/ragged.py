"""Arrays of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

EXACT = 2**24  # whole numbers up to here are exact in single precision


def join(arrays: Sequence[np.ndarray]) -> Tensor:
    """(1 + n + total,) how many arrays there are, their sizes, and all their numbers, in the precision they need.

    Whole numbers are kept in 32 bits, single precision as it is, others in double.

    >>> join([np.ones(2), np.zeros(1)]).tolist()
    [2.0, 2.0, 1.0, 1.0, 1.0, 0.0]
    >>> join([np.array([3, 4])]).dtype
    torch.int32
    """
    sizes = [len(arrays), *(array.size for array in arrays)]
    kind = np.result_type(*arrays) if arrays else np.dtype(np.float64)
    single = kind == np.float32 and max(sizes) < EXACT
    kept = np.int32 if kind.kind in "iub" else np.float32 if single else np.float64
    flat = [np.asarray(array).reshape(-1) for array in arrays]
    return torch.from_numpy(np.concatenate([np.asarray(sizes), *flat]).astype(kept))


def part(joined: Tensor, i: int) -> np.ndarray:
    """The i-th of the arrays, flat."""
    flat = joined.cpu().numpy()
    sizes = flat[1 : 1 + int(flat[0])].astype(np.int64)
    start = 1 + len(sizes) + int(sizes[:i].sum())
    return flat[start : start + sizes[i]]
