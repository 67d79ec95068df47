"""4,000 points on three concentric rings of radius 1, 2 and 3 with Gaussian noise of 0.08."""

import numpy as np
import pyarrow as pa


def load() -> pa.Table:
    """The raw table: two numbers and the ring they belong to."""
    rng = np.random.default_rng(0)
    n = 4000
    ring = rng.integers(0, 3, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    points = (ring + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    points += 0.08 * rng.standard_normal((n, 2))
    return pa.table({"x": points[:, 0], "y": points[:, 1], "ring": pa.array([f"radius {r + 1}" for r in ring])})
