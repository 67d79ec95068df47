"""Values on a grid to values on the line: uniform noise within the cell."""

from __future__ import annotations

from torch import Tensor

from pushforward.data.encodings.noise import Source, uniform


def dequantise(x: Tensor, resolution: Tensor, generator: Source | None = None) -> Tensor:
    """x + resolution · (u - 1/2) with u uniform, drawn per value; columns of resolution 0 stay as they are.

    With f a density of the noisy value, log p(cell) ≥ E[log f(x + noise)] + log resolution
    (Theis, van den Oord, Bethge 2016, arXiv 1511.01844).

    Args:
        x: (n, d) values on the grid.
        resolution: (d,) spacing of the grid, 0 off it.
        generator: what draws u; without one u is 1/2, the middle of the cell.
    """
    if generator is None:
        return x
    return x + resolution * (uniform(x, generator) - 0.5)
