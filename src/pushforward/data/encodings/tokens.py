"""Text as words, each with its character n-grams, hashed: no vocabulary, no unknown word."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

WORDS, PIECES = 40, 32  # words kept of a text, and numbers of a word: its own, and those of its n-grams
GRAMS = (3, 4, 5)  # characters of an n-gram
_ALONE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts without spaces: each sign is a word
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+(?:[-'’][^\W{_ALONE}]+)*|[^\w\s.,;:!?\"()-]")


def words(text: str | None) -> list[str]:
    """The words of a text in small letters; what joins words (``medium-dark``) belongs to them, stops do not.

    >>> words("Superhero, medium-dark skin tone")
    ['superhero', 'medium-dark', 'skin', 'tone']
    """
    return _WORD.findall((text or "").lower())


def pieces(word: str) -> list[int]:
    """The hash of a word, and those of its n-grams with its ends marked, each from 1 to 2³¹ - 1; the first 32.

    >>> len(pieces("sun")), pieces("sun")[0] == pieces("sunny")[0]
    (7, False)
    """
    marked = f"<{word}>"
    grams = [marked[i : i + n] for i in range(len(marked)) for n in GRAMS if i + n <= len(marked)]
    return [1 + zlib.crc32(piece.encode()) % (2**31 - 1) for piece in (f"w {word}", *grams[: PIECES - 1])]


def hashed(texts: Iterable[str | None]) -> Tensor:
    """(n, WORDS, PIECES) int32 hashes, padded with 0; a text that is missing or has no word is all 0."""
    rows = [words(text)[:WORDS] for text in texts]
    out, known = np.zeros((len(rows), WORDS, PIECES), np.int32), {}
    for i, row in enumerate(rows):
        for j, word in enumerate(row):
            if word not in known:
                known[word] = np.array(pieces(word), np.int32)
            out[i, j, : len(known[word])] = known[word]
    return torch.from_numpy(out)
