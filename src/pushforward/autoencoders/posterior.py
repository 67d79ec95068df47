"""The Gaussian q(z | x) of a variational auto-encoder."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from pushforward.data.encodings.noise import Source, normal

LEAST = -7.0  # of log σ, so that no code is exact
CARRIES = 0.01  # variance of its mean over records, from which on a number of a code counts as active
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Posterior:
    """N(z; mean, σ²), every number of the code by itself.

    Attributes:
        mean: (n, latent).
        raw: (n, latent) log σ, before it is kept from below.
    """

    mean: Tensor
    raw: Tensor

    @property
    def log_sigma(self) -> Tensor:
        """(n, latent)."""
        return self.raw.clamp(LEAST, -LEAST)

    def sample(self, source: Source) -> Tensor:
        """(n, latent) draws, through which gradients flow."""
        return self.mean + self.log_sigma.exp() * normal(self.mean, source)

    def log_prob(self, z: Tensor) -> Tensor:
        """(n,) log q(z | x)."""
        log = self.log_sigma
        return (-0.5 * ((z - self.mean) * (-log).exp()) ** 2 - log - _HALF_LOG_TAU).sum(1)

    def divergence(self) -> Tensor:
        """(n, latent) Kullback-Leibler divergence from a standard normal prior, by numbers of the code."""
        log = self.log_sigma
        return 0.5 * (self.mean**2 + (2 * log).exp() - 1) - log


def active(spread: Tensor) -> Tensor:
    """(latent,) bool: which numbers of the code tell records apart: Var_x E_q[z] > 0.01 (Burda et al. 2015).

    Args:
        spread: (latent,) deviation over records of the posterior's mean.

    >>> import torch
    >>> active(torch.tensor([0.001, 0.9])).tolist()
    [False, True]
    """
    return spread**2 > CARRIES
