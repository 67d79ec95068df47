"""What is counted in records of a text and perhaps a category: a sum over chunks, and all that a model keeps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.counts.ngrams.counting import Counter
from pushforward.counts.ngrams.vocabulary import Characters, Vocabulary, Words, pieces, sizes_of, stream_of
from pushforward.data import Category, Records, Schema, Text
from pushforward.errors import FormatError

VOCABULARIES: dict[str, type[Vocabulary]] = {"character": Characters, "word": Words}


class Corpus:
    """Counts of n-grams, of categories and of holes.

    Args:
        schema: one text, and at most one category.
        order: symbols that are counted together.
        unit: what a symbol is.

    Attributes:
        vocabulary: the symbols that were seen.
        levels: (categories + 1, 2) weights of the records of each category, and of those without; with a text, and
            with a hole in its place.
    """

    def __init__(self, schema: Schema, order: int, unit: str):
        self.text = schema.of_kind(Text)[0]
        self.category = next(iter(schema.of_kind(Category)), None)
        self.vocabulary = VOCABULARIES[unit]()
        self.levels = np.zeros((1 + self.categories, 2))
        self._counter = Counter(order)

    @property
    def categories(self) -> int:
        """How many categories there are; 0 where records have none."""
        return 0 if self.category is None else len(self.category.values)

    def observe(self, chunk: Records, weights: np.ndarray | None) -> None:
        """Add records, each as often as its weight says."""
        texts = chunk.column(self.text.name).combine_chunks()
        share = np.ones(len(chunk)) if weights is None else weights
        codes, there = self.codes(chunk), texts.is_valid().to_numpy(zero_copy_only=False)
        np.add.at(self.levels, (codes, (~there).astype(int)), share)
        able = there & (share > 0)  # what has no weight teaches no symbol either
        for rows in pieces(np.flatnonzero(able), sizes_of(texts)):
            symbols, lengths = self.vocabulary.learn(texts.take(pa.array(rows)))
            labels: np.ndarray | int = 0
            if self.category is not None:
                labels = np.repeat((codes[rows] + 1) % (self.categories + 1), lengths + 1)  # 0 where it is not known
            repeated = None if weights is None else np.repeat(share[rows], lengths + 1)
            self._counter.add(stream_of(symbols, lengths)[1:], labels, repeated)

    def codes(self, records: Records) -> np.ndarray:
        """(n,) positions of the categories; one beyond the last where they are not known."""
        if self.category is None or self.category.name not in records.names:
            return np.full(len(records), self.categories)
        values = pa.array(self.category.values, self.category.arrow_type)
        found = pc.index_in(records.column(self.category.name), values)
        return found.fill_null(self.categories).to_numpy().astype(np.int64)

    def settle(self) -> None:
        """Number the symbols in order, so that they do not depend on which came first."""
        rows, counts = self._counter.table()
        new = self.vocabulary.ordered()
        rows[:, 1:] = new[rows[:, 1:]]
        order = np.lexsort(rows.T[::-1])
        self._counter.restore(rows[order], counts[order])

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """(m, order + 1) category + 1 (0: not known) and symbols of each n-gram that occurs, and (m,) how often."""
        return self._counter.table()

    def state(self) -> dict[str, Tensor]:
        """All that was counted."""
        rows, counts = self.table()
        return {
            "vocabulary": self.vocabulary.state(),
            "grams": torch.from_numpy(rows),
            "counts": torch.from_numpy(counts),
            "levels": torch.from_numpy(self.levels),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave.

        Raises:
            FormatError: it holds symbols, categories or counts that cannot be.
        """
        self.vocabulary.restore(state["vocabulary"])
        rows, counts, self.levels = (state[name].numpy() for name in ("grams", "counts", "levels"))
        if len(rows) and (
            rows.min() < 0 or rows[:, 0].max() > self.categories or rows[:, 1:].max() >= len(self.vocabulary)
        ):
            raise FormatError("the n-grams name symbols or categories that there are not; copy the model again")
        if not all(np.isfinite(a).all() and (a >= 0).all() for a in (counts, self.levels)):
            raise FormatError("the counts are not numbers of at least 0; copy the model again")
        self._counter.restore(rows, counts)
