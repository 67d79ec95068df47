"""Grey levels of draws put on those of the data."""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 256


def tone_curve(drawn: Tensor, real: Tensor) -> Tensor:
    """(C, 256) uint8: for each grey level of draws that of the data with as many pixels below it.

    A discriminator whose slope is kept small does not see that black is not quite black, which a network without such
    a bound sees at a glance. The map is increasing, so that nothing changes but the levels themselves.

    Args:
        drawn, real: (n, height, width, C) and (m, height, width, C) uint8.

    >>> grey = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1)
    >>> bool((tone_curve(grey, grey)[0] == torch.arange(256)).all())
    True
    >>> tone_curve(grey // 2 + 64, grey)[0][[0, 64, 100, 191, 255]].tolist()
    [0, 0, 72, 254, 255]
    """
    curves = []
    for channel in range(real.shape[-1]):
        ours, theirs = (
            torch.bincount(x[..., channel].flatten().long().cpu(), minlength=LEVELS).double() for x in (drawn, real)
        )
        ours, theirs = ours / ours.sum(), theirs / theirs.sum()
        middle = (ours.cumsum(0) - ours / 2).clamp_min(1e-12)
        curves.append(torch.searchsorted(theirs.cumsum(0), middle - 1e-12).clamp_max(LEVELS - 1))
    return torch.stack(curves).to(torch.uint8)


def toned(pixels: Tensor, curve: Tensor) -> Tensor:
    """(n, height, width, C) uint8 through the curve of each channel."""
    levels = [curve[c][pixels[..., c].long()] for c in range(pixels.shape[-1])]
    return torch.stack(levels, -1)
