"""A language and its vocabulary together: strings in, strings out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from pushforward.counts.ngrams.language import END, UNKNOWN, Language
from pushforward.counts.ngrams.vocabulary import TOGETHER, Vocabulary, pieces, sizes_of, stream_of
from pushforward.errors import ArgumentError


@dataclass(frozen=True)
class Texts:
    """p(text | category) over strings.

    Attributes:
        vocabulary: what the symbols are.
        language: how they follow each other.
        categories: how many there are; 0: none.
    """

    vocabulary: Vocabulary
    language: Language
    categories: int

    def log_probability(self, texts: pa.Array, *, prefix: bool = False) -> np.ndarray:
        """(n, categories or 1) nats of texts, or of beginning so; 0 for a text that is missing."""
        out = np.zeros((len(texts), max(1, self.categories)))
        there = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
        for rows in pieces(there, sizes_of(texts), TOGETHER // out.shape[1] + 1):
            codes, lengths, extra = self.vocabulary.read(texts.take(pa.array(rows)))
            found = self.language.log_probabilities(stream_of(codes, lengths), self.categories)
            ends = np.cumsum(lengths + 1) - 1
            if prefix:
                found[:, ends] = 0.0
            out[rows] = np.add.reduceat(found, ends - lengths, axis=1).T + extra[:, None]
        return out

    def go_on(
        self, prefixes: pa.Array, categories: np.ndarray | None, generator: torch.Generator,
        longest: int, temperature: float, full: bool = False,
    ) -> list[str]:  # fmt: skip
        """Texts that begin with these prefixes (a missing one is empty) and go on until they end or are `longest`.

        If they shall be `full` they go on until they are: symbol by symbol, given that the text does not end there.
        """
        if full and not self.vocabulary.symbols():
            raise ArgumentError(f"length={longest} cannot be drawn, as only empty texts were seen; leave it out")
        n, width = len(prefixes), self.language.all.order - 1
        prefixes = prefixes.fill_null("")
        codes, lengths, _ = self.vocabulary.read(prefixes)
        padded = np.concatenate([np.zeros(width, np.int64), stream_of(codes, lengths)])
        last = np.cumsum(lengths + 1) + width - 1  # where each prefix ends
        before = last[:, None] - np.arange(width)[::-1]
        inside = before >= (last - lengths)[:, None]
        here = self.language.contexts(np.where(inside, padded[before], END), categories)
        open_, steps = np.arange(n), []
        for _ in range(longest):
            symbols = self.language.draw(here, generator, temperature, ends=not full)
            column = np.full(n, END)
            column[open_] = symbols
            steps.append(column)
            goes_on = np.flatnonzero(symbols != END)
            if not goes_on.size:
                break
            open_ = open_[goes_on]
            here = self.language.advance(here.take(goes_on), symbols[goes_on])
        drawn = np.stack(steps, 1)
        ends = np.where((drawn == END).any(1), (drawn == END).argmax(1), drawn.shape[1])
        return self.vocabulary.write([row[:end] for row, end in zip(drawn, ends, strict=True)], prefixes.to_pylist())

    def following(self, prefix: str, category: int | None) -> dict[str, float]:
        """What may come after a prefix, the most probable first; '' stands for the end."""
        codes, _, _ = self.vocabulary.read(pa.array([prefix], pa.string()))
        width = self.language.all.order - 1
        before = np.concatenate([np.zeros(width, np.int64), codes])[None, len(codes) :]
        here = self.language.contexts(before, None if category is None else np.array([category]))
        p = self.language.distributions(here)[0]
        names = ["", None, *self.vocabulary.symbols()]
        return {names[i]: float(p[i]) for i in np.argsort(-p, kind="stable") if i != UNKNOWN}
