"""What codes are taken to be distributed like, before a record is seen."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Prior(nn.Module, ABC):
    """p(z) over codes of `latent` numbers; its parameters are learned with the auto-encoder."""

    def __init__(self, latent: int):
        super().__init__()
        self.latent = latent

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """(n, latent) → (n,)."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, latent)."""


class Normal(Prior):
    """The standard normal distribution."""

    def log_prob(self, z: Tensor) -> Tensor:
        return (-0.5 * z**2 - _HALF_LOG_TAU).sum(1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.latent, generator=generator, device=generator.device)


class Mixture(Prior):
    """Σ_k π_k N(z; μ_k, diag σ_k²), moved with everything else (Dilokthanakul et al. 2016, arXiv 1611.02648).

    Args:
        latent: numbers in a code.
        components: K.
    """

    def __init__(self, latent: int, components: int):
        super().__init__(latent)
        self.logits = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, latent))
        self.log_sigmas = nn.Parameter(torch.zeros(components, latent))

    def log_prob(self, z: Tensor) -> Tensor:
        scale = (-2 * self.log_sigmas).exp()
        # The square written out, so that n × K × latent numbers never stand in memory; large terms cancel in it, which
        # half precision does not bear.
        with torch.autocast(z.device.type, enabled=False):
            z = z.float()
            square = z**2 @ scale.T - 2 * z @ (self.means * scale).T + (self.means**2 * scale).sum(1)
        each = -0.5 * square - self.log_sigmas.sum(1) - self.latent * _HALF_LOG_TAU
        return (each + self.logits.log_softmax(0)).logsumexp(1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        chosen = torch.multinomial(self.logits.softmax(0), n, replacement=True, generator=generator)
        noise = torch.randn(n, self.latent, generator=generator, device=self.means.device)
        return self.means[chosen] + self.log_sigmas[chosen].exp() * noise
