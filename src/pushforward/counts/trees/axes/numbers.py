"""Numbers as an axis: a state for each value that is often repeated, and bins for the rest.

Within a bin, values that repeat have a share of their own on top of what is even: over the points of the grid for
numbers on one, by length for others. Beyond the outermost edges the tails are exponential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from pushforward.counts.trees.axes.axis import Axis, pick
from pushforward.limits import Limit

FIELDS = ("edges", "even", "scale", "points", "state", "share", "grid")
LINE = (-np.inf, np.inf)


class NumberAxis(Axis):
    """The states of a number: first M bins in order, then one for each value that has its own.

    Bin b holds the values from edges[b - 1] to edges[b]; the first and the last are the tails. On a grid of spacing
    r, edges lie halfway between its points.

    Args:
        edges: (M - 1,) increasing.
        even: (M,) share of each bin that is spread over its points or length.
        scale: (2,) mean distance of the values beyond the first and last edge.
        points: (P,) values with a share of their own, increasing.
        state: (P,) the state of each: its bin, or its own.
        share: (P,) its probability within the state, beside what falls on it of the even part of its bin.
        grid: (1,) spacing of the grid, 0 off it.
        window: (2,) the values that are possible: narrower than the whole line where evidence says so.
    """

    def __init__(
        self, edges: np.ndarray, even: np.ndarray, scale: np.ndarray, points: np.ndarray, state: np.ndarray,
        share: np.ndarray, grid: np.ndarray, window: Sequence[float] | np.ndarray = LINE,
    ):  # fmt: skip
        self.edges, self.even, self.scale, self.window = edges, even, scale, window
        self.points, self.state, self.share, self.grid = points, state, share, grid
        self.bins = len(edges) + 1
        self._own = points[state >= self.bins]
        inner = self._room()[1:-1] if len(edges) > 1 else np.zeros(0)
        # a bin all of whose points have states of their own holds nothing, and is no state
        full = np.concatenate([[True], inner > 0, [True], np.ones(len(np.unique(state[state >= self.bins])), bool)])
        self._raw, self._compact = np.flatnonzero(full), np.cumsum(full) - 1
        self.size = len(self._raw)
        self._order = np.lexsort((points, state))
        counts = np.bincount(state, minlength=len(full))
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts

    # Values to states

    def encode(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = ~np.isnan(values)
        x = np.where(known, values, 0.0)
        if self.step:
            x = np.rint(x / self.step) * self.step
        bins = np.searchsorted(self.edges, x, side="right")
        states, within = bins, self._log_even(x, bins)
        if len(self.points):
            at = np.minimum(np.searchsorted(self.points, x), len(self.points) - 1)
            if self.step:  # the nearest point, since a grid's points are known to rounding only
                at = np.where((at > 0) & (np.abs(self.points[at - 1] - x) < np.abs(self.points[at] - x)), at - 1, at)
                hit = np.abs(self.points[at] - x) < 0.25 * self.step
            else:
                hit = self.points[at] == x
            with np.errstate(divide="ignore"):
                share = np.where(hit, np.log(self.share[at]), -np.inf)
            alone = hit & (self.state[at] >= self.bins)
            states = np.where(hit, self.state[at], states)
            within = np.where(alone, share, np.logaddexp(share, within))
        return np.where(known, self._compact[states], -1), np.where(known, within, 0.0)

    @property
    def step(self) -> float:
        """Spacing of the grid, 0 off it."""
        return float(self.grid[0])

    def _log_even(self, x: np.ndarray, bins: np.ndarray) -> np.ndarray:
        """Log probability within its bin of a value that is no point."""
        with np.errstate(divide="ignore"):
            out = np.log(self.even[bins]) - np.log(np.maximum(self._room(), 1e-300))[bins]
        for side, inside in ((0, bins == 0), (1, bins == self.bins - 1)):
            edge, scale = self._edge(side), self.scale[side]
            beyond = np.abs(x - edge)
            if self.step:  # geometric over the points beyond the edge
                tail = np.log(-np.expm1(-self.step / scale)) - (beyond - self.step / 2) / scale
            else:
                tail = -np.log(scale) - beyond / scale
            with np.errstate(divide="ignore"):
                out = np.where(inside, np.log(self.even[bins]) + tail, out)
        return out

    def _edge(self, side: int) -> float:
        return float(self.edges[0] if side == 0 else self.edges[-1])

    def _room(self) -> np.ndarray:
        """(M,) length of each inner bin, or how many points of the grid it holds that have no own state; tails 1."""
        room = np.ones(self.bins)
        room[1:-1] = np.diff(self._ranks(self.edges)) if self.step else np.diff(self.edges)
        return room

    def _ranks(self, edges: np.ndarray) -> np.ndarray:
        """How many points of the grid that have no own state lie below each edge, counted from zero."""
        return np.rint(edges / self.step - 0.5) + 1 - np.searchsorted(self._own, edges)

    # States to values

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        states, u = self._raw[states], rng.random(len(states))
        out = np.empty(len(states))
        ends = self._ends
        order = self.share[self._order]
        total = np.concatenate([[0.0], np.cumsum(order)])
        pointed = total[ends] - total[self._starts]  # (S,) share of the points of each state
        even = np.concatenate([self.even, np.zeros(len(ends) - self.bins)])
        heavy = pointed[states] / np.maximum(pointed + even, 1e-300)[states]
        on = u < heavy
        s = states[on]
        found = pick(order, rng.random(len(s)), self._starts[s], ends[s])
        out[on] = self.points[self._order[found]] if len(self.points) else 0.0
        out[~on] = self._draw_even(np.minimum(states[~on], self.bins - 1), rng.random(int((~on).sum())))
        return out

    def _draw_even(self, bins: np.ndarray, u: np.ndarray) -> np.ndarray:
        low = np.concatenate([self.edges[:1], self.edges])  # a tail's own ends come below
        high = np.concatenate([self.edges, self.edges[-1:]])
        low, high = np.clip(low, *self.window), np.clip(high, *self.window)
        if self.step:
            ranks = self._ranks(low)[bins]
            room = self._ranks(high)[bins] - ranks
            rank = ranks + np.minimum(np.floor(u * room), np.maximum(room - 1, 0))
            adjusted = np.rint(self._own / self.step) - np.arange(len(self._own))
            out = (rank + np.searchsorted(adjusted, rank, side="right")) * self.step
        else:
            out = low[bins] + u * (high - low)[bins]
        for side in (0, 1):
            inside = bins == (0 if side == 0 else self.bins - 1)
            if inside.any():
                out[inside] = self._draw_tail(side, u[inside])
        return out

    def _draw_tail(self, side: int, u: np.ndarray) -> np.ndarray:
        """Beyond an edge, within the window."""
        near, far = self._reach(side, self.window)
        scale, sign = self.scale[side], (-1.0, 1.0)[side]
        a, b = np.exp(-near / scale), np.exp(-far / scale)
        beyond = -scale * np.log(np.maximum(a - u * (a - b), 1e-300))
        if self.step:  # points lie half a step beyond the edge, then a step apart
            beyond = np.floor(beyond / self.step + 1e-9) * self.step + self.step / 2
        return self._edge(side) + sign * beyond

    def _reach(self, side: int, window: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """How far beyond an edge a window begins and ends."""
        low, high = window
        edge = self._edge(side)
        near, far = (edge - high, edge - low) if side == 0 else (low - edge, high - edge)
        return max(near, 0.0), max(far, 0.0)

    def places(self) -> np.ndarray:
        middles = (self.edges[:-1] + self.edges[1:]) / 2
        ends = self._edge(0) - self.scale[0], self._edge(1) + self.scale[1]
        return np.concatenate([[ends[0]], middles, [ends[1]], self._own])[self._raw]

    # Evidence

    def limited(self, limit: Limit) -> tuple[NumberAxis, np.ndarray]:
        low, high = limit.low, limit.high
        inside = (self.points >= low) & (self.points <= high)
        if limit.values is not None:
            return self._among(np.asarray(limit.values))
        if self.step:  # whole cells of the grid
            low, high = (
                (np.ceil(low / self.step - 1e-9) - 0.5) * self.step,
                (np.floor(high / self.step + 1e-9) + 0.5) * self.step,
            )
            inside = (self.points > low) & (self.points < high)
        window = np.array([max(low, self.window[0]), min(high, self.window[1])])
        share = np.where(inside, self.share, 0.0)
        even = self.even * self._fraction(window)
        axis = NumberAxis(self.edges, even, self.scale, self.points, self.state, share, self.grid, window)
        mass = np.bincount(self.state, share, minlength=len(self._ends)).astype(float)
        mass[: self.bins] += even
        return axis, mass[self._raw]

    def _fraction(self, window: np.ndarray) -> np.ndarray:
        """(M,) how much of the even part of each bin lies within a window."""
        clipped = np.clip(self.edges, *window)
        full = np.diff(self._ranks(self.edges)) if self.step else np.diff(self.edges)
        part = np.diff(self._ranks(clipped)) if self.step else np.diff(clipped)
        out = np.ones(self.bins)
        out[1:-1] = part / np.maximum(full, 1e-300)
        for side, at in ((0, 0), (1, -1)):
            near, far = self._reach(side, window)
            out[at] = np.exp(-near / self.scale[side]) - np.exp(-far / self.scale[side])
        return out

    def _among(self, values: np.ndarray) -> tuple[NumberAxis, np.ndarray]:
        """Within a set: its values become points, and nothing else has a share."""
        states, within = self.encode(values)
        share = np.exp(within)
        kept = ~np.isin(self.points, values)
        points = np.concatenate([self.points[kept], values])
        order = np.argsort(points)
        state = np.concatenate([self.state[kept], self._raw[states]])[order]
        shares = np.concatenate([np.zeros(int(kept.sum())), share])[order]
        even = np.zeros_like(self.even)
        axis = NumberAxis(self.edges, even, self.scale, points[order], state, shares, self.grid, self.window)
        return axis, np.bincount(states, share, minlength=self.size)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(*(arrays[name] for name in FIELDS))
