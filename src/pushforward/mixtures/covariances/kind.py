"""What a shape of covariances has to answer."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from pushforward.mixtures.prior import Prior

LOG_2PI = math.log(2 * math.pi)
BLOCK = 1 << 22  # numbers that a batched product may hold at once
Rows = slice | Tensor
Finish = Callable[[Tensor], tuple[Tensor, ...]]


class Part(Protocol):
    """All that does not depend on the records is worked out once; blocks of records are then gone through."""

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        """One E-step in two halves: log densities first, moments once responsibilities are known.

        Args:
            x: (b, d) numbers, NaN where not known.

        Returns:
            (K, b) log densities of what is known, and a function that takes (K, b) responsibilities and gives the
            moments that `solve` wants; it has to be called before the next block, or not at all.
        """


@dataclass(frozen=True)
class Covariances(ABC):
    """The covariances of K components in d dimensions; the fields are what is learned.

    Everywhere `means` are (K, d), `wide` (d,) is the variance of a cell of the grid, r² / 12, and NaN stands for a
    number that is not known.
    """

    # What is learned

    @classmethod
    @abstractmethod
    def shapes(cls, components: int, d: int, factors: int) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the tensors that are learned."""

    @classmethod
    @abstractmethod
    def even(cls, components: int, d: int, factors: int) -> Self:
        """Variance 1 in every direction, float64 on the CPU."""

    def tensors(self) -> dict[str, Tensor]:
        """What is learned, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def to(self, like: Tensor) -> Self:
        """The same on the device, and of the type, of a tensor."""
        return type(self)(**{name: tensor.to(like) for name, tensor in self.tensors().items()})

    # EM

    @abstractmethod
    def parts(self, means: Tensor, wide: Tensor, x: Tensor, *, fast: bool) -> Iterator[tuple[Part, Rows]]:
        """The records (n, d) in blocks, each with what answers for it.

        Args:
            fast: whether an error of 1e-8 nats a record may be traded for time.
        """

    @abstractmethod
    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        """The means and covariances that fit the moments best.

        Args:
            moments: sums of what `Part.expect` gave; taken under these covariances and `means`.
            mass: (K,) responsibilities; a component that has next to none keeps what it had.
            prior: what is added to the variances, and what draws covariances together.
        """

    def started(self, x: Tensor, labels: Tensor, means: Tensor, seed: int) -> Self:
        """What to begin from, given clusters (n,) of records (n, d); what one M-step gives, where that is enough."""
        return self

    # Algebra

    @abstractmethod
    def variances(self) -> Tensor:
        """(K, d) of each number."""

    @abstractmethod
    def columns(self, which: list[int]) -> Tensor:
        """(K, d, l) some columns of the covariances."""

    @abstractmethod
    def smallest(self) -> tuple[Tensor, Tensor]:
        """(K,) least variance of any direction, or of what is not shared, and (K, d) that direction."""

    @abstractmethod
    def solved(self, c: Tensor, chosen: Tensor) -> Tensor:
        """(n, d) Σ_oo⁻¹ c_o of the chosen (n,) components, 0 where c is not known (NaN)."""

    @abstractmethod
    def times(self, z: Tensor, chosen: Tensor) -> Tensor:
        """(n, d) Σ z of the chosen components."""

    @abstractmethod
    def draw(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """(n, d) draws from N(0, Σ) of the chosen components."""

    @abstractmethod
    def plus(self, noise: Tensor) -> Covariances:
        """Σ + diag(noise), noise (d,)."""

    @abstractmethod
    def minus(self, noise: Tensor) -> Covariances:
        """Σ - diag(noise), but for as much of it as would leave nothing of a variance."""

    def widened(self, factor: float) -> Self:
        """Σ times a factor."""
        return type(self)(**{name: factor * tensor for name, tensor in self.tensors().items()})

    def dense(self) -> Tensor:
        """(K, d, d)."""
        return self.columns(list(range(self.variances().shape[1])))


def alive(mass: Tensor) -> Tensor:
    """(K,) which components records belong to."""
    return mass > 1e-8 * mass.sum()


def blocks(n: int, size: int) -> Iterator[slice]:
    """n rows in pieces."""
    for start in range(0, n, max(1, size)):
        yield slice(start, min(n, start + max(1, size)))


def normals(n: int, d: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """(n, d) standard normal draws."""
    return torch.randn(n, d, generator=generator, dtype=like.dtype, device=like.device)


def each(chosen: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The components that were chosen, with the positions of the records that chose them."""
    order = chosen.argsort(stable=True)
    which, count = chosen[order].unique_consecutive(return_counts=True)
    yield from zip(which.tolist(), order.split(count.tolist()), strict=True)
