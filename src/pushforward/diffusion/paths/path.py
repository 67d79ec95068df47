"""What a path from data to noise says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.diffusion.denoiser import SIGMA_MAX, SIGMA_MIN, column

QUANTILES = 1000  # over which what is expected of noise levels is a mean


class Path(ABC):
    """x_t = a(t) y + s(t) ε, from data at t = 0 to noise at t = 1.

    A path says three things: along which line a sampler goes (`coefficients`, `rates`, `time`), what a network is
    asked for at each noise level (`scalings`), and how often each is trained (`levels`). They are independent of each
    other, since a denoiser speaks of x_t / a(t) = y + σ ε: one that was trained on one path is sampled along any.
    """

    @abstractmethod
    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """a(t) and s(t)."""

    @abstractmethod
    def rates(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """da/dt and ds/dt."""

    @abstractmethod
    def time(self, sigma: Tensor) -> Tensor:
        """The t at which s(t) / a(t) = σ."""

    @abstractmethod
    def scalings(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """c_skip and c_out: the network F is asked for what is left of y, (y - c_skip x) / c_out."""

    @abstractmethod
    def levels(self, u: Tensor) -> Tensor:
        """The noise level of each quantile u of those that are trained."""

    def velocity(self, mean: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """dx_t/dt = a'(t) D + s'(t) (x - D) / σ along the path, of what the denoiser says of x = x_t / a(t).

        Args:
            mean: (n, d) what the denoiser says.
            x: (n, d) noisy data y + σ ε.
            sigma: () or (n,) its noise level.
        """
        da, ds = self.rates(self.time(sigma))
        return column(da) * mean + column(ds / sigma) * (x - mean)

    def mean_of(self, velocity: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """D of a velocity: `velocity` the other way round."""
        da, ds = self.rates(self.time(sigma))
        return (velocity - column(ds / sigma) * x) / column(da - ds / sigma)

    def denoised(self, x: Tensor, sigma: Tensor, network: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """D(x; σ) = c_skip x + c_out F(x / √(1 + σ²), ¼ log σ) (Karras et al. 2022, arXiv 2206.00364, eq. 7).

        Args:
            x: (n, d) noisy data.
            sigma: (n,) noise levels.
            network: F, from (n, d) and (n,) to (n, d); what goes in has unit size whatever σ is.
        """
        skip, out = self.scalings(sigma)
        inner = column((1 + sigma**2).rsqrt())
        return column(skip) * x + column(out) * network(x * inner, sigma.log() / 4).float()

    def weight(self, sigma: Tensor) -> Tensor:
        """1 / c_out², by which the squared error of D is the squared error of F."""
        return 1 / self.scalings(sigma)[1] ** 2

    def bounded(self, u: Tensor, louder: float = 1.0) -> Tensor:
        """`levels`, all of them so many times louder, within those that samplers visit."""
        return (louder * self.levels(u)).clamp(SIGMA_MIN / 2, 2 * SIGMA_MAX)

    def silence(self, louder: float = 1.0) -> float:
        """The loss of a network that says nothing, on data of deviation 1: E ((1 - c_skip)² + c_skip² σ²) / c_out²."""
        sigma = self.bounded((torch.arange(QUANTILES) + 0.5) / QUANTILES, louder)
        skip, _ = self.scalings(sigma)
        return float((self.weight(sigma) * ((1 - skip) ** 2 + (skip * sigma) ** 2)).mean())

    @classmethod
    @abstractmethod
    def examples(cls) -> list[Path]:
        """Instances for the tests."""
