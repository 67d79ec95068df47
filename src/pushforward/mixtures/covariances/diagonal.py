"""A variance for each component and number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from pushforward.mixtures.covariances.kind import LOG_2PI, Covariances, Finish, Part, Rows, alive, blocks, normals
from pushforward.mixtures.covariances.shrunk import shrunk
from pushforward.mixtures.prior import Prior

ROWS = 4096


@dataclass(frozen=True)
class Diagonal(Covariances):
    """Σ_k = diag(σ²_k): within a component, no number tells of another.

    Attributes:
        covariances: (K, d) variances.
    """

    covariances: Tensor

    @classmethod
    def shapes(cls, components: int, d: int, factors: int) -> dict[str, tuple[int, ...]]:
        return {"covariances": (components, d)}

    @classmethod
    def even(cls, components: int, d: int, factors: int) -> Self:
        (shape,) = cls.shapes(components, d, factors).values()
        return cls(torch.ones(shape, dtype=torch.float64))

    def parts(self, means: Tensor, wide: Tensor, x: Tensor, *, fast: bool) -> Iterator[tuple[Part, Rows]]:
        part = _Known(self.variances(), means, wide)
        yield from ((part, rows) for rows in blocks(len(x), ROWS))

    def solve(self, moments: tuple[Tensor, ...], mass: Tensor, means: Tensor, prior: Prior) -> tuple[Tensor, Self]:
        seen, first, second = moments
        here = alive(mass)[:, None] & (seen > 0)
        share = seen.clamp_min(1e-300)
        after = torch.where(here, first / share, means)
        spread = shrunk((second / share - after**2).clamp_min(0), seen, prior.shrinkage) + prior.ridge
        spread = torch.where(here, spread, self.covariances)
        return after, type(self)(spread)

    def variances(self) -> Tensor:
        return self.covariances

    def columns(self, which: list[int]) -> Tensor:
        return torch.diag_embed(self.variances())[:, :, which]

    def smallest(self) -> tuple[Tensor, Tensor]:
        least, where = self.variances().min(1)
        return least, torch.nn.functional.one_hot(where, self.variances().shape[1]).to(least)

    def solved(self, c: Tensor, chosen: Tensor) -> Tensor:
        return (c / self.variances()[chosen]).nan_to_num()

    def times(self, z: Tensor, chosen: Tensor) -> Tensor:
        return z * self.variances()[chosen]

    def draw(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        deviation = self.variances().sqrt()
        return deviation[chosen] * normals(len(chosen), deviation.shape[1], deviation, generator)

    def plus(self, noise: Tensor) -> Diagonal:
        return Diagonal(self.variances() + noise)

    def minus(self, noise: Tensor) -> Diagonal:
        return Diagonal(self.variances() - torch.minimum(noise, 0.999 * self.variances()))


class _Known:
    """Records with or without holes: what is not known is left out of every sum."""

    def __init__(self, variances: Tensor, means: Tensor, wide: Tensor):
        self._precisions = precisions = 1 / variances
        self._slope, self._wide = means * precisions, wide
        self._constant = LOG_2PI - precisions.log() + means**2 * precisions + wide * precisions

    def expect(self, x: Tensor) -> tuple[Tensor, Finish]:
        known = (~x.isnan()).to(x.dtype)
        x = x.nan_to_num()
        square = x.square()
        log = -0.5 * (self._precisions @ square.T - 2 * self._slope @ x.T + self._constant @ known.T)

        def finish(r: Tensor) -> tuple[Tensor, ...]:
            seen = r @ known
            return seen, r @ x, r @ square + seen * self._wide

        return log, finish
