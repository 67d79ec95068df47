"""Walks through the space of codes: along one number at a time, and from one record to another."""

from __future__ import annotations

import torch
from torch import Tensor


def along(center: Tensor, deviation: Tensor, rows: int, steps: int, reach: float) -> Tensor:
    """(rows · steps, k) codes: row after row one number goes from -reach to reach deviations, the others stay.

    The numbers that vary most come first.

    Args:
        center: (k,) the code to stay at.
        deviation: (k,) how much each number varies.
        rows: numbers that are gone along.
        steps: codes a number.
        reach: how far, in deviations.

    >>> along(torch.zeros(2), torch.tensor([1.0, 2.0]), rows=1, steps=3, reach=2.0).tolist()
    [[0.0, -4.0], [0.0, 0.0], [0.0, 4.0]]
    """
    most = deviation.argsort(descending=True, stable=True)[:rows]
    offsets = torch.linspace(-reach, reach, steps).to(center)
    codes = center.repeat(len(most), steps, 1)
    for i, number in enumerate(most.tolist()):
        codes[i, :, number] += offsets * deviation[number]
    return codes.flatten(0, 1)


def between(a: Tensor, b: Tensor, center: Tensor, deviation: Tensor, n: int) -> Tensor:
    """(n, k) codes from a to b on a great circle around the centre, with a length that changes evenly.

    A straight line would pass nearer to the centre than codes ever are, where they have many numbers (White 2016,
    "Sampling generative networks", arXiv 1609.04468).

    Args:
        a, b: (k,) codes.
        center, deviation: (k,) of codes.
        n: codes, the ends among them.

    >>> one, zero = torch.ones(2), torch.zeros(2)
    >>> between(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), zero, one, 3)[1].tolist()
    [0.7071067690849304, 0.7071067690849304]
    """
    unit = torch.where(deviation > 0, deviation, 1.0)
    x, y = (a - center) / unit, (b - center) / unit
    lengths = x.norm(), y.norm()
    t = torch.linspace(0, 1, n).to(a)[:, None]
    angle = torch.arccos((x @ y / (lengths[0] * lengths[1]).clamp_min(1e-12)).clamp(-1, 1))
    still = not all(lengths)  # an end in the centre, as all codes are where all are alike, has no direction
    if still or angle < 1e-4 or angle > torch.pi - 1e-4:  # one direction, or none in particular: the straight line
        return a + t * (b - a)
    way = torch.sin((1 - t) * angle) * x / lengths[0] + torch.sin(t * angle) * y / lengths[1]
    length = (1 - t) * lengths[0] + t * lengths[1]
    return center + unit * way / torch.sin(angle) * length
