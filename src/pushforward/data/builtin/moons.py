"""4,000 points on two interleaved half circles with Gaussian noise of 0.05."""

import numpy as np
import pyarrow as pa


def load() -> pa.Table:
    """The raw table: two numbers and the moon they belong to."""
    rng = np.random.default_rng(0)
    n = 2000
    angle = rng.uniform(0, np.pi, (2, n))
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])], 1)
    lower = np.stack([1 - np.cos(angle[1]), 0.5 - np.sin(angle[1])], 1)
    points = np.concatenate([upper, lower]) + 0.05 * rng.standard_normal((2 * n, 2))
    order = rng.permutation(2 * n)
    moon = np.repeat(["upper", "lower"], n)[order]
    return pa.table({"x": points[order, 0], "y": points[order, 1], "moon": pa.array(moon.tolist())})
