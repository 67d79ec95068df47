"""Pictures seen a little otherwise: moved, turned, scaled, partly covered; all of it with slopes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

SHIFT = 1 / 8  # of half a side, at most
HOLE = 1 / 2  # of a side, at most
COVERED = 0.25  # share of pictures that are partly covered


def moved(x: Tensor, reach: float, generator: torch.Generator, shift: float = SHIFT) -> Tensor:
    """Each picture shifted, scaled on either axis and turned at random; none is mirrored, since captions say left.

    Args:
        x: (n, channels, height, width).
        reach: largest relative change of a side, and largest angle in radians.
        generator: draws the changes.
        shift: in half sides, at most.

    >>> x = torch.rand(2, 3, 8, 8)
    >>> torch.allclose(moved(x, 0.0, torch.Generator(), shift=0.0), x, atol=1e-5)
    True
    """
    draw = 2 * torch.rand(5, len(x), generator=generator, device=x.device) - 1
    wide, tall, angle = 1 + reach * draw[0], 1 + reach * draw[1], reach * draw[2]
    turn = torch.stack([wide * angle.cos(), -tall * angle.sin(), wide * angle.sin(), tall * angle.cos()], 1)
    maps = torch.cat([turn.view(-1, 2, 2), shift * draw[3:].T[:, :, None]], 2)
    grid = affine_grid(maps, list(x.shape), align_corners=False)
    return grid_sample(x, grid.to(x.dtype), padding_mode="border", align_corners=False)


def covered(x: Tensor, generator: torch.Generator, share: float = COVERED) -> Tensor:
    """A share of the pictures with a grey rectangle over a part (DeVries, Taylor 2017, arXiv 1708.04552).

    Args:
        x: (n, channels, height, width) in [-1, 1].
        generator: draws which, and where.
        share: of the pictures.
    """
    n, device = len(x), x.device
    happens = torch.rand(n, 1, 1, generator=generator, device=device) < share

    def under(side: int) -> Tensor:
        middle, size = torch.rand(2, n, 1, generator=generator, device=device) * side
        return (torch.arange(side, device=device) + 0.5 - middle).abs() < size * HOLE / 2

    hole = under(x.shape[2])[:, :, None] & under(x.shape[3])[:, None, :] & happens
    return x.masked_fill(hole[:, None], 0.0)
