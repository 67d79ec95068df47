"""The Gaussian likelihood of decoders, whose variance is the one that the errors themselves call for.

With mean squared error s over a column, the likelihood of the column is largest at σ² = s, where it is
-½ (log 2πs + 1) a value: the decoder is never told a variance, and the balance between picture, numbers and code
follows from the data (Rybkin, Daniilidis, Levine 2021, "Simple and effective VAE training with calibrated
decoders", arXiv 2006.13202).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.special import log_ndtr

NARROW = 0.05  # deviations; the mass of a cell that is less wide is its middle's density times its width
MEMORY = 0.02  # share of the newest batch in the running variance
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Spread(nn.Module):
    """The variance of each of d columns, or one for all of them.

    In training it is that of the batch, and a running mean is kept, which is used afterwards.

    Args:
        columns: d.
        shared: whether all columns have the same.
        least: what it does not fall below.
    """

    variance: Tensor

    def __init__(self, columns: int, shared: bool, least: float = 1e-6):
        super().__init__()
        self.shared, self.least = shared, least
        self.register_buffer("variance", torch.ones(1 if shared else columns))

    def of(self, squares: Tensor, known: Tensor, weight: Tensor | None) -> Tensor:
        """The variances that errors call for.

        Args:
            squares: (n, d) squared errors, 0 where there was no value.
            known: (n, d) 1 where there was a value, else 0.
            weight: (n,) what each record counts; all alike if not given.
        """
        if weight is not None:
            squares, known = squares * weight[:, None], known * weight[:, None]
        dims = None if self.shared else 0
        count = known.sum(dims)
        found = torch.where(count > 0, squares.sum(dims) / count.clamp_min(1e-12), 1.0)
        return found.reshape(-1).clamp_min(self.least)

    def settle(self, squares: Tensor, known: Tensor, weight: Tensor | None) -> None:
        """Keep the variances that these errors call for."""
        self.variance.copy_(self.of(squares, known, weight))

    def forward(self, squares: Tensor, known: Tensor, weight: Tensor | None = None) -> Tensor:
        """(n,) minus the log likelihood of each record; arguments as for `of`."""
        if self.training:
            variance = self.of(squares.detach(), known, weight)
            self.variance.lerp_(variance.to(self.variance), MEMORY)
        else:
            variance = self.variance
        constant = 0.5 * variance.log() + _HALF_LOG_TAU
        if self.shared:
            return 0.5 * squares.sum(1) / variance + known.sum(1) * constant
        return ((0.5 * squares / variance + constant) * known).sum(1)

    @property
    def sigma(self) -> Tensor:
        """(d,) or (1,) deviations."""
        return self.variance.sqrt()


def moments(x: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """(d,) mean and (d, d) covariance of (n, d) values.

    Args:
        x: the values.
        weight: (n,) what each counts; all alike if not given.

    >>> moments(torch.tensor([[0.0], [4.0]]), torch.tensor([3.0, 1.0]))
    (tensor([1.]), tensor([[3.]]))
    """
    share = torch.ones(len(x), device=x.device) if weight is None else weight.to(x)
    share = share / share.sum().clamp_min(1e-12)
    mean = share @ x
    return mean, (x - mean).T @ ((x - mean) * share[:, None])


def log_density(z: Tensor, sigma: Tensor) -> Tensor:
    """log N(z σ; 0, σ²), by elements."""
    return -0.5 * z**2 - _HALF_LOG_TAU - sigma.log()


def log_mass(low: Tensor, high: Tensor) -> Tensor:
    """log (Φ(high) - Φ(low)) by elements, low < high; either may be infinite.

    >>> [round(x, 4) for x in log_mass(torch.tensor([-1.0, 2.0]), torch.tensor([1.0, torch.inf])).tolist()]
    [-0.3817, -3.7832]
    """
    flip = low > 0  # where both are on the right, the left tail says the same without cancellation
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    upper, lower = log_ndtr(high), log_ndtr(low)
    wide = upper + torch.log1p(-torch.exp((lower - upper).clamp_max(-1e-30)))
    gap, middle = high - low, (low + high) / 2
    narrow = -0.5 * middle**2 - _HALF_LOG_TAU + gap.log()
    return torch.where(gap < NARROW, narrow, wide)
