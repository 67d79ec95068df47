"""10,000 points of 25 Gaussians with deviation 0.05 on a 5×5 grid of spacing 1."""

import numpy as np
import pyarrow as pa


def load() -> pa.Table:
    """The raw table: two numbers."""
    rng = np.random.default_rng(0)
    cells = rng.integers(-2, 3, (10_000, 2))
    points = cells + 0.05 * rng.standard_normal((10_000, 2))
    return pa.table({"x": points[:, 0], "y": points[:, 1]})
