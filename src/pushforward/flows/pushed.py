"""A base seen through an invertible map: a density that is exact and can be drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from pushforward.flows.bases.base import Base
from pushforward.flows.bases.normal import Normal
from pushforward.flows.bijections.affine import Affine
from pushforward.flows.bijections.bijection import Bijection


@final
class Pushed(Base):
    """log p(x | c) = log p_Z(f(x; c)) + log |det ∂f/∂x|; x = f⁻¹(z; c) draws.

    Args:
        bijection: f, from records to noise.
        base: p_Z, over as many numbers as come out of f.

    >>> flow = Pushed(Affine(2), Normal(2))
    >>> flow.log_prob(torch.zeros(1, 2)).item()  # -log 2π
    -1.8378770...
    """

    def __init__(self, bijection: Bijection, base: Base):
        super().__init__(math.prod(bijection.shape))
        self.bijection, self.base = bijection, base

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """(n, *shape), (n, condition) → (n,)."""
        z, ladj = self.bijection(x, c)
        return self.base.log_prob(z) + ladj

    def sample(self, n: int, generator: torch.Generator, c: Tensor | None = None, temperature: float = 1.0) -> Tensor:
        """(n, *shape).

        Args:
            n: how many.
            generator: of the noise.
            c: (n, condition).
            temperature: what the noise is multiplied by.
        """
        z = self.base.sample(n, generator)
        return self.bijection.inverse(z if temperature == 1 else temperature * z, c)[0]

    def given(self, c: Tensor | None = None) -> Distribution:
        """p(x | c) as a distribution of PyTorch, for what takes one.

        Args:
            c: (condition,) of all draws.

        >>> Pushed(Affine(2), Normal(2)).given().sample((3,)).shape
        torch.Size([3, 2])
        """
        return _Given(self, c)

    @classmethod
    def examples(cls) -> Sequence[Pushed]:
        return [cls(Affine(2), Normal(2))]


class _Given(Distribution):
    arg_constraints: dict = {}  # noqa: RUF012 - as PyTorch has it
    has_rsample = True

    def __init__(self, flow: Pushed, c: Tensor | None):
        self._flow, self._c = flow, c
        super().__init__(event_shape=torch.Size(flow.bijection.shape), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.independent(constraints.real, len(self.event_shape))

    def _told(self, n: int) -> Tensor | None:
        return None if self._c is None else self._c.expand(n, -1)

    def rsample(self, sample_shape: Sequence[int] = torch.Size()) -> Tensor:
        n = torch.Size(sample_shape).numel()
        source = torch.Generator(self._flow.base.like.device)
        source.manual_seed(int(torch.randint(2**62, ())))  # from the state that `torch.distributions` draw from
        x = self._flow.sample(n, source, self._told(n))
        return x.view(*sample_shape, *self.event_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        flat = value.reshape(-1, *self.event_shape)
        return self._flow.log_prob(flat, self._told(len(flat))).view(value.shape[: value.ndim - len(self.event_shape)])
