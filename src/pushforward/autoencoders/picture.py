"""Pictures under a Gaussian likelihood of their grey levels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pushforward.autoencoders.normal import Spread, log_mass
from pushforward.data.encodings.pixels import HALF, from_pixels

LEAST = (1 / HALF) ** 2 / 12  # variance of the rounding to grey levels


class Picture(nn.Module):
    """p(picture | mean): every pixel a Gaussian around its mean, rounded and cut to 0 … 255.

    The probability of a grey level is that of its cell; the first and the last level hold what lies beyond.
    One σ serves all pixels.

    Args:
        shape: (channels, height, width).
    """

    def __init__(self, shape: tuple[int, int, int]):
        super().__init__()
        self.shape, self.size = shape, math.prod(shape)
        self.spread = Spread(1, shared=True, least=LEAST)

    def errors(self, mean: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, pixels) squared errors, and where they count: not where a black pixel's mean lies beyond black.

        Such a mean says black for certain, and so is no error; the decoder learns grounds that are black throughout,
        instead of nearly so. The same holds for white.

        Args:
            mean, x: (n, channels, height, width), pictures in [-1, 1].
        """
        beyond = ((x <= -1) & (mean < -1)) | ((x >= 1) & (mean > 1))
        return (x - mean).square().masked_fill(beyond, 0.0).flatten(1), (~beyond).float().flatten(1)

    def nll(self, mean: Tensor, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """(n,) minus the log likelihood of pictures in [-1, 1], for training.

        Args:
            mean, x: (n, channels, height, width).
            weight: (n,) what records count for the variance.
        """
        squares, counted = self.errors(mean, x)
        per_level = counted.sum(1) * math.log(HALF)  # of a density over [-1, 1] to probabilities of levels
        return self.spread(squares, counted, weight) + per_level

    def log_prob(self, mean: Tensor, pixels: Tensor, known: Tensor | None = None) -> Tensor:
        """(n,) float64 log probability of (n, height, width, channels) uint8 pixels.

        Args:
            mean: (n, channels, height, width).
            pixels: the grey levels.
            known: (n, channels, height, width) bool, which of them are known; all if not given.
        """
        x, sigma, half = from_pixels(pixels), self.spread.sigma, 0.5 / HALF
        low = torch.where(x - half < -1, -math.inf, (x - half - mean) / sigma)
        high = torch.where(x + half > 1, math.inf, (x + half - mean) / sigma)
        each = log_mass(low, high)
        return (each if known is None else torch.where(known, each, 0.0)).flatten(1).double().sum(1)

    def draw(self, mean: Tensor, generator: torch.Generator, share: float = 1.0) -> Tensor:
        """(n, channels, height, width) in [-1, 1]: the mean and a share of its noise."""
        return mean + share * self.spread.sigma * torch.randn(mean.shape, generator=generator, device=mean.device)
