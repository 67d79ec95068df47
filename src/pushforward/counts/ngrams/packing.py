"""Rows of small whole numbers packed into as few integers as hold them, and counted by sorting those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BITS = 63  # of an integer that is not negative


@dataclass(frozen=True)
class Packing:
    """How rows of `width` codes of `bits` bits each lie in columns of 63 bits, so that columns sort as rows do.

    Attributes:
        bits: of one code.
        width: codes in a row; the last one has the lowest bits of the last column.
    """

    bits: int
    width: int

    @property
    def per(self) -> int:
        """Codes in a column."""
        return BITS // self.bits

    @property
    def columns(self) -> int:
        """Integers in a row."""
        return -(-self.width // self.per)

    def place(self, position: int) -> tuple[int, int]:
        """The column of the code at a position of the row, and by how many bits it is shifted there."""
        behind = self.width - 1 - position
        return self.columns - 1 - behind // self.per, self.bits * (behind % self.per)

    def pack(self, rows: np.ndarray) -> np.ndarray:
        """(columns, n) keys of (n, width) codes."""
        keys = np.zeros((self.columns, len(rows)), np.int64)
        for position in range(self.width):
            column, shift = self.place(position)
            keys[column] |= rows[:, position].astype(np.int64) << shift
        return keys

    def unpack(self, keys: np.ndarray) -> np.ndarray:
        """(n, width) codes of (columns, n) keys."""
        rows = np.empty((keys.shape[1], self.width), np.int32)
        for position in range(self.width):
            column, shift = self.place(position)
            rows[:, position] = (keys[column] >> shift) & ((1 << self.bits) - 1)
        return rows

    def windows(self, stream: np.ndarray, order: int) -> np.ndarray:
        """(columns, n - order + 1) keys of all windows of `order` codes; what stands before a 0 is hidden behind it.

        The last code of a window may be 0 without hiding the others: a text ends, it does not begin.
        """
        n = len(stream) - order + 1
        keys = np.zeros((self.columns, n), np.int64)
        for position in range(order):
            column, shift = self.place(self.width - order + position)
            part = stream[position : position + n]
            if shift:
                keys[column] |= part.astype(np.int64) << shift
            else:
                keys[column] |= part
        ends = np.flatnonzero(stream == 0) - (order - 1)  # as positions of the windows that end there
        for distance in range(1, order):
            at = ends + distance
            at = at[(at >= 0) & (at < n)]
            for column in range(self.columns):
                kept = min(self.per, max(0, distance - (self.columns - 1 - column) * self.per))
                keys[column, at] &= (1 << self.bits * kept) - 1
        return keys


def tally(keys: np.ndarray, amounts: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(columns, m) different keys in order, and (m,) how often each occurs, or what the amounts of each add up to."""
    if keys.shape[1] == 0:
        return keys, np.zeros(0)
    if amounts is None and len(keys) == 1:
        ordered = np.sort(keys, axis=1)
        starts = _starts(ordered)
        return ordered[:, starts], np.diff(starts, append=ordered.shape[1]).astype(np.float64)
    order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    ordered = keys[:, order]
    starts = _starts(ordered)
    if amounts is None:
        return ordered[:, starts], np.diff(starts, append=ordered.shape[1]).astype(np.float64)
    return ordered[:, starts], np.add.reduceat(amounts[order], starts)


def _starts(ordered: np.ndarray) -> np.ndarray:
    """Where another key begins."""
    new = ordered[0, 1:] != ordered[0, :-1]
    for column in ordered[1:]:
        new |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(new) + 1])
