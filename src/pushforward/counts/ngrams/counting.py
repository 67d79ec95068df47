"""Counting n-grams of a stream in memory that depends on how many different ones there are."""

from __future__ import annotations

import numpy as np

from pushforward.counts.ngrams.packing import Packing, tally

BLOCK = 1 << 20  # windows that are sorted together: their keys fit in a cache
PENDING = 1 << 22  # counted keys that wait to be merged, at least


class Counter:
    """How often each window of `order` codes occurs in texts, and under which label.

    Blocks are sorted and counted on their own; what they give is merged when it has grown as large as all that was
    counted before, so that a key is merged a logarithmic number of times.

    Args:
        order: codes in a window.
        bits: of a code, to begin with; they grow with the codes that come.
    """

    def __init__(self, order: int, bits: int = 7):
        self.order = order
        self.packing = Packing(bits, order + 1)
        self.keys = np.zeros((self.packing.columns, 0), np.int64)
        self.counts = np.zeros(0)
        self._pending: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, stream: np.ndarray, labels: np.ndarray | int = 0, weights: np.ndarray | None = None) -> None:
        """Count the windows of texts, each of which ends with a 0.

        Args:
            stream: (T,) codes, without the 0 that stands before the first text.
            labels: (T,) or one for all: a code that stands in front of each window.
            weights: (T,) how much each window counts; None: once.
        """
        top = max(int(stream.max(initial=0)), int(np.max(labels, initial=0)))
        self._widen(top.bit_length())
        padded = np.concatenate([np.zeros(self.order - 1, stream.dtype), stream])
        column, shift = self.packing.place(0)
        for start in range(0, len(stream), BLOCK):
            stop = min(start + BLOCK, len(stream))
            keys = self.packing.windows(padded[start : stop + self.order - 1], self.order)
            if isinstance(labels, np.ndarray):
                keys[column] |= labels[start:stop].astype(np.int64) << shift
            elif labels:
                keys[column] |= labels << shift
            self._pending.append(tally(keys, None if weights is None else weights[start:stop]))
            if sum(len(counts) for _, counts in self._pending) > max(PENDING, len(self.counts)):
                self.merge()

    def merge(self) -> None:
        """Bring all that was counted into one table, sorted."""
        if not self._pending:
            return
        parts = [(self.keys, self.counts), *self._pending]
        self._pending = []
        self.keys, self.counts = tally(
            np.concatenate([keys for keys, _ in parts], 1), np.concatenate([counts for _, counts in parts])
        )

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """(m, order + 1) label and codes of each window that occurs, and (m,) how often."""
        self.merge()
        there = self.counts > 0  # records of weight 0 have not been seen
        return self.packing.unpack(self.keys[:, there]), self.counts[there]

    def restore(self, rows: np.ndarray, counts: np.ndarray) -> None:
        """Go on from what `table` gave."""
        self._widen(int(rows.max(initial=0)).bit_length())
        self.keys, self.counts = self.packing.pack(rows), counts.copy()

    def _widen(self, bits: int) -> None:
        if bits <= self.packing.bits:
            return
        self.merge()
        wider = Packing(bits + 1, self.order + 1)
        self.keys = wider.pack(self.packing.unpack(self.keys))
        self.packing = wider
