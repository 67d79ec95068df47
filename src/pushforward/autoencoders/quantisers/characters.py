"""Codes as the characters of a text, one each, so that families of texts can learn how codes follow each other."""

from __future__ import annotations

import itertools

import numpy as np

# Blocks of letters that are all assigned, printable and left alone by every normal form of Unicode: CJK ideographs,
# Hangul syllables and the first supplement of ideographs. Together they are more than a codebook may hold.
BLOCKS = (range(0x4E00, 0xA000), range(0xAC00, 0xD7A4), range(0x20000, 0x2A6DE))
POINTS = np.fromiter(itertools.chain(*BLOCKS), dtype="<u4")


def written(codes: np.ndarray) -> list[str]:
    """(n, k) codes as n texts of k characters.

    >>> written(np.array([[0, 1], [2, 2]]))
    ['一丁', '丂丂']
    """
    points = np.ascontiguousarray(POINTS[codes])
    return [row.tobytes().decode("utf-32-le") for row in points]


def read(texts: list[str], k: int) -> np.ndarray:
    """(n, k) codes that texts stand for; -1 for a character that stands for none, and in texts that are not so long."""
    codes = np.full((len(texts), k), -1, np.int64)
    for i, text in enumerate(texts):
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        if len(points) != k:
            continue
        at = np.searchsorted(POINTS, points).clip(max=len(POINTS) - 1)
        codes[i] = np.where(POINTS[at] == points, at, -1)
    return codes
