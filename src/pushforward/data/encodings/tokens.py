"""Text as numbers of words and character n-grams, hashed: no vocabulary, no unknown word."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor

BUCKETS = 8192
LENGTH = 256  # tokens kept of a text
_WORD = re.compile(r"\w+|[^\w\s]")


def tokens(text: str) -> list[int]:
    """The hashed words, pairs of neighbouring words and character trigrams of a text, each from 1 to `BUCKETS` - 1.

    Pairs tell "red left of blue" from "blue left of red"; trigrams give a word never seen its neighbours.

    >>> len(tokens("a red circle"))
    10
    """
    words = _WORD.findall(text.lower())
    pieces = [f"w {word}" for word in words]
    pieces += [f"p {a} {b}" for a, b in pairwise(words)]
    pieces += [f"c {word[i : i + 3]}" for word in words for i in range(len(word) - 2)]
    return [1 + zlib.crc32(piece.encode()) % (BUCKETS - 1) for piece in pieces]


def hashed(texts: Iterable[str | None]) -> Tensor:
    """(n, LENGTH) token numbers, padded with 0; a text that is missing or empty is all 0."""
    rows = [tokens(text or "")[:LENGTH] for text in texts]
    width = max([1, *map(len, rows)])
    out = torch.zeros(len(rows), width, dtype=torch.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
    return torch.nn.functional.pad(out, (0, LENGTH - width))
