"""What trees of n-grams say of texts: how probable they are, and how they go on; in each category or in all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pushforward.counts.ngrams.kneser_ney import Level, Tree

END, UNKNOWN = 0, 1  # symbols of every vocabulary


@dataclass(frozen=True)
class Contexts:
    """Where n texts stand: the n-grams that they end with, by length, in the tree of all and in that of a category."""

    all: list[np.ndarray]
    own: list[np.ndarray] | None

    def take(self, rows: np.ndarray) -> Contexts:
        """Those of some texts."""
        return Contexts([c[rows] for c in self.all], None if self.own is None else [c[rows] for c in self.own])


@dataclass(frozen=True)
class Language:
    """p(symbol | context), and p(symbol | context, category) where texts have one.

    In a category, a context backs off to two at once, by the mean of both: to the shorter context in the category and
    to the same context in all texts (the parallel backoff of Bilmes and Kirchhoff, Factored language models and
    generalized parallel backoff, NAACL 2003). Where a context is not known at all, both are the shorter one.

    Attributes:
        all: the tree of all texts.
        own: a tree a category, side by side.
        halves: whether the shorter context counts as much as all texts; else all texts alone.
    """

    all: Tree
    own: Tree | None = None
    halves: bool = True

    # How probable

    def log_probabilities(self, stream: np.ndarray, categories: int) -> np.ndarray:
        """(categories or 1, T - 1) log p of each symbol after the first of a stream, in which 0 divides texts."""
        uniform = np.full(len(stream) - 1, 1.0 / self.all.size)
        grams = self.all.trace(stream)
        levels = [uniform]
        for level, context, gram in self._steps(self.all, grams):
            levels.append(level.values[gram] + level.backoff[context] * levels[-1])
        if self.own is None:
            return np.log(levels[-1])[None]
        known = [level.seen[context] for level, context, _ in self._steps(self.all, grams)]
        out = np.empty((categories, len(uniform)))
        for category in range(categories):
            p = uniform
            steps = self._steps(self.own, self.own.trace(stream, category))
            for m, (level, context, gram) in enumerate(steps):
                lower = np.where(known[m], self._share(m) * p + (1 - self._share(m)) * levels[m + 1], p)
                p = level.values[gram] + level.backoff[context] * lower
            np.log(p, out=out[category])
        return out

    def _share(self, m: int) -> float:
        """Of the shorter context in the category; none of the uniform distribution, which knows no category."""
        return 0.5 if self.halves and m > 0 else 0.0

    @staticmethod
    def _steps(tree: Tree, grams: list[np.ndarray]) -> list[tuple[Level, np.ndarray, np.ndarray]]:
        """By length: the level, the contexts and the n-grams of all symbols but the first."""
        return [(level, grams[m][:-1] if m else grams[0][1:], grams[m + 1][1:]) for m, level in enumerate(tree.levels)]

    # How it goes on

    def contexts(self, prefixes: np.ndarray, categories: np.ndarray | None) -> Contexts:
        """After (n, order - 1) symbols, padded on the left by 0; a text begins with a 0."""
        n = len(prefixes)
        here = Contexts(
            self.all.start(n), None if self.own is None or categories is None else self.own.start(n, categories)
        )
        for symbols in prefixes.T:
            here = self.advance(here, symbols)
        return here

    def advance(self, here: Contexts, symbols: np.ndarray) -> Contexts:
        """After one more symbol of each text."""
        own = None if here.own is None or self.own is None else self.own.advance(here.own, symbols)
        return Contexts(self.all.advance(here.all, symbols), own)

    def distributions(self, here: Contexts) -> np.ndarray:
        """(n, size) p of each symbol that may come next."""
        n = len(here.all[0])
        p = np.full((n, self.all.size), 1.0 / self.all.size)
        levels = [p]
        for level, context in zip(self.all.levels, here.all, strict=True):
            levels.append(_spread(level, context, levels[-1], self.all.size))
        if here.own is None or self.own is None:
            return levels[-1]
        for m, (level, context) in enumerate(zip(self.own.levels, here.own, strict=True)):
            known = self.all.levels[m].seen[here.all[m]][:, None]
            lower = np.where(known, self._share(m) * p + (1 - self._share(m)) * levels[m + 1], p)
            p = _spread(level, context, lower, self.all.size)
        return p

    def draw(
        self, here: Contexts, generator: torch.Generator, temperature: float = 1.0, ends: bool = True
    ) -> np.ndarray:
        """(n,) symbols that come next, none of them unknown; p(symbol)^(1 / temperature), if that is not 1.

        Where no text `ends`, they are drawn given that they are not the end.
        """
        if temperature != 1.0 or not ends:
            p = self.distributions(here)
            p[:, UNKNOWN] = 0.0
            p[:, END] *= ends
            with np.errstate(divide="ignore"):
                log = np.log(p) / temperature
            sums = np.cumsum(np.exp(log - log.max(1, keepdims=True)), axis=1)
            u = _uniform(len(p), generator)[:, None] * sums[:, -1:]
            return (sums <= u).sum(1).clip(max=self.all.size - 1)
        out = np.full(len(here.all[0]), UNKNOWN)
        while (open_ := np.flatnonzero(out == UNKNOWN)).size:
            out[open_] = self._drawn(here.take(open_), generator)
        return out

    def _drawn(self, here: Contexts, generator: torch.Generator) -> np.ndarray:
        """Symbols, by going from context to shorter context until one of the counted symbols is drawn."""
        n = len(here.all[0])
        out = np.full(n, -1)
        enter = np.full(n, self.all.order)  # the level at which a text comes to the tree of all; 0: not at all
        if self.own is not None and here.own is not None:
            enter[:] = 0
            inside = np.ones(n, bool)
            for m in range(self.all.order - 1, -1, -1):
                _pick(self.own.levels[m], here.own[m], inside & (out < 0), out, self.all.size, generator)
                leave = self.all.levels[m].seen[here.all[m]] & (_uniform(n, generator) >= self._share(m))
                leave &= inside & (out < 0)
                enter[leave] = m + 1
                inside &= ~leave
        for m in range(self.all.order - 1, -1, -1):
            _pick(self.all.levels[m], here.all[m], (enter > m) & (out < 0), out, self.all.size, generator)
        anything = (_uniform(n, generator) * self.all.size).astype(np.int64)
        return np.where(out < 0, anything, out)


def _pick(
    level: Level, contexts: np.ndarray, able: np.ndarray, out: np.ndarray, size: int, generator: torch.Generator
) -> None:
    """Draw the counted symbols of contexts, each with its value; where the rest of 1 is drawn, `out` stays."""
    u = _uniform(len(out), generator)
    rows = np.flatnonzero(able & level.seen[contexts])
    rows = rows[u[rows] >= level.backoff[contexts[rows]]]
    if not rows.size:
        return
    first, last = level.starts[contexts[rows]], level.starts[contexts[rows] + 1]
    back = level.backoff[contexts[rows]]
    share = (u[rows] - back) / (1 - back)
    low, high = level.cumulated[first], level.cumulated[last]
    at = np.searchsorted(level.cumulated, low + share * (high - low), side="right") - 1
    out[rows] = level.keys[at.clip(first, last - 1)] % size


def _spread(level: Level, contexts: np.ndarray, lower: np.ndarray, size: int) -> np.ndarray:
    """(n, size) the values of all n-grams of contexts above what the shorter ones give."""
    p = level.backoff[contexts][:, None] * lower
    rows = np.flatnonzero(level.seen[contexts])
    first, last = level.starts[contexts[rows]], level.starts[contexts[rows] + 1]
    many = last - first
    grams = np.arange(many.sum()) + np.repeat(first - np.concatenate([[0], np.cumsum(many)[:-1]]), many)
    p[np.repeat(rows, many), level.keys[grams] % size] += level.values[grams]
    return p


def _uniform(n: int, generator: torch.Generator) -> np.ndarray:
    return torch.rand(n, generator=generator, dtype=torch.float64).numpy()
