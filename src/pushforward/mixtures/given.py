"""A mixture given values, ranges and sets: how probable they are, and records that comply with them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.errors import ArgumentError
from pushforward.mixtures import boxes, pairs
from pushforward.mixtures.covariances.kind import Covariances, each
from pushforward.mixtures.events import Event
from pushforward.mixtures.gaussian import Mixture, levels
from pushforward.mixtures.patterns import patterns


class Given:
    """What is known of n records: cells, and a union of events.

    Args:
        mixture: the distribution.
        holes: (K, h) how often each cell is a hole.
        cells: what is known of the records; nothing of the fields that the events speak of.
        events: at least one; one that says nothing if there are no limits.
        units: (d,) log density that a known number brings with it.
    """

    def __init__(self, mixture: Mixture, holes: Tensor, cells: Cells, events: Sequence[Event], units: Tensor):
        self.mixture, self.holes, self.cells, self.events, self._units = mixture, holes, cells, list(events), units

    def log_joint(self) -> Tensor:
        """(n, events × K) log probability of each event together with each component."""
        n, cells = len(self.cells), self.cells
        alike = n > 1 and _alike(cells)
        if alike:  # such as records of which nothing is known: they are one question
            cells = cells[:1]
        out = torch.cat([self._event(event, cells) for event in self.events], 1)
        return out.expand(n, -1) if alike else out

    def log_prob(self) -> Tensor:
        """(n,) log probability."""
        return self.log_joint().logsumexp(1)

    def draw(self, generator: torch.Generator) -> tuple[Cells, Tensor]:
        """Records drawn whole, and the components that they come from; `Cells.holes` says which limits holes are in.

        Raises:
            ArgumentError: what is given has probability zero.
        """
        joint = self.log_joint()
        if bool((joint.amax(1) == -torch.inf).any()):
            raise ArgumentError("given= has probability zero under this model; say a wider range or a larger set")
        if len(self.events) == 1 and not self.events[0].holes and not self.events[0].ranges:
            event, chosen = self.events[0], self.mixture.choose(joint, generator)
            cells = self._told(event, self.cells, chosen, generator)
            return self.mixture.fill(cells, chosen, generator), chosen
        both = self.mixture.choose(joint, generator)
        k = len(self.mixture.weights)
        which, chosen = both // k, both % k
        numbers, codes, holes = self.cells.numbers.clone(), self.cells.codes.clone(), torch.zeros_like(self.cells.holes)
        for e, rows in each(which):
            told = self._told(self.events[e], self.cells[rows], chosen[rows], generator)
            numbers[rows], codes[rows], holes[rows] = told.numbers, told.codes, told.holes
        return self.mixture.fill(Cells(numbers, codes, holes), chosen, generator), chosen

    def _event(self, event: Event, cells: Cells) -> Tensor:
        """(n, K) log probability of an event and what is known, together with each component."""
        numbers = _known(event, cells.numbers)
        out = self.mixture.log_joint(Cells(numbers, cells.codes, cells.holes))
        out = out + ((~numbers.isnan()).to(self._units) @ self._units)[:, None]
        for f, possible in event.levels.items():
            out = out + self.mixture.table(f)[:, list(possible)].sum(1).log()
        for h, hole in event.holes.items():
            out = out + (self.holes[:, h] if hole else 1 - self.holes[:, h]).log()
        if event.ranges:
            which, low, high = self._bounds(event)
            for known, rows in patterns(~numbers.isnan()):
                spread = _conditional(self.mixture.covariances, known, which)
                means = torch.stack([self._centre(self.mixture, numbers[rows], k)[:, which] for k in self._all], 1)
                out[rows] += boxes.log_box(means, spread, low, high)
        return out

    def _told(self, event: Event, cells: Cells, chosen: Tensor, generator: torch.Generator) -> Cells:
        """The cells, with what the event speaks of drawn given the component and what is known."""
        numbers, codes, holes = _known(event, cells.numbers), cells.codes.clone(), torch.zeros_like(cells.holes)
        for f, possible in event.levels.items():
            drawn = levels(self.mixture.table(f)[:, list(possible)], chosen, generator)
            codes[:, f] = torch.tensor(possible, device=codes.device)[drawn]
        for h, hole in event.holes.items():
            holes[:, h] = hole
        if event.ranges:
            which, low, high = self._bounds(event)
            sharp = self.mixture.sharp()
            for known, rows in patterns(~numbers.isnan()):
                spread = _conditional(sharp.covariances, known, which)
                spread = spread.expand(len(sharp.weights), -1, -1)
                if len(which) == 2 and len(rows) > 1 and _same(numbers[rows]) and not boxes.apart(spread):
                    means = torch.cat([self._centre(sharp, numbers[rows[:1]], k)[:, which] for k in self._all])
                    u = torch.rand(len(rows), 2, generator=generator, dtype=means.dtype, device=means.device)
                    drawn = pairs.draw_pairs(means, boxes.rooted(spread), chosen[rows], low, high, u)
                    numbers[rows[:, None], torch.tensor(which, device=rows.device)] = drawn
                    continue
                for k, at in each(chosen[rows]):
                    at = rows[at]
                    means = self._centre(sharp, numbers[at], k)[:, which]
                    numbers[at[:, None], torch.tensor(which, device=at.device)] = boxes.draw_box(
                        means, spread[k], low, high, generator
                    )
        return Cells(numbers, codes, holes)

    @property
    def _all(self) -> range:
        return range(len(self.mixture.weights))

    def _bounds(self, event: Event) -> tuple[list[int], Tensor, Tensor]:
        low, high = (
            torch.tensor(side, dtype=torch.float64).to(self.mixture.means)
            for side in zip(*event.ranges.values(), strict=True)
        )
        return list(event.ranges), low, high

    def _centre(self, mixture: Mixture, numbers: Tensor, k: int) -> Tensor:
        """(n, d) E[x | what is known, component k]."""
        chosen = torch.full((len(numbers),), k, device=numbers.device)
        if bool(numbers.isnan().all()):
            return mixture.means[k].expand_as(numbers)
        z = mixture.covariances.solved(numbers - mixture.means[k], chosen)
        return mixture.means[k] + mixture.covariances.times(z, chosen)


def _conditional(covariances: Covariances, known: Tensor, which: list[int]) -> Tensor:
    """(K, l, l) covariances of some numbers, given those of the mask (d,)."""
    columns = covariances.columns(which)  # (K, d, l)
    inner = columns[:, which]
    if not bool(known.any()):
        return inner
    out = []
    for k, (side, whole) in enumerate(zip(columns, inner, strict=True)):
        chosen = torch.full((len(which),), k, device=known.device)
        z = covariances.solved(torch.where(known, side.T, torch.nan), chosen)  # (l, d)
        out.append(whole - z @ side)
    spread = torch.stack(out)
    return (spread + spread.mT) / 2


def _known(event: Event, numbers: Tensor) -> Tensor:
    """The numbers with those that the event knows."""
    if event.values:
        numbers = numbers.clone()
        for column, value in event.values.items():
            numbers[:, column] = value
    return numbers


def _alike(cells: Cells) -> bool:
    """Whether the same is known of all records."""
    return _same(cells.numbers) and bool((cells.codes == cells.codes[0]).all())


def _same(numbers: Tensor) -> bool:
    """Whether all rows are one, holes included."""
    return bool(((numbers == numbers[0]) | (numbers.isnan() & numbers[0].isnan())).all())
