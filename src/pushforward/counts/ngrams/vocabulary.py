"""Texts as sequences of symbols: characters, or words between white space; and what the unknown ones cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.counts.ngrams.counting import Counter
from pushforward.counts.ngrams.kneser_ney import Tree
from pushforward.counts.ngrams.language import UNKNOWN, Language
from pushforward.errors import FormatError

FIRST = 2  # the number of the first known symbol
CHARACTERS = 0x110000 - 0x800  # of Unicode, without the surrogates, which no text holds
SPACES = sum(chr(code).isspace() for code in range(0x3001))
TOGETHER = 1 << 20  # bytes of texts that are looked at together
SPELLING = 3  # order of the model that spells unknown words


class Vocabulary(ABC):
    """The symbols that were seen, numbered from 2; 0 is the end of a text and 1 whatever was not seen."""

    kind: ClassVar[torch.dtype]

    @abstractmethod
    def __len__(self) -> int:
        """How many symbols there are, with end and unknown."""

    @abstractmethod
    def learn(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of all symbols of texts, one text after the other, and (n,) how many each has; all are known."""

    @abstractmethod
    def read(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same with what is known already, and (n,) log probability of the unknown ones' identity."""

    @abstractmethod
    def write(self, rows: Sequence[np.ndarray], prefixes: Sequence[str]) -> list[str]:
        """Texts that begin as they should and go on with these symbols."""

    @abstractmethod
    def symbols(self) -> list[str]:
        """The known symbols in order."""

    @abstractmethod
    def ordered(self) -> np.ndarray:
        """Bring the symbols into the order of their characters; the new number of each old one."""

    @abstractmethod
    def state(self) -> Tensor:
        """All symbols, as one row of numbers."""

    @abstractmethod
    def restore(self, state: Tensor) -> None:
        """Take back what `state` gave."""


class Characters(Vocabulary):
    """Each character is a symbol. An unknown one is any of the rest of Unicode, each as probable as the other."""

    kind = torch.int32

    def __init__(self) -> None:
        self._codes: list[int] = []
        self._table = np.zeros(0x110000, np.int32)  # from a character to its number; 0: none

    def __len__(self) -> int:
        return FIRST + len(self._codes)

    def learn(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        points, lengths = _points(texts)
        found = self._look_up(points)
        while (new := found == 0).any():  # a look at a few of them is mostly enough
            first = int(new.argmax())
            some = slice(first, first + 65_536)
            for code in np.unique(points[some][new[some]]).tolist():
                self._table[code] = len(self)
                self._codes.append(code)
            found = self._look_up(points)
        return found, lengths

    def read(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        points, lengths = _points(texts)
        found = self._look_up(points)
        strange = found == 0
        owner = np.repeat(np.arange(len(lengths)), lengths)[strange]
        each = -np.log(CHARACTERS - len(self._codes))
        return np.where(strange, UNKNOWN, found), lengths, each * np.bincount(owner, minlength=len(lengths))

    def _look_up(self, points: np.ndarray) -> np.ndarray:
        if points.dtype == np.uint8 and int(self._table[:128].max()) < 256:
            return np.frombuffer(points.tobytes().translate(self._table[:256].astype(np.uint8).tobytes()), np.uint8)
        return self._table[points]

    def write(self, rows: Sequence[np.ndarray], prefixes: Sequence[str]) -> list[str]:
        points = np.asarray(self._codes, "<u4")
        return [
            prefix + points[row - FIRST].tobytes().decode("utf-32-le")
            for row, prefix in zip(rows, prefixes, strict=True)
        ]

    def symbols(self) -> list[str]:
        return [chr(code) for code in self._codes]

    def ordered(self) -> np.ndarray:
        order = np.argsort(self._codes)
        self._set([self._codes[i] for i in order])
        return np.concatenate([np.arange(FIRST), FIRST + np.argsort(order)])

    def _set(self, codes: list[int]) -> None:
        self._codes = codes
        self._table[:] = 0
        self._table[codes] = FIRST + np.arange(len(codes))

    def state(self) -> Tensor:
        return torch.tensor(self._codes, dtype=self.kind)

    def restore(self, state: Tensor) -> None:
        codes = state.tolist()
        if len(set(codes)) < len(codes) or not all(0 <= c < 0x110000 and not 0xD800 <= c < 0xE000 for c in codes):
            raise FormatError("the vocabulary holds what is no character, or one twice; copy the model again")
        self._set(codes)


class Words(Vocabulary):
    """Each run of characters without white space is a symbol; white space of any kind and length is one blank.

    An unknown word is spelled by an n-gram model of the characters of the known ones, given that it is none of them.
    """

    kind = torch.uint8

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return FIRST + len(self._numbers)

    def learn(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        numbers = self._numbers
        rows = [text.split() for text in texts.to_pylist()]
        found = [numbers.setdefault(word, len(numbers) + FIRST) for row in rows for word in row]
        return np.asarray(found, np.int32), np.asarray([len(row) for row in rows], np.int64)

    def read(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = [text.split() for text in texts.to_pylist()]
        found = np.asarray([self._numbers.get(word, UNKNOWN) for row in rows for word in row], np.int32)
        lengths = np.asarray([len(row) for row in rows], np.int64)
        strange = [(i, word) for i, row in enumerate(rows) for word in row if word not in self._numbers]
        extra = np.zeros(len(rows))
        if strange:
            spelled = self._speller.log_probability(pa.array([word for _, word in strange]))
            np.add.at(extra, [i for i, _ in strange], spelled - self._rest)
        return found, lengths, extra

    @cached_property
    def _speller(self) -> Spelling:
        return Spelling(self.symbols())

    @cached_property
    def _rest(self) -> float:
        """Log of what the speller gives to words that are not known."""
        known = pa.array(["", *self.symbols()], pa.string())
        return float(np.log(max(1 - np.exp(self._speller.log_probability(known)).sum(), 1e-12)))

    def write(self, rows: Sequence[np.ndarray], prefixes: Sequence[str]) -> list[str]:
        words = ["", "", *self.symbols()]
        out = []
        for row, prefix in zip(rows, prefixes, strict=True):
            blank = " " if len(row) and prefix and not prefix[-1].isspace() else ""
            out.append(prefix + blank + " ".join(words[i] for i in row))
        return out

    def symbols(self) -> list[str]:
        return list(self._numbers)

    def ordered(self) -> np.ndarray:
        words = self.symbols()
        order = sorted(range(len(words)), key=words.__getitem__)
        self._set([words[i] for i in order])
        return np.concatenate([np.arange(FIRST), FIRST + np.argsort(order)])

    def _set(self, words: list[str]) -> None:
        self._numbers = {word: i + FIRST for i, word in enumerate(words)}
        self.__dict__.pop("_speller", None)
        self.__dict__.pop("_rest", None)

    def state(self) -> Tensor:
        spelled = "\n".join(self.symbols()).encode()
        return torch.from_numpy(np.frombuffer(spelled, np.uint8).copy())

    def restore(self, state: Tensor) -> None:
        try:
            words = state.numpy().tobytes().decode().split("\n") if len(state) else []
        except UnicodeDecodeError as error:
            raise FormatError(f"the vocabulary is no text ({error.reason}); copy the model again") from error
        if len(set(words)) < len(words) or any(word.split() != [word] for word in words):
            raise FormatError("the vocabulary holds what is no word, or one twice; copy the model again")
        self._set(words)


class Spelling:
    """A distribution over strings without white space: an n-gram model of characters, of words that count once each."""

    def __init__(self, words: list[str]):
        self._letters = Characters()
        counter = Counter(SPELLING)
        codes, lengths = self._letters.learn(pa.array(words, pa.string()))
        counter.add(stream_of(codes, lengths)[1:])
        rows, counts = counter.table()
        size = len(self._letters)
        tree = Tree.grown(np.zeros(len(rows), np.int64), rows[:, 1:], counts, size=size, roots=1)
        self._language = Language(tree)

    def log_probability(self, words: pa.Array) -> np.ndarray:
        """(n,) log p of words."""
        codes, lengths, extra = self._letters.read(words)
        # of unknown characters, those that are white space cannot occur
        rest = CHARACTERS - len(self._letters.symbols())
        extra = extra * np.log(rest - SPACES) / np.log(rest)
        found = self._language.log_probabilities(stream_of(codes, lengths), 1)[0]
        return extra + np.add.reduceat(found, np.cumsum(lengths + 1) - lengths - 1)


def pieces(rows: np.ndarray, sizes: np.ndarray, most: int = TOGETHER) -> Iterator[np.ndarray]:
    """The rows in groups of about `most` bytes, or of one text where that is longer."""
    at = np.cumsum(sizes[rows] + 1) // most
    yield from (part for part in np.split(rows, np.flatnonzero(np.diff(at)) + 1) if len(part))


def sizes_of(texts: pa.Array) -> np.ndarray:
    """(n,) bytes of texts; 0 for one that is missing."""
    return pc.binary_length(texts).fill_null(0).to_numpy(zero_copy_only=False)


def stream_of(codes: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(T,) the symbols of texts with a 0 before each of them and after the last."""
    starts = np.concatenate([[0], np.cumsum(lengths)])
    out = np.empty(len(codes) + len(starts), codes.dtype)
    if len(starts) * 64 < len(codes):  # long texts are copied one by one
        for i, (start, stop) in enumerate(pairwise(starts)):
            out[start + i] = 0
            out[start + i + 1 : stop + i + 1] = codes[start:stop]
        out[-1] = 0
        return out
    at = starts + np.arange(len(starts))
    symbol = np.ones(len(out), bool)
    symbol[at] = False
    out[at] = 0
    out[symbol] = codes
    return out


def _points(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The characters of texts as numbers, one text after the other (bytes where all are ASCII), and (n,) lengths."""
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    _, offsets_, data = texts.buffers()
    offsets = np.frombuffer(offsets_, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    raw = memoryview(data)[offsets[0] : offsets[-1]] if data is not None else memoryview(b"")
    if bytes(raw).isascii():
        return np.frombuffer(raw, np.uint8), np.diff(offsets).astype(np.int64)
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.frombuffer(bytes(raw).decode().encode("utf-32-le"), "<u4"), lengths
