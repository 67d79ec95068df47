"""The units in which two sides are compared, so that near is near in a sense that can be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.quantile import Quantile
from pushforward.data.encodings.standardise import Standardise

LEAST = 0.5  # scale of a category that hardly varies, in units of its one-hot vectors


def measure(flat: FlatEncoding, sides: Sequence[Mapping[str, Tensor]], each: bool, generator: torch.Generator) -> None:
    """Set the scales of an encoding to ones that both sides share, and that are straight lines.

    A scale is the deviation within a side, in the root mean square over both, so that how far apart the sides lie does
    not count. Numbers are divided by one scale for all of them, so that distances are those of the data, or each by its
    own. The one-hot vector of a category is divided by its deviation as a whole, √Σ_l p_l (1 - p_l) and its noise, so
    that a category counts as much as a number of its own scale, as does whether a cell is missing. All channels of a
    picture have one scale: that of its pixels.

    Args:
        flat: whose scales are set.
        sides: named tensors of some records of either side.
        each: whether every number has a scale of its own.
        generator: what spreads values over their cells.
    """
    some = {name: torch.cat([side[name] for side in sides]) for name in sides[0]}
    flat.prepare(some, generator)
    device = sides[0]["codes"].device
    if flat.shape:
        levels = flat.levels
        flat.levels = Standardise(
            levels.mean, torch.full_like(levels.scale, float(levels.scale.square().mean().sqrt()))
        )
    if flat.vector.width:
        d = flat.vector.cells.width
        flat.vector.quantile = _lines([side["numbers"] for side in sides], each, flat.vector.knots).to(device)
        flat.vector.scale = Standardise(torch.zeros(flat.vector.width), torch.ones(flat.vector.width)).to(device)
        raw = [flat.vector(s["numbers"], s["codes"], s["holes"], generator)[0] for s in sides]
        variance = torch.stack([x.var(0, unbiased=False) for x in raw]).mean(0)
        scale, start = torch.ones_like(variance), d
        for levels_ in [*flat.vector.levels, *[1] * len(flat.vector.cells.may_miss)]:
            part = slice(start, start + levels_)
            scale[part] = variance[part].sum().sqrt().clamp_min(LEAST)
            start += levels_
        flat.vector.scale = Standardise(torch.zeros_like(scale), scale)


def _lines(numbers: Sequence[Tensor], each: bool, knots: int) -> Quantile:
    """x ↦ (x - mean) / scale for every number, as an encoding by quantiles says it."""
    parts = [Standardise.of(x.cpu().double()) for x in numbers]
    mean = torch.stack([part.mean for part in parts]).mean(0)
    known = torch.stack([_varies(x.cpu()) for x in numbers])
    square = torch.stack([part.scale.square() for part in parts]) * known  # a constant column has scale 1 there
    square = square.mean(0)
    if not each and square.numel():
        square = square.mean().expand_as(square)
    scale = torch.where(square > 0, square, 1.0).sqrt()
    y = torch.linspace(-1, 1, knots, dtype=torch.float64).expand(len(mean), knots).contiguous()
    return Quantile((mean[:, None] + scale[:, None] * y).contiguous(), y)


def _varies(x: Tensor) -> Tensor:
    """(d,) which columns hold two different numbers."""
    low, high = x.nan_to_num(torch.inf).amin(0), x.nan_to_num(-torch.inf).amax(0)
    return low < high
