"""Values on a grid to values on the line: uniform noise within the cell."""

from __future__ import annotations

import torch
from torch import Tensor


def dequantise(x: Tensor, resolution: Tensor, generator: torch.Generator | None = None) -> Tensor:
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
    u = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x + resolution * (u - 0.5)
