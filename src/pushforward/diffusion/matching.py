"""What a denoiser learns by (Vincent 2011; Karras, Aittala, Aila, Laine 2022, arXiv 2206.00364)."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.paths.path import Path


def levels(path: Path, n: int, louder: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """(n,) noise levels for training, spread evenly over the quantiles of the path's.

    One draw per n-th of the distribution instead of n free draws: the same distribution, and a loss that
    varies less from step to step.
    """
    u = torch.rand(n, generator=generator, device=device)
    return path.bounded((torch.arange(n, device=device) + u) / n, louder)


def losses(
    denoiser: Denoiser, path: Path, y: Tensor, generator: torch.Generator, louder: float = 1.0
) -> tuple[Tensor, Tensor]:
    """(n,) mean squared errors of what a network is asked for, (y - c_skip x) / c_out, and (n,) the noise levels.

    A network of the `Exploding` or `Cosine` path that gives 0 everywhere scores about 1.

    Args:
        denoiser: what is trained.
        path: its noise levels, and what is asked at each.
        y: (n, d) clean data of deviation 1.
        generator: what draws noise and its levels.
        louder: what levels are multiplied by.
    """
    sigma = levels(path, len(y), louder, generator, y.device)
    noise = torch.randn(y.shape, generator=generator, device=y.device)
    error = denoiser(y + sigma[:, None] * noise, sigma) - y
    return path.weight(sigma) * error.square().mean(1), sigma
