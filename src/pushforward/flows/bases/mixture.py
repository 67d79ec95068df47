"""Gaussians side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from pushforward.flows.bases.base import Base

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@final
class Mixture(Base):
    """Σ_k π_k N(z; μ_k, diag σ_k²), moved with everything else (Dilokthanakul et al. 2016, arXiv 1611.02648).

    As the base of a flow it lets the data fall apart, which an invertible map of one Gaussian cannot (Izmailov et al.
    2019, arXiv 1912.13025).

    Args:
        size: numbers of a vector.
        components: K.
    """

    def __init__(self, size: int, components: int = 32):
        super().__init__(size)
        self.logits = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, size))
        self.log_sigmas = nn.Parameter(torch.zeros(components, size))

    def log_prob(self, z: Tensor) -> Tensor:
        """(n, size) → (n,)."""
        scale = (-2 * self.log_sigmas).exp()
        # The square written out, so that n × K × size numbers never stand in memory; large terms cancel in it, which
        # half precision does not bear.
        with torch.autocast(z.device.type, enabled=False):
            z = z.to(scale.dtype)
            square = z**2 @ scale.T - 2 * z @ (self.means * scale).T + (self.means**2 * scale).sum(1)
        each = -0.5 * square - self.log_sigmas.sum(1) - self.size * _HALF_LOG_TAU
        return (each + self.logits.log_softmax(0)).logsumexp(1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, size)."""
        chosen = torch.multinomial(self.logits.softmax(0), n, replacement=True, generator=generator)
        noise = torch.randn(n, self.size, generator=generator, device=self.means.device, dtype=self.means.dtype)
        return self.means[chosen] + self.log_sigmas[chosen].exp() * noise

    @classmethod
    def examples(cls) -> Sequence[Mixture]:
        return [cls(1, 3), cls(2, 4)]
