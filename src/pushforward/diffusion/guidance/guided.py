"""Away from what a lesser denoiser says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import Denoiser

Interval = tuple[float, float]
EVERYWHERE: Interval = (0.0, float("inf"))


def guided(good: Denoiser, base: Denoiser, weight: float, interval: Interval = EVERYWHERE) -> Denoiser:
    """D = D_0 + w (D_1 - D_0), between two noise levels; D_1 itself beyond them, and to the bit where w = 1.

    With the same network told nothing for D_0 this is classifier-free guidance (Ho, Salimans 2022, arXiv 2207.12598),
    at its best at middle noise levels only (Kynkäänniemi et al. 2024, arXiv 2404.07724); with a smaller network that
    learned less it is autoguidance (Karras et al. 2024, arXiv 2406.02507), which keeps variety.

    Args:
        good: D_1, for instance told a condition.
        base: D_0, from which it leads away.
        weight: w.
        interval: the noise levels between which it holds.

    >>> told = guided(lambda x, s: 3 * x, lambda x, s: x, 2.0)
    >>> told(torch.ones(1, 2), torch.ones(1)).tolist()
    [[5.0, 5.0]]
    """
    return good if weight == 1 else combined(base, [(good, weight)], interval)


def combined(base: Denoiser, terms: Sequence[tuple[Denoiser, float]], interval: Interval = EVERYWHERE) -> Denoiser:
    """D = D_0 + Σ_i w_i (D_i - D_0): several conditions at once (Liu et al. 2022, arXiv 2206.01714).

    Weights of 1 give the product of what the conditions allow, as if they were independent given the data; a negative
    weight leads away from a condition. Beyond the interval the terms hold with weights that sum to 1.

    Args:
        base: D_0, told nothing.
        terms: pairs of D_i and w_i.
        interval: the noise levels between which it holds.
    """
    low, high = interval
    total = sum(weight for _, weight in terms)

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        said = [(term(x, sigma), weight) for term, weight in terms]
        inside = (low <= sigma) & (sigma <= high)
        plain = said[0][0] if len(said) == 1 else _sum(mean * weight for mean, weight in said) / (total or 1.0)
        if not bool(inside.any()):
            return plain
        ground = base(x, sigma)
        out = ground + _sum(weight * (mean - ground) for mean, weight in said)
        return torch.where(inside[:, None], out, plain)

    return denoiser


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum(0)
