"""A text as words drawn one by one until a stop; a word that was never seen is spelled."""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pushforward.counts.bayes import tables

BYTES = 32  # of a word; a longer one is spelled
LATIN = 256  # characters that are told apart when a word is spelled
SPACES = tuple(c for c in range(0x3001) if chr(c).isspace())
SURROGATES = 0xE000 - 0xD800
OTHERS = sys.maxunicode + 1 - LATIN - SURROGATES - sum(c >= LATIN for c in SPACES)  # the characters beyond


@dataclass(frozen=True)
class Vocabulary:
    """The words that a text is made of: p(text | class) = Π p(word | class) · p(stop | class).

    Texts are equal where their words, parted by spaces, are: it is a distribution over sequences of words. A word
    that is not listed has the symbol "unknown", times the probability of its spelling,
    (1 - e)^(length - 1) e Π p(letter) / (1 - what is listed), which adds up to 1 over all strings without a space.

    Attributes:
        words: the listed ones.
        letters: (LATIN + 2,) log probabilities: the first 256 characters, any other one, the end e.
    """

    words: tuple[str, ...]
    letters: Tensor

    @classmethod
    def of(cls, texts: Iterable[str | None], most: int) -> Vocabulary:
        """The most frequent words of some texts, and the letters of all different ones, one pseudo-count each.

        >>> Vocabulary.of(["red red blue", None], 1).words
        ('red',)
        """
        times = Counter(word for text in texts if text is not None for word in text.split())
        listed = sorted((w for w in times if _fits(w)), key=lambda w: (-times[w], w))[:most]
        letters = torch.ones(LATIN + 1, dtype=torch.float64)
        letters[[c for c in SPACES if c < LATIN]] = 0.0
        for letter, n in Counter(letter for word in times for letter in word).items():
            letters[min(ord(letter), LATIN)] += n
        end = (len(times) + 1) / (sum(map(len, times)) + 2)  # words to letters, and one of each beside
        return cls(tuple(listed), torch.cat([letters / letters.sum(), torch.tensor([end]).double()]).log())

    @property
    def size(self) -> int:
        """Symbols: the words, unknown, stop."""
        return len(self.words) + 2

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _logs(self) -> list[float]:
        return self.letters.tolist()

    def encode(self, texts: Sequence[str | None]) -> tuple[Tensor, Tensor, Tensor]:
        """(m,) symbols end to end, (n,) where each text begins, and (n,) log probabilities of spelled words.

        A text that is missing has no symbols; any other one ends with a stop.
        """
        places, unknown = self._positions, len(self.words)
        symbols: list[int] = []
        starts, spelled = [], [0.0] * len(texts)
        for i, text in enumerate(texts):
            starts.append(len(symbols))
            if text is None:
                continue
            for word in text.split():
                place = places.get(word, unknown)
                symbols.append(place)
                if place == unknown:
                    spelled[i] += self._spelling(word) - self._log_room
            symbols.append(unknown + 1)
        whole = torch.tensor(symbols, dtype=torch.int64), torch.tensor(starts, dtype=torch.int64)
        return *whole, torch.tensor(spelled, dtype=torch.float64)

    def _spelling(self, word: str) -> float:
        logs = self._logs
        on = math.log1p(-math.exp(logs[-1]))  # the share of letters that do not end a word
        letters = sum(logs[ord(c)] if ord(c) < LATIN else logs[LATIN] - math.log(OTHERS) for c in word)
        return letters + logs[-1] + (len(word) - 1) * on

    @cached_property
    def _log_room(self) -> float:
        """Log of the share of spellings that are no listed word."""
        return math.log(max(1 - sum(math.exp(self._spelling(word)) for word in self.words), 1e-12))

    def draw(self, table: Tensor, k: Tensor, generator: torch.Generator) -> list[str]:
        """A text for each of (n,) classes k; a bag of words in the order in which they were drawn.

        Args:
            table: (K, size) probabilities of the symbols.
        """
        rng = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
        unknown, stop = len(self.words), len(self.words) + 1
        texts: list[list[str]] = [[] for _ in k]
        listed, weights = set(self.words), self.letters.exp().tolist()
        on = torch.arange(len(k))
        while len(on):
            u = torch.rand(len(on), dtype=torch.float64, generator=generator)
            symbols = tables.draw(table, u, k[on])
            for i, symbol in zip(on.tolist(), symbols.tolist(), strict=True):
                if symbol < unknown:
                    texts[i].append(self.words[symbol])
                elif symbol == unknown:
                    texts[i].append(_spelled(weights, listed, rng))
            on = on[symbols != stop]
        return [" ".join(words) for words in texts]

    def to_tensor(self, most: int) -> Tensor:
        """(most, BYTES) uint8: the words in UTF-8, padded with zeros."""
        out = torch.zeros(most, BYTES, dtype=torch.uint8)
        for row, word in zip(out, self.words, strict=False):
            code = word.encode()
            row[: len(code)] = torch.tensor(list(code), dtype=torch.uint8)
        return out

    @classmethod
    def from_tensor(cls, rows: Tensor, letters: Tensor) -> Vocabulary:
        """What `to_tensor` wrote."""
        words = (bytes(row.tolist()).rstrip(b"\0").decode() for row in rows)
        return cls(tuple(word for word in words if word), letters)


def _fits(word: str) -> bool:
    return "\0" not in word and len(word.encode("utf-8", "replace")) <= BYTES


def _spelled(weights: list[float], listed: set[str], rng: random.Random) -> str:
    while True:
        word = ""
        while True:
            letter = rng.choices(range(LATIN + 1), weights[:-1])[0]
            word += chr(letter) if letter < LATIN else _other(rng)
            if rng.random() < weights[-1]:
                break
        if word not in listed:
            return word


def _other(rng: random.Random) -> str:
    while True:
        code = rng.randrange(LATIN, sys.maxunicode + 1)
        if not 0xD800 <= code < 0xE000 and not chr(code).isspace():
            return chr(code)
