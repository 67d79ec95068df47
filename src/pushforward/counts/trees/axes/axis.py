"""What every axis answers: the state of a value, its distribution within the state, and draws of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

import numpy as np

from pushforward.limits import Limit


class Axis(ABC):
    """One variable as S states, and a distribution of its values within each state: p(x) = p(s) p(x | s).

    Attributes:
        size: S.
    """

    size: int

    @abstractmethod
    def encode(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) states of values, -1 where unknown (NaN or -1), and (n,) log p(value | state), 0 where unknown."""

    @abstractmethod
    def draw(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n,) one value for each state, from its distribution."""

    @abstractmethod
    def places(self) -> np.ndarray | None:
        """(S,) where on the line each state lies; None where its values have no order."""

    @abstractmethod
    def limited(self, limit: Limit) -> tuple[Axis, np.ndarray]:
        """The axis within a limit, and (S,) how much of each state lies in it."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """All that it is, as arrays."""

    @classmethod
    @abstractmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""


def pick(probabilities: np.ndarray, u: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Which of a run of probabilities starts … ends each uniform number u falls on, in proportion to them."""
    total = np.concatenate([[0.0], np.cumsum(probabilities)])
    below, above = total[starts], total[ends]
    found = np.searchsorted(total, below + u * (above - below), side="right") - 1
    return np.clip(found, starts, np.maximum(ends - 1, starts))
