"""Noise within grey levels, drawn as the picture calls for."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from pushforward.data.encodings.noise import Source, normal
from pushforward.flows.conditioner import shrunk
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.nets.conv import Residual

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Dequantiser(nn.Module):
    """u = σ(e^{s(x)} ε + t(x)) with ε normal: log P(x) ≥ E[log p(x + u) - log q(u | x)].

    Even noise has a density with edges, which a smooth flow fits badly; this learns noise that suits it (Ho, Chen,
    Srinivas, Duan, Abbeel 2019, arXiv 1902.00275).

    Args:
        channels: of the picture.
        width: channels of the convolutions.
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        last = shrunk(nn.Conv2d(width, 2 * channels, 3, padding=1))
        self.body = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), Residual(width), nn.SiLU(), last)
        self.kernel = AffineKernel()

    def forward(self, x: Tensor, source: Source) -> tuple[Tensor, Tensor]:
        """(n, channels, height, width) pictures → the same shape of noise in (0, 1), and (n,) log q(u | x)."""
        epsilon = normal(x, source)
        theta = self.body(x).to(x.dtype).transpose(0, 1).reshape(2, -1)
        logits, ladj = self.kernel.forward(epsilon.transpose(0, 1).reshape(-1), theta)
        squashed = logsigmoid(logits) + logsigmoid(-logits)
        channels_first = x.transpose(0, 1).shape
        stretch = (ladj + squashed).view(channels_first).sum((0, 2, 3))
        u = torch.sigmoid(logits).view(channels_first).transpose(0, 1)
        return u, (-0.5 * epsilon**2 - _HALF_LOG_TAU).flatten(1).sum(1) - stretch
