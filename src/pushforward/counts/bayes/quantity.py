"""One number of a table within each class: scored, limited to ranges and sets, and drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.counts.bayes import tables
from pushforward.counts.bayes.likelihoods import LIKELIHOODS, Likelihood
from pushforward.data import Number
from pushforward.limits import Limit

ALL = Limit()


@dataclass(frozen=True)
class Quantity:
    """A number and its distribution in each of K classes.

    A number with atoms is one of them with the probabilities of a table, or else something that is none of them:
    what its distribution says of their places is shared out to all others.

    Attributes:
        field: what is known of the number.
        kind: its distribution, as a position in `LIKELIHOODS`.
        mean, spread: (K,) of the distributions.
        atoms: (K, 1 + atoms) probabilities: of none, and of each atom; None where there are no atoms.
    """

    field: Number
    kind: int
    mean: Tensor
    spread: Tensor
    atoms: Tensor | None = None

    @property
    def likelihood(self) -> Likelihood:
        """The distribution off the atoms."""
        return LIKELIHOODS[self.kind]

    @property
    def step(self) -> float:
        """Of the grid; 0 off it."""
        return self.field.resolution or 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which it is drawn: what was seen, or for an array the whole line."""
        told = self.field.resolution is not None or self.field.decimals is not None
        return (self.field.low, self.field.high) if told else (-math.inf, math.inf)

    def log_prob(self, x: Tensor) -> Tensor:
        """(n, K) log p(x | class, no atom) of (n,) numbers; 0 where x is NaN."""
        known = ~x.isnan()
        shown = torch.where(known, x, self.field.low)[:, None]
        out = self.likelihood.log_prob(shown, self.mean, self.spread, self.step) - self._log_room()
        return torch.where(known[:, None], out, 0.0)

    def _log_room(self) -> Tensor:
        """(K,) log of what the distribution leaves beside the atoms."""
        if not self.step or not self.field.atoms:
            return torch.zeros_like(self.mean)
        taken = self._points(self.field.atoms).exp().sum(0).clamp_max(1 - 1e-12)
        return torch.log1p(-taken)

    def _points(self, points: Sequence[float]) -> Tensor:
        at = torch.tensor(points, dtype=torch.float64)[:, None]
        return self.likelihood.log_prob(at, self.mean, self.spread, self.step)

    def log_limit(self, limit: Limit) -> Tensor:
        """(K,) log p(it lies within | class); a density where it is one of some values off the grid."""
        return torch.logsumexp(self._parts(limit)[0], 0)

    def _parts(self, limit: Limit) -> tuple[Tensor, list[tuple[float, float]], list[int]]:
        """(parts, K) logs of what a limit is made of: its ranges, then the atoms (by level) that lie in it."""
        atoms = [i for i, atom in enumerate(self.field.atoms, start=1) if _holds(limit, atom)]
        ranges = self._ranges(limit)
        if limit.values is not None and not self.step:  # single points of a line have density, atoms have mass
            ranges = [] if atoms else ranges
            logs = [self._points([a])[0] for a, _ in ranges]
        else:
            logs = [self.likelihood.log_between(a, b, self.mean, self.spread, self.step) for a, b in ranges]
        room = self._log_room()
        none = torch.zeros_like(room) if self.atoms is None else self.atoms[:, 0].log()
        logs = [log - room + none for log in logs]
        if self.atoms is not None:
            logs += [self.atoms[:, i].log() for i in atoms]
        if not logs:  # such as a set of holes alone
            return torch.full((1, len(self.mean)), -torch.inf, dtype=torch.float64), [], []
        return torch.stack(logs), ranges, atoms

    def _ranges(self, limit: Limit) -> list[tuple[float, float]]:
        """What a limit leaves of the line or grid beside the atoms."""
        if limit.values is not None:
            return [(value, value) for value in limit.values if value not in self.field.atoms]
        if not self.step:
            return [(limit.low, limit.high)]
        low, high = _up(limit.low, self.step), _down(limit.high, self.step)
        out = []
        for atom in sorted(self.field.atoms):
            if low <= atom <= high:
                out.append((low, _down(atom - self.step, self.step)))
                low = _up(atom + self.step, self.step)
        return [(a, b) for a, b in [*out, (low, high)] if a <= b]

    def draw(self, k: Tensor, limit: Limit, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(n,) numbers of the classes k and the level of their atoms (0: none), within a limit and what was seen."""
        low, high = self.bounds
        if limit.values is None:
            low, high = max(low, limit.low), min(high, limit.high)
            limit = Limit(low, high) if low <= high else limit
        logs, ranges, atoms = self._parts(limit)
        if len(ranges) + len(atoms) <= 1:
            which = torch.zeros_like(k)
        else:
            impossible = (logs == -torch.inf).all(0)
            logs = torch.where(impossible, 0.0, logs)
            which = tables.draw(torch.softmax(logs, 0).T, _uniform(len(k), generator), k)
        numbers, codes = torch.full((len(k),), torch.nan, dtype=torch.float64), torch.zeros_like(k)
        for part, (a, b) in enumerate(ranges):
            here = which == part
            if here.any():
                numbers[here] = self._within(k[here], a, b, generator)
        if atoms:
            levels = torch.tensor([*(0 for _ in ranges), *atoms])
            codes = levels[which]
        return numbers, codes

    def _within(self, k: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
        if low == high:
            return torch.full((len(k),), low, dtype=torch.float64)
        return self.likelihood.draw(k, low, high, self.mean, self.spread, self.step, generator)


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, dtype=torch.float64, generator=generator)


def _holds(limit: Limit, value: float) -> bool:
    return limit.low <= value <= limit.high if limit.values is None else value in limit.values


def _up(value: float, step: float) -> float:
    """The first point of the grid from here."""
    return value if math.isinf(value) else math.ceil(value / step - 1e-9) * step


def _down(value: float, step: float) -> float:
    return value if math.isinf(value) else math.floor(value / step + 1e-9) * step
