"""What a chain says of evidence, on states: how probable it is, and draws given it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.counts.chains.tellers import AtWill, InOrder, drawn, uniform
from pushforward.training.randomness import generator as seeded

BLOCK, HELD = 8192, 1 << 26  # records that are asked about together, and numbers that they may be
CANDIDATES = 32  # draws that several limits are told from
PATHS = 64  # over which the probability of several limits at once is a mean

Masses = Mapping[int, Tensor]
"""By variable, (S + 1,) how much of each of its states a limit leaves, a hole the last."""


@dataclass(frozen=True)
class Answers:
    """Evidence as states (n, V), -1 where nothing is known, and limits.

    Attributes:
        ordered: scores whole records, and draws what follows a part that is known.
        free: is asked about everything else.
        values: states of each variable that are no holes.
    """

    ordered: InOrder
    free: AtWill
    values: tuple[int, ...]

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self.free.device

    @property
    def rows(self) -> int:
        """Records that are asked about together."""
        return max(1, min(BLOCK, HELD // sum(self.free.counts)))

    def log_prob(self, states: Tensor, masses: Masses) -> Tensor:
        """(n,) log probability of what is known."""
        unknown = states < 0
        out = torch.zeros(len(states), dtype=torch.float64)
        first = (~unknown).sum(1, keepdim=True)
        in_order = (unknown == (torch.arange(unknown.shape[1]) >= first)).all(1) & (not masses)
        count = torch.full((len(states),), 2) if masses else torch.where(in_order, 0, unknown.sum(1))
        for rows in _pieces(count == 0, self.rows):
            out[rows] = self._scored(states[rows])
        for v in range(unknown.shape[1]):
            for rows in _pieces((count == 1) & unknown[:, v], self.rows // self.values[v]):
                out[rows] = self._summed(states[rows], v)
        for rows in _pieces(count > 1, self.rows // PATHS if len(masses) > 1 else self.rows):
            out[rows] = self._told(states[rows], masses)
        return out

    def _scored(self, states: Tensor) -> Tensor:
        """Of records that are known from the first variable to some other, in order."""
        terms = self.ordered.log_prob(states.to(self.device), self.values).double().cpu()
        return torch.where(states >= 0, terms, 0.0).sum(1)

    def _summed(self, states: Tensor, v: int) -> Tensor:
        """Of records in which one variable is unknown: over all its states."""
        size = self.values[v]
        each = states.repeat_interleave(size, 0)
        each[:, v] = torch.arange(size).repeat(len(states))
        return self._scored(each).view(-1, size).logsumexp(1)

    def _told(self, states: Tensor, masses: Masses) -> Tensor:
        """Of anything: what is known one after another, then what limits leave."""
        states = states.to(self.device)
        known, total = torch.full_like(states, -1), torch.zeros(len(states), dtype=torch.float64, device=self.device)
        for v in range(states.shape[1]):
            there = states[:, v] >= 0
            if v in masses or not bool(there.any()):
                continue
            found = self.free.log_prob(known, v, states[:, v], self.values[v])
            total += torch.where(there, found, 0.0)
            known[:, v] = states[:, v]
        if masses:
            paths = 1 if len(masses) == 1 else PATHS
            many, source = known.repeat_interleave(paths, 0), seeded(0, device=self.device)
            # the paths of every record are drawn alike, so that it scores the same in any company
            us = [torch.rand(paths, 1, generator=source, device=self.device).repeat(len(states), 1) for _ in masses]
            total += self._limited(many, masses, us)[1].view(-1, paths).logsumexp(1) - math.log(paths)
        return total.cpu()

    def _limited(self, states: Tensor, masses: Masses, us: list[Tensor]) -> tuple[Tensor, Tensor]:
        """States with those under limits drawn within them, and (n,) log of how probable the limits were on the way.

        Args:
            states: (n, V).
            masses: the limits.
            us: for each of them (n, 1) uniform numbers.
        """
        states, total = states.clone(), torch.zeros(len(states), dtype=torch.float64, device=self.device)
        for (v, mass), u in zip(sorted(masses.items()), us, strict=True):
            logits = self.free.of(states, v).double()
            if float(mass[-1]) == 0:  # what may not be a hole is asked about as a value
                logits = logits[:, : self.values[v]]
            logits = logits.log_softmax(1) + mass.to(self.device).log()[: logits.shape[1]]
            total += logits.logsumexp(1)
            states[:, v] = drawn(logits, u)
        return states, total

    def draw(self, states: Tensor, masses: Masses, generator: torch.Generator, *, holes: bool) -> Tensor:
        """(n, V) states with what is unknown drawn, on the processor.

        Args:
            states, masses: what is known.
            generator: of the draws.
            holes: whether a hole may be drawn where no limit says so.
        """
        sizes = self.free.counts
        barred = [0 if holes else size - own for size, own in zip(sizes, self.values, strict=True)]
        out, known = torch.empty_like(states), states >= 0
        # a first part that is known, and nothing else: conditions, or nothing at all
        first = known.sum(1, keepdim=True)
        in_order = (known == (torch.arange(known.shape[1]) < first)).all(1) & (not masses)
        for rows in _pieces(in_order, self.rows):
            out[rows] = self.ordered.draw(states[rows].to(self.device), generator, barred).cpu()
        for rows in _pieces(~in_order, self.rows // CANDIDATES if len(masses) > 1 else self.rows):
            part = states[rows].to(self.device)
            if masses:
                part = self._within(part, masses, generator)
            out[rows] = self._filled(part, generator, barred).cpu()
        return out

    def _filled(self, states: Tensor, generator: torch.Generator, barred: list[int]) -> Tensor:
        """What is unknown drawn, one variable after another, from all that is known by then; the last part in order."""
        known = (states >= 0).any(0).nonzero()
        for v in range(int(known.max()) + 1 if len(known) else 0):
            rows = (states[:, v] < 0).nonzero()[:, 0]
            if len(rows):
                states[rows, v] = self.free.draw(states[rows], v, generator, barred[v])
        return self.ordered.draw(states, generator, barred)

    def _within(self, states: Tensor, masses: Masses, generator: torch.Generator) -> Tensor:
        """What limits speak of drawn within them."""
        if len(masses) == 1:
            return self._limited(states, masses, [uniform(states, generator)])[0]
        # drawn one after another they would not know of the limits to come: the more probable of many paths are taken
        n = len(states)
        many = states.repeat_interleave(CANDIDATES, 0)
        paths, weight = self._limited(many, masses, [uniform(many, generator) for _ in masses])
        weight = weight.view(n, CANDIDATES)
        chosen = drawn(weight, uniform(weight, generator))
        return paths.view(n, CANDIDATES, -1)[torch.arange(n, device=paths.device), chosen]


def _pieces(mask: Tensor, most: int) -> Iterator[Tensor]:
    rows = mask.nonzero()[:, 0]
    if len(rows):
        yield from rows.split(max(1, most))
