"""Counts of n-grams smoothed into probabilities: a tree of contexts, each of which backs off to a shorter one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.counts.ngrams.packing import Packing, tally

FALLBACK = (0.5, 1.0, 1.5)  # discounts where the counts of counts give none

Discounts = Callable[[np.ndarray], tuple[float, float, float]]


def discounts(counts: np.ndarray) -> tuple[float, float, float]:
    """The three discounts of modified Kneser–Ney from how many n-grams occur once, twice, three and four times.

        Y = n₁ / (n₁ + 2 n₂),   D_j = j - (j + 1) Y n_{j+1} / n_j

    Where one of the counts of counts is 0, or a discount is not positive, all three are ½, 1 and 1½, so that
    something is left for what was not seen.

    Source: Chen and Goodman, An empirical study of smoothing techniques for language modeling, 1998, TR-10-98.

    >>> discounts(np.array([1.0] * 8 + [2.0] * 2 + [3.0] + [4.0]))
    (0.6666666666666667, 1.0, 0.3333333333333335)
    """
    n = np.bincount(np.clip(np.rint(counts), 0, 5).astype(np.int64), minlength=6)[1:5].astype(float)
    if (n[:4] == 0).any():
        return FALLBACK
    y = n[0] / (n[0] + 2 * n[1])
    one, two, three = (float(j - (j + 1) * y * n[j] / n[j - 1]) for j in (1, 2, 3))
    return (one, two, three) if min(one, two, three) > 0 else FALLBACK


@dataclass(frozen=True)
class Level:
    """The n-grams of one length, and the contexts (n-grams one shorter) that they follow.

    Attributes:
        keys: (n,) context · size + last symbol, in order; an n-gram is known by its position.
        values: (n + 1,) what is left of its share of the context after the discount; the last is 0, for position -1.
        backoff: (contexts + 1,) what the context leaves to shorter ones: 1 where nothing follows it, and at the end.
        seen: (contexts + 1,) whether anything was counted after it; not at the end.
        starts: (contexts + 1,) where the n-grams of a context begin.
        cumulated: (n + 1,) sums of the values before each.
    """

    keys: np.ndarray
    values: np.ndarray
    backoff: np.ndarray
    seen: np.ndarray
    starts: np.ndarray
    cumulated: np.ndarray

    @classmethod
    def of(cls, keys: np.ndarray, values: np.ndarray, backoff: np.ndarray, seen: np.ndarray, size: int) -> Level:
        """With what follows from the rest, and an entry at the end for what is not known."""
        starts = np.searchsorted(keys, np.arange(len(backoff) + 1) * size)
        sums = np.concatenate([[0.0], np.cumsum(values)])
        return cls(keys, np.append(values, 0.0), np.append(backoff, 1.0), np.append(seen, False), starts, sums)

    def find(self, contexts: np.ndarray, symbols: np.ndarray, size: int) -> np.ndarray:
        """(n,) the n-grams that these symbols make after these contexts; -1 where there is none."""
        if not len(self.keys):
            return np.full(len(symbols), -1)
        keys = contexts * size + symbols
        at = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where((contexts >= 0) & (self.keys[at] == keys), at, -1)


@dataclass(frozen=True)
class Tree:
    """N-grams of all lengths up to the order.

    Attributes:
        size: symbols that there are; 0 ends a text and stands before it, 1 is all that is unknown.
        roots: trees that stand side by side, such as one a category.
        levels: the n-grams by their length, from 1.
    """

    size: int
    roots: int
    levels: tuple[Level, ...]

    @classmethod
    def grown(
        cls, labels: np.ndarray, rows: np.ndarray, counts: np.ndarray, *, size: int, roots: int,
        k: float | None = None, discount: Discounts = discounts,
    ) -> Tree:  # fmt: skip
        """Smooth counts.

        Interpolated Kneser–Ney: with a the count of an n-gram, or for shorter ones the number of different symbols
        before it (n-grams at the beginning of a text, before which is nothing, keep their counts), and • any symbol,

            p(w | context) = (a(context w) - D(a)) / a(context •) + γ(context) p(w | context without its first)

        down to the uniform distribution; γ is what the discounts leave. Between whole numbers, which weights make,
        discounts are interpolated. With k instead, (c + k) / (c(context •) + k size), without shorter contexts.

        Args:
            labels: (n,) the root of each n-gram.
            rows: (n, order) its symbols; it begins at the last 0 of its context.
            counts: (n,) how often it was seen.
            size: of the vocabulary, with end and unknown.
            roots: how many trees.
            k: pseudo-counts of each symbol in each context; None: Kneser–Ney.
            discount: from the counts of a level to its discounts.

        Sources: Kneser and Ney, Improved backing-off for m-gram language modeling, ICASSP 1995; Chen and Goodman
        1998, TR-10-98; for the beginnings Heafield et al., Scalable modified Kneser-Ney, ACL 2013.
        """
        whole = _lengths(labels, rows, counts, k is None, max(size, roots))
        levels: list[Level] = []
        contexts = roots
        for grams, amounts in whole:
            above = grams[:, 0].astype(np.int64)
            for level, symbols in zip(levels, grams.T[1:-1], strict=True):
                above = level.find(above, symbols, size)
            total = np.bincount(above, amounts, contexts)
            seen = total > 0
            safe = np.where(seen, total, 1.0)
            if k is None:
                taken = np.interp(amounts, [0, 1, 2, 3], [0.0, *discount(amounts)])
                backoff = np.bincount(above, taken, contexts) / safe
                values = (amounts - taken) / safe[above]
            else:
                backoff = k * size / (safe + k * size)
                values = amounts / (safe + k * size)[above]
            backoff = np.where(seen, backoff, 1.0)
            levels.append(Level.of(above * size + grams[:, -1], values, backoff, seen, size))
            contexts = len(grams)
        return cls(size, roots, tuple(levels))

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.levels)

    def trace(self, stream: np.ndarray, root: int = 0) -> list[np.ndarray]:
        """By length, (T,) the n-grams that end at each symbol of a stream; the root for length 0."""
        out = [np.full(len(stream), root)]
        for level in self.levels:
            before = np.concatenate([[-1], out[-1][:-1]]) if len(out) > 1 else out[0]
            out.append(level.find(before, stream, self.size))
        return out

    def start(self, n: int, roots: np.ndarray | int = 0) -> list[np.ndarray]:
        """The contexts of n texts of which nothing is known, by length."""
        first = np.broadcast_to(np.asarray(roots, np.int64), (n,))
        return [first, *(np.full(n, -1) for _ in range(self.order - 1))]

    def advance(self, contexts: list[np.ndarray], symbols: np.ndarray) -> list[np.ndarray]:
        """The contexts after one more symbol of each text."""
        longer = [level.find(c, symbols, self.size) for level, c in zip(self.levels[:-1], contexts, strict=False)]
        return [contexts[0], *longer]


def _lengths(
    labels: np.ndarray, rows: np.ndarray, counts: np.ndarray, continuation: bool, top: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """By length from 1: (n, 1 + length) label and symbols of the different n-grams in order, and what they count."""
    order, bits = rows.shape[1], max(1, int(top).bit_length())
    empty = (np.cumsum(rows[:, :-1] != 0, axis=1) == 0).sum(1)
    length = np.where(empty > 0, order - empty + 1, order)
    out: list[tuple[np.ndarray, np.ndarray]] = []
    longer: np.ndarray | None = None
    for m in range(order, 0, -1):
        own = length == m
        grams = np.concatenate([labels[own, None], rows[own, order - m :]], 1)
        amounts = counts[own]
        if longer is not None:  # each different symbol before it is one continuation
            short = np.concatenate([longer[:, :1], longer[:, 2:]], 1)
            grams = np.concatenate([grams, short])
            amounts = np.concatenate([amounts, np.full(len(short), float(continuation))])
        longer, amounts = _of_length(grams, amounts, bits)
        out.append((longer, amounts))
    return out[::-1]


def _of_length(grams: np.ndarray, amounts: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The different ones among n-grams, in order, with the sums of what they count."""
    packing = Packing(bits, grams.shape[1])
    keys, sums = tally(packing.pack(grams), amounts)
    return packing.unpack(keys), sums
