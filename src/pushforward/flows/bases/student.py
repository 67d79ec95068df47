"""Heavy tails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from pushforward.flows.bases.base import Base

LEAST, FIRST = 0.5, 8.0  # degrees of freedom


@final
class Student(Base):
    """Student's t in every coordinate, with ν of its own that is learned: tails as heavy as the data's.

    A map with straight tails leaves a normal base's tails light, however it is learned (Jaini, Kobyzev, Yu, Brubaker
    2020, arXiv 1907.04481).

    Args:
        size: numbers of a vector.
    """

    def __init__(self, size: int):
        super().__init__(size)
        self.raw = nn.Parameter(torch.full((size,), math.log(math.expm1(FIRST - LEAST))))

    @property
    def nu(self) -> Tensor:
        """(size,) degrees of freedom."""
        return LEAST + softplus(self.raw)

    def log_prob(self, z: Tensor) -> Tensor:
        """(n, size) → (n,)."""
        nu = self.nu
        whole = torch.lgamma((nu + 1) / 2) - torch.lgamma(nu / 2) - 0.5 * (nu * math.pi).log()
        return (whole - (nu + 1) / 2 * torch.log1p(z**2 / nu)).sum(1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, size), by Bailey's polar method, which needs no gamma variates (Bailey 1994)."""
        u, angle = torch.rand(
            2, n, self.size, generator=generator, device=self.raw.device, dtype=self.raw.dtype
        ).clamp_min(2**-25)
        radius = (self.nu * torch.expm1(-2 / self.nu * u.log())).sqrt()
        return radius * (2 * math.pi * angle).cos()

    @classmethod
    def examples(cls) -> Sequence[Student]:
        return [cls(1), cls(2)]
