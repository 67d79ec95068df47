"""States in two digits, so that a tree need not tell thousands apart."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

FEW = 64  # states that are told at once
GROUPS = 32  # that more states are put in, at least
COARSE = 32  # classes of another variable by whose company levels are put in order
PRIOR = 3.0  # records' worth of everyone's company


@dataclass(frozen=True)
class Digits:
    """Each of S states as a group, and a place in it; with few states each is a group of its own.

    What is not told of the second digit is left to its group, so that a number stays near where it was told to be.

    Attributes:
        group: (S,) the first digit.
        place: (S,) the second.
    """

    group: np.ndarray
    place: np.ndarray

    @functools.cached_property
    def sizes(self) -> np.ndarray:
        """(G,) states of each group."""
        return np.bincount(self.group)

    @functools.cached_property
    def members(self) -> list[np.ndarray]:
        """The states of each group, by their places."""
        return np.split(self._order, np.cumsum(self.sizes)[:-1])

    def state(self, group: np.ndarray, place: np.ndarray) -> np.ndarray:
        """(n,) the states that two digits name."""
        return self._order[self._starts[group] + place]

    @functools.cached_property
    def _order(self) -> np.ndarray:
        return np.lexsort((self.place, self.group))

    @functools.cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum(self.sizes) - self.sizes

    @classmethod
    def of(cls, order: np.ndarray, counts: np.ndarray, alone: int) -> Self:
        """Groups of about equal mass along a line.

        Args:
            order: (S,) the states in the order in which they lie on it.
            counts: (S,) mass of each.
            alone: how many of the last states (a hole) are a group each.

        >>> Digits.of(np.arange(3), np.ones(3), 0).group.tolist()
        [0, 1, 2]
        """
        size = len(order)
        if size <= FEW:
            return cls(np.arange(size), np.zeros(size, np.int64))
        line = order[order < size - alone]
        many = max(GROUPS, int(np.ceil(size**0.5)))
        mass = counts[line] + 1e-9
        middle = (np.cumsum(mass) - mass / 2) / mass.sum()
        group, place = np.empty(size, np.int64), np.zeros(size, np.int64)
        group[line] = np.unique(np.minimum((middle * many).astype(np.int64), many - 1), return_inverse=True)[1]
        group[size - alone :] = group[line].max() + 1 + np.arange(alone)
        starts = np.flatnonzero(np.diff(group[line], prepend=-1))
        place[line] = np.arange(len(line)) - np.repeat(starts, np.diff([*starts, len(line)]))
        return cls(group, place)


def company(states: np.ndarray, weight: np.ndarray, v: int, sizes: Sequence[int]) -> np.ndarray:
    """(S_v,) the states of a variable without an order, those next to each other that keep the same company.

    The first principal component of the square roots of what other variables are beside each.

    Args:
        states: (n, V).
        weight: (n,) of the records.
        v: the variable.
        sizes: states of each.
    """
    mine, own, columns = states[:, v], np.bincount(states[:, v], weight, minlength=sizes[v]), []
    for u, size in enumerate(sizes):
        if u == v:
            continue
        classes = _coarse(states[:, u], size)
        table = np.bincount(mine * COARSE + classes, weight, minlength=sizes[v] * COARSE).reshape(-1, COARSE)
        table = (table + PRIOR * table.sum(0) / weight.sum()) / (table.sum(1, keepdims=True) + PRIOR)
        columns.append(np.sqrt(table))
    if not columns:
        return np.arange(sizes[v])
    beside = np.concatenate(columns, 1)
    beside -= own @ beside / own.sum()
    scaled = beside * np.sqrt(own)[:, None]
    direction = upright(np.linalg.eigh(scaled.T @ scaled)[1][:, -1:])[:, 0]
    return np.argsort(beside @ direction, kind="stable")


def upright(directions: np.ndarray) -> np.ndarray:
    """(k, d) directions with the sign that makes the largest number of each positive: no library's choice decides."""
    largest = np.abs(directions).argmax(0)
    return directions * np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1.0, 1.0)


def _coarse(states: np.ndarray, size: int) -> np.ndarray:
    """The most frequent states as they are, all others as one."""
    if size <= COARSE:
        return states
    counts = np.bincount(states, minlength=size)
    often = np.argsort(-counts, kind="stable")[: COARSE - 1]
    rank = np.full(size, COARSE - 1)
    rank[often] = np.arange(len(often))
    return rank[states]
