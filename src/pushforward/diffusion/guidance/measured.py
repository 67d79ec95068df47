"""Data of which something is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser

BLUR = 0.05  # deviation up to which a denoiser is not believed when draws are compared


@dataclass(frozen=True)
class Measurement:
    """v = A y + τ ε, of which A Aᵀ is a number times the identity: a choice of coordinates, means of blocks, …

    Attributes:
        forward: A, (n, d) → (n, m).
        gain: A Aᵀ, broadcast over (n, m).
    """

    forward: Callable[[Tensor], Tensor]
    gain: Tensor | float = 1.0


def chosen(known: Tensor) -> Measurement:
    """The coordinates under a mask (n, d); the others measure nothing."""

    def only(x: Tensor) -> Tensor:
        return torch.where(known, x, 0.0)

    return Measurement(only)


def shrunk(shape: tuple[int, int, int], factor: int) -> Measurement:
    """Means of squares of pixels, for super-resolution.

    Args:
        shape: channels, height and width of the picture, which may be followed by other coordinates.
        factor: side of a square; it divides height and width.
    """
    size = math.prod(shape)

    def forward(x: Tensor) -> Tensor:
        picture = x[:, :size].view(-1, *shape)
        return torch.nn.functional.avg_pool2d(picture, factor).flatten(1)

    return Measurement(forward, 1 / factor**2)


@dataclass(frozen=True)
class Told:
    """What a denoiser says of x, and of a measurement.

    Attributes:
        mean: (n, d) D(x; σ).
        led: (n, d) E[y | x, v].
        fit: (n,) log p(v | x), but for what all x share.
    """

    mean: Tensor
    led: Tensor
    fit: Tensor


def telling(
    denoiser: Denoiser, measurement: Measurement, value: Tensor, noise: float = 0.0
) -> Callable[[Tensor, Tensor], Told]:
    """The denoiser, told a measurement v (ΠGDM: Song, Vahdat, Mardani, Kautz, ICLR 2023).

    E[y | x, v] = D(x) + σ² ∇_x log p(v | x) by Tweedie's formula, with p(v | x) taken as N(A D(x), r² A Aᵀ + τ²) and
    r² = σ² / (1 + σ²): that is the spread of y where the data is a standard normal.

    Args:
        denoiser: what is told; differentiable in x.
        measurement: A.
        value: (n, m) v.
        noise: τ, its deviation.
    """

    def told(x: Tensor, sigma: Tensor) -> Told:
        s = sigma[:, None]
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            mean = denoiser(x, sigma)
            spread = s**2 / (1 + s**2) * measurement.gain + noise**2
            off = value - measurement.forward(mean)
            gap = (off / spread).detach()
            (pull,) = torch.autograd.grad((measurement.forward(mean) * gap).sum(), x)
        sure = spread + BLUR**2
        return Told(mean.detach(), (mean + s**2 * pull).detach(), -(off.detach() ** 2 / sure).sum(1) / 2)

    return told


def measured(denoiser: Denoiser, measurement: Measurement, value: Tensor, noise: float = 0.0) -> Denoiser:
    """The denoiser that is told a measurement; see `telling`."""
    told = telling(denoiser, measurement, value, noise)
    return lambda x, sigma: told(x, sigma).led
