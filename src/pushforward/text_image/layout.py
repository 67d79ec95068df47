"""The texts and categories of a record as one row of tokens."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.data import Category, Records, Schema, Text
from pushforward.errors import CaptionWarning
from pushforward.text_image.words import BYTES, END, HOLE, MASK, Words

ROOM = 8  # tokens that a text may be longer than the longest one that was seen, for its end and a word that is spelled
LONGEST = 48  # tokens of a text that are kept
TOLD, SHOWN = 5, 24  # words that a warning names, and characters of them


class Layout:
    """Each text has a stretch of tokens, each category one.

    The tokens are those of `Words`, and after them the levels of each category. `MASK` is what is not known.

    Args:
        schema: whose texts and categories are laid out, in their order.
        words: of all texts.
        lengths: tokens of each text, by field.
    """

    def __init__(self, schema: Schema, words: Words, lengths: Mapping[str, int]):
        self.fields: tuple[Text | Category, ...] = schema.of_kind(Text, Category)
        self.words = words
        widths = [lengths[f.name] if isinstance(f, Text) else 1 for f in self.fields]
        starts = [0, *itertools.accumulate(widths)]
        self.spans = {f.name: slice(*ends) for f, ends in zip(self.fields, itertools.pairwise(starts), strict=True)}
        levels = [len(f.values) if isinstance(f, Category) else 0 for f in self.fields]
        firsts = [len(words), *(len(words) + many for many in itertools.accumulate(levels))]
        self._first = {f.name: first for f, first in zip(self.fields, firsts[:-1], strict=True)}
        self.length, self.symbols = starts[-1], firsts[-1]
        self.widths = {f.name: width for f, width in zip(self.fields, widths, strict=True) if isinstance(f, Text)}
        self.owner = torch.repeat_interleave(torch.arange(len(widths)), torch.tensor(widths, dtype=torch.int64))

    @property
    def sizes(self) -> dict[str, int]:
        """How many tokens a record has, and how many there are, by name."""
        return {"length": self.length, "symbols": self.symbols}

    @staticmethod
    def lengths(records: Records, words: Words) -> dict[str, int]:
        """Tokens that the texts of some records need, by field."""
        out = {}
        for field in records.schema.of_kind(Text):
            found = [len(words.read(text)) for text in records.column(field.name).drop_null().to_pylist()]
            longest = max(found, default=0)
            if longest > LONGEST:
                what = f"texts of {field.name!r} have up to {longest} tokens, of which the first {LONGEST} are learned"
                warnings.warn(f"{what}; shorter ones lose nothing", CaptionWarning, stacklevel=4)
            out[field.name] = min(LONGEST, longest + ROOM)
        return out

    def encode(self, records: Records, *, holes: bool = True, gap: str | None = None) -> Tensor:
        """(n, length) the tokens of records; all `MASK` for fields that the records lack.

        Args:
            records: with some of the fields.
            holes: whether a missing cell is a hole, which is a value like any other, or not known.
            gap: what stands in a text for a word that is not known.
        """
        out = torch.full((len(records), self.length), MASK)
        for field in self.fields:
            if field.name not in records.names:
                continue
            column = records.column(field.name)
            if isinstance(field, Text):
                found = self.words.grid(column.to_pylist(), self.widths[field.name], gap)
            else:
                found = self._levels(column, field)
            if not holes:
                found[torch.from_numpy(column.is_null().to_numpy())] = MASK
            out[:, self.spans[field.name]] = found
        return out

    def _levels(self, column: pa.ChunkedArray, field: Category) -> Tensor:
        found = pc.index_in(column, value_set=pa.array(field.values, field.arrow_type))
        codes = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return torch.from_numpy(np.where(codes < 0, HOLE, self._first[field.name] + codes))[:, None]

    def decode(self, tokens: Tensor) -> dict[str, Any]:
        """The columns that (n, length) tokens stand for, by field."""
        columns: dict[str, Any] = {}
        for field in self.fields:
            own = tokens[:, self.spans[field.name]].cpu().numpy()
            if isinstance(field, Text):
                texts = [None if row[0] == HOLE else self.words.written(row.tolist()) for row in own]
                columns[field.name] = pa.array(texts, pa.string())
            else:
                code = own[:, 0] - self._first[field.name]
                levels = pa.array(field.values, field.arrow_type)
                columns[field.name] = levels.take(pa.array(np.where(code < 0, 0, code), mask=code < 0))
        return columns

    def able(self, *, holes: bool = True) -> Tensor:
        """(length, symbols) bool: the tokens that may stand at each place.

        Args:
            holes: whether fields that may be missing may be.
        """
        out = torch.zeros(self.length, self.symbols, dtype=torch.bool)
        for field in self.fields:
            span = self.spans[field.name]
            if isinstance(field, Text):
                out[span, [END, *range(HOLE + 1, BYTES)]] = True
                out[span, BYTES : len(self.words)] = True
            else:
                first = self._first[field.name]
                out[span, first : first + len(field.values)] = True
            out[span.start, HOLE] = holes and field.missing
        return out

    def wordly(self, tokens: Tensor) -> Tensor:
        """(n, length, symbols) bool: the tokens that may stand at a place, whole words in texts that are known in part.

        Args:
            tokens: (n, length), `MASK` where nothing is known.
        """
        out = torch.ones(*tokens.shape, self.symbols, dtype=torch.bool)
        for name in self.widths:
            own = tokens[:, self.spans[name]]
            begun = (own != MASK).any(1)
            out[begun, self.spans[name], : self.words.first] = False
        return out

    def place(self, name: str) -> Tensor:
        """(length,) bool, the tokens of a field."""
        out = torch.zeros(self.length, dtype=torch.bool)
        out[self.spans[name]] = True
        return out

    def levels(self, field: Category) -> slice:
        """The tokens of the levels of a category."""
        first = self._first[field.name]
        return slice(first, first + len(field.values))

    def warn(self, records: Records, gap: str | None = None) -> None:
        """Say which words of records were never seen, but for gaps, and which texts are cut."""
        strange: dict[str, None] = {}
        for name in [name for name in self.widths if name in records.names]:
            for text in dict.fromkeys(records.column(name).drop_null().to_pylist()):
                strange |= dict.fromkeys(self.words.strange(text if gap is None else text.replace(gap, " ")))
                if len(self.words.read(text, gap)) > self.widths[name]:
                    what = f"a {name} of {len(text):,} characters is cut to its first {self.widths[name]} tokens"
                    token = "a token is a word, or a character of a word that was never seen"
                    warnings.warn(f"{what}; {token}", CaptionWarning, stacklevel=4)
        if strange:
            names = [word if len(word) < SHOWN else f"{word[:SHOWN]}…" for word in strange][:TOLD]
            more = f" and {len(strange) - TOLD} more" if len(strange) > TOLD else ""
            what = f"words that were never seen are read by their characters: {', '.join(names)}{more}"
            warnings.warn(what, CaptionWarning, stacklevel=4)
