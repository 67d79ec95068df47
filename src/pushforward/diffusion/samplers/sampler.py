"""What a sampler is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from pushforward.data.encodings.noise import Source
from pushforward.diffusion.denoiser import Denoiser


class Sampler(ABC):
    """From noise to data, noise level by noise level.

    Attributes:
        order: by which power of the step the error falls: of the path where it is determined, else of what the
            draws are distributed like.
        evaluations: of the denoiser, a step.
        drawn: whether noise is drawn on the way.
    """

    order: ClassVar[float]
    evaluations: ClassVar[int]

    @property
    @abstractmethod
    def drawn(self) -> bool:
        """Whether noise is drawn on the way, so that a source of it is needed."""

    @abstractmethod
    def __call__(self, denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: Source | None = None) -> Iterator[Tensor]:
        """The states at each noise level after the first.

        Args:
            denoiser: (x, σ) ↦ posterior mean.
            x: (n, d) data + noise of level `sigmas[0]`.
            sigmas: (steps + 1,) noise levels, falling; where nothing is drawn they may also rise. A last one of 0 is
                reached by the denoiser itself.
            source: of the noise, for samplers that draw some.
        """

    @classmethod
    @abstractmethod
    def examples(cls) -> list[Sampler]:
        """Instances for the tests."""


class Stepper(Sampler):
    """A sampler each of whose steps knows nothing of those before."""

    @abstractmethod
    def step(self, denoiser: Denoiser, x: Tensor, sigma: Tensor, target: Tensor, source: Source | None) -> Tensor:
        """(n, d) from one noise level () to another, neither of them 0."""

    def __call__(self, denoiser: Denoiser, x: Tensor, sigmas: Tensor, source: Source | None = None) -> Iterator[Tensor]:
        """The states at each noise level after the first."""
        for sigma, target in pairwise(sigmas):
            x = at(denoiser, x, sigma) if target == 0 else self.step(denoiser, x, sigma, target, source)
            yield x


def at(denoiser: Denoiser, x: Tensor, sigma: Tensor) -> Tensor:
    """(n, d) the denoiser at one noise level () for all."""
    return denoiser(x, sigma.expand(len(x)))
