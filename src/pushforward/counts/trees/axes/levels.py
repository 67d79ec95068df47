"""Categories as an axis: a state for each frequent level, and shared ones for the rare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from pushforward.counts.trees.axes.axis import Axis, pick
from pushforward.limits import Limit


class LevelAxis(Axis):
    """Levels as states; the rarest share states, within which they keep their shares.

    Args:
        state: (L,) the state of each level.
        share: (L,) its probability within the state.

    >>> axis = LevelAxis.of(np.array([50.0, 2, 40, 1, 1]), most=3)
    >>> axis.encode(np.array([0, 2, 4, -1]))[0].tolist()
    [0, 1, 2, -1]
    """

    def __init__(self, state: np.ndarray, share: np.ndarray):
        self.state, self.share = state, share
        self.size = int(state.max()) + 1
        self._order = np.argsort(state, kind="stable")
        self._ends = np.cumsum(np.bincount(state, minlength=self.size))

    @classmethod
    def of(cls, counts: np.ndarray, most: int) -> Self:
        """From how often each level occurs; at most `most` states."""
        levels = len(counts)
        if levels <= most:
            return cls(np.arange(levels), np.ones(levels))
        own = np.sort(np.argsort(-counts, kind="stable")[: most - 1])
        state = np.full(levels, most - 1)
        state[own] = np.arange(most - 1)
        share = np.where(state == most - 1, counts + 0.5, 1.0)
        share[state == most - 1] /= share[state == most - 1].sum()
        return cls(state, share)

    def encode(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = values >= 0
        at = np.where(known, values, 0)
        return np.where(known, self.state[at], -1), np.where(known, np.log(self.share[at]), 0.0)

    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        starts = self._ends - np.bincount(self.state, minlength=self.size)
        found = pick(self.share[self._order], rng.random(len(states)), starts[states], self._ends[states])
        return self._order[found]

    def places(self) -> None:
        return None

    def limited(self, limit: Limit) -> tuple[LevelAxis, np.ndarray]:
        inside = np.zeros(len(self.state), bool)
        inside[np.asarray(limit.values, int)] = True
        share = np.where(inside, self.share, 0.0)
        return LevelAxis(self.state, share), np.bincount(self.state, share, minlength=self.size)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"state": self.state, "share": self.share}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["state"], arrays["share"])
