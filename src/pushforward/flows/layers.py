"""Flows put together: for rows, and level by level for pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.flows.bijections.actnorm import ActNorm
from pushforward.flows.bijections.autoregressive import Autoregressive
from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.bijections.chain import Chain
from pushforward.flows.bijections.convolution import Convolution
from pushforward.flows.bijections.coupling import Coupling
from pushforward.flows.bijections.lu import LU
from pushforward.flows.bijections.permutation import Permutation
from pushforward.flows.bijections.picture_coupling import PictureCoupling
from pushforward.flows.bijections.split import Split
from pushforward.flows.bijections.squeeze import Squeeze
from pushforward.flows.kernels.kernel import Kernel

LEVELS, SMALLEST = 3, 4  # of a picture, halved so often at most, and while its sides are no less than this


def row_flow(
    size: int, kernel: Kernel, *, kind: str, transforms: int, condition: int, width: int, layers: int
) -> Chain:
    """Couplings of either half in turn, or autoregressive maps, with coordinates mixed or turned round between.

    Args:
        size: coordinates.
        kernel: what moves a number.
        kind: ``coupling`` or ``autoregressive``.
        transforms: how many.
        condition: numbers of c.
        width, layers: hidden units, and layers of them.
    """
    hidden = (width,) * layers
    make: Callable[[], Bijection]
    if kind == "coupling":

        def make() -> Bijection:
            return Coupling(size, kernel, condition=condition, hidden=hidden)

        def turn(i: int) -> Bijection:
            return LU(size, _order(size, i))
    else:

        def make() -> Bijection:
            return Autoregressive(size, kernel, condition=condition, hidden=hidden)

        def turn(i: int) -> Bijection:
            return Permutation.reversed(size)

    parts: list[Bijection] = []
    for i in range(transforms):
        parts += [make()] if i == 0 else [turn(i), make()]
    return Chain(parts)


def picture_flow(
    shape: tuple[int, int, int], kernel: Kernel, *, transforms: int, condition: int, width: int, layers: int
) -> Bijection:
    """Glow: at each level a squeeze, then steps of normalisation, mixing and coupling; half of the channels goes on.

    (Kingma, Dhariwal 2018, arXiv 1807.03039.)

    Args:
        shape: (channels, height, width), the sides even.
        kernel: what moves a number.
        transforms: steps a level.
        condition: numbers of c.
        width, layers: channels of the convolutions, and residual blocks of them.
    """
    return _level(shape, LEVELS, lambda inner: _steps(inner, kernel, transforms, condition, width, layers))


def _level(shape: tuple[int, int, int], left: int, steps: Callable[[tuple[int, int, int]], Chain]) -> Bijection:
    squeeze = Squeeze(shape)
    channels, height, width = squeeze.out
    further = left > 1 and not height % 2 and not width % 2 and min(height, width) >= SMALLEST
    coarser = _level((channels // 2, height, width), left - 1, steps) if further else None
    return squeeze >> steps(squeeze.out) >> Split(squeeze.out, coarser)


def _steps(
    shape: tuple[int, int, int], kernel: Kernel, transforms: int, condition: int, width: int, layers: int
) -> Chain:
    parts: list[Bijection] = []
    for i in range(transforms):
        mix = Convolution(shape, _order(shape[0], i))
        parts += [ActNorm(shape), mix, PictureCoupling(shape, kernel, condition=condition, width=width, layers=layers)]
    return Chain(parts)


def _order(size: int, i: int) -> Tensor:
    """The halves change places, each in an order by chance: what stood still is moved next."""
    source, half = torch.Generator().manual_seed(i), size // 2  # of our own: a network is built alike each time
    return torch.cat([half + torch.randperm(size - half, generator=source), torch.randperm(half, generator=source)])
