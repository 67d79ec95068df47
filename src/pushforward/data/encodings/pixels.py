"""Pixels as real numbers, and back."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.data.encodings.noise import Source, uniform

HALF = 127.5


def from_pixels(pixels: Tensor, generator: Source | None = None) -> Tensor:
    """(n, height, width, channels) uint8 to (n, channels, height, width) in [-1, 1].

    With a generator, each pixel is spread evenly over its grey level (see `dequantise`).
    """
    x = pixels.permute(0, 3, 1, 2).float()
    if generator is not None:
        x = x + uniform(x, generator) - 0.5
    return x / HALF - 1


def to_pixels(x: Tensor) -> Tensor:
    """(n, channels, height, width) in [-1, 1] to (n, height, width, channels) uint8, rounded and cut to range."""
    return ((x + 1) * HALF).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def stretch(pixels: int) -> float:
    """log |det| of `from_pixels` for so many pixels, to be added to a log density of its outcome."""
    return -pixels * math.log(HALF)
