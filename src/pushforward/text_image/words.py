"""Texts as words of the data, and any other word as its characters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from pushforward.errors import FormatError

END, MASK, HOLE, SPELL, BLANK, GLUE = range(6)  # the rest of a text, what is not known, no text, and how it is written
BYTES = 6  # the number of byte 0
FIRST = BYTES + 256  # that of the first character
WORDS, CHARACTERS = 1 << 13, 1 << 11  # that are kept at most, the frequent ones first
INSIDE = "-'’"  # what may stand between two letters of a word
OPENING = "([{<«“‘#@/\\-–—_~&+=*^|"  # after which no blank is expected
GAP = "\ue000"  # a word that is to be found: private to us in Unicode
TOGETHER = (range(0x2E80, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x33480))  # scripts without blanks


class Words:
    """Texts as whole numbers: frequent words of the data have one each, all others are spelled.

    A word is a run of letters, marks and digits, hyphens and apostrophes within it included; any other sign, and any
    character of Chinese or Japanese, is a word of its own. Where blanks stand follows from the words, but for signs
    that say otherwise. A word that is not known is `SPELL` and its characters, and a character that is not known its
    bytes in UTF-8. So `written` gives back what `read` read, but for what `normal` changes.

    Args:
        characters: the known ones.
        words: the known ones.

    >>> words = Words.of(["a red circle", "a blue circle"])
    >>> words.written(words.read("A red  balloon"))
    'a red balloon'
    """

    def __init__(self, characters: Sequence[str], words: Sequence[str]):
        self.characters, self.words = tuple(characters), tuple(words)
        self._names = ["", "", "", "", "", "", *[""] * 256, *characters, *words]
        self._number = {word: FIRST + len(characters) + i for i, word in enumerate(words)}
        self._character = {character: FIRST + i for i, character in enumerate(characters)}

    @classmethod
    def of(cls, texts: Iterable[str], words: int = WORDS, characters: int = CHARACTERS) -> Words:
        """The words and characters of texts, the most frequent ones first."""
        counted: Counter[str] = Counter()
        for text in texts:
            counted.update(pieces(normal(text)))
        letters: Counter[str] = Counter()
        for word, times in counted.items():
            letters.update({letter: times * word.count(letter) for letter in set(word)})
        return cls(_frequent(letters, characters), _frequent(counted, words))

    @property
    def first(self) -> int:
        """The number of the first word."""
        return FIRST + len(self.characters)

    def __len__(self) -> int:
        return FIRST + len(self.characters) + len(self.words)

    def read(self, text: str, gap: str | None = None) -> list[int]:
        """A text as numbers.

        Args:
            text: the text.
            gap: what stands in it for a word that is to be `MASK`.
        """
        if gap is not None:
            text = text.replace(gap, GAP)
        out: list[int] = []
        before = None
        for blank, piece in _spaced(normal(text)):
            sign = before is not None and blank != _expected(before, piece)
            if sign and (gap is None or GAP not in (before, piece)):
                out.append(BLANK if blank else GLUE)
            if gap is not None and piece == GAP:
                out.append(MASK)
            elif piece in self._number:
                out.append(self._number[piece])
            else:
                out += self.spelled(piece)
            before = piece
        return out

    def spelled(self, word: str) -> list[int]:
        """A word as `SPELL` and its characters."""
        out = [SPELL]
        for character in word:
            known = self._character.get(character)
            out += [known] if known is not None else [BYTES + byte for byte in character.encode()]
        return out

    def written(self, tokens: Iterable[int]) -> str:
        """The text of numbers, up to the first `END`."""
        out, before, sign = "", None, None
        for token in self._joined(tokens):
            if token in (BLANK, GLUE):
                sign = token
                continue
            assert isinstance(token, str)
            blank = before is not None and (_expected(before, token) if sign is None else sign == BLANK)
            out, before, sign = out + (" " if blank else "") + token, token, None
        return out

    def strange(self, text: str) -> list[str]:
        """The words of a text that are not known."""
        return [piece for piece in pieces(normal(text)) if piece not in self._number]

    def grid(self, texts: Sequence[str | None], length: int, gap: str | None = None) -> Tensor:
        """(n, length) texts as numbers, ended by `END` and filled up with it; what is longer is cut.

        None is `HOLE`, and a word in whose place `gap` stands is `MASK`.
        """
        out = np.full((len(texts), length), END, np.int64)
        for row, text in zip(out, texts, strict=True):
            tokens = [HOLE] if text is None else self.read(text, gap)
            row[: len(tokens)] = tokens[:length]
        return torch.from_numpy(out)

    def _joined(self, tokens: Iterable[int]) -> Iterator[str | int]:
        """Words, and signs of blanks, in order."""
        spelled: bytearray | None = None
        for token in tokens:
            letter = BYTES <= token < FIRST + len(self.characters)
            if spelled is not None and letter:
                spelled += bytes([token - BYTES]) if token < FIRST else self._names[token].encode()
                continue
            if spelled:
                yield spelled.decode(errors="ignore")
            spelled = None
            if token == END:
                return
            if token == SPELL:
                spelled = bytearray()
            elif token in (BLANK, GLUE):
                yield token
            elif token >= FIRST:
                yield self._names[token]
        if spelled:
            yield spelled.decode(errors="ignore")

    # State

    PARTS = ("characters", "words")

    def state(self) -> dict[str, Tensor]:
        """All characters and words, as rows of bytes."""
        parts = {"characters": "".join(self.characters), "words": "\n".join(self.words)}
        return {name: torch.from_numpy(np.frombuffer(text.encode(), np.uint8).copy()) for name, text in parts.items()}

    @classmethod
    def restored(cls, state: dict[str, Tensor]) -> Words:
        """The words that `state` gave.

        Raises:
            FormatError: they are no texts, or one is there twice.
        """
        try:
            characters, words = (state[name].numpy().tobytes().decode() for name in cls.PARTS)
        except UnicodeDecodeError as error:
            raise FormatError(f"the vocabulary is no text ({error.reason}); copy the model again") from error
        found = words.split("\n") if words else []
        if len(set(found)) < len(found) or len(set(characters)) < len(characters) or "" in found:
            raise FormatError("the vocabulary holds a word or character twice; copy the model again")
        return cls(characters, found)


def normal(text: str) -> str:
    """A text in small letters and composed characters (NFC), with one blank wherever there is white space.

    >>> normal(" A  Red\\tCircle ")
    'a red circle'
    """
    return " ".join(unicodedata.normalize("NFC", text.lower()).split())


def pieces(text: str) -> list[str]:
    """The words and signs of a text.

    >>> pieces("man running, medium-dark skin tone")
    ['man', 'running', ',', 'medium-dark', 'skin', 'tone']
    """
    return [piece for _, piece in _spaced(text)]


def _spaced(text: str) -> Iterator[tuple[bool, str]]:
    """The words and signs, and whether a blank stands before each."""
    blank, start = False, 0
    while start < len(text):
        if text[start] == " ":
            blank, start = True, start + 1
            continue
        stop = start + 1
        if _lettered(text[start]):
            while stop < len(text) and _goes_on(text, stop):
                stop += 1
        yield blank, text[start:stop]
        blank, start = False, stop


def _goes_on(text: str, i: int) -> bool:
    """Whether the i-th character belongs to the word before it."""
    within = text[i] in INSIDE and i + 1 < len(text) and _lettered(text[i + 1])
    return within or _lettered(text[i])


def _lettered(character: str) -> bool:
    """Whether a character may be within a word of several."""
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character)[0] in "LMN" and not _alone(character)


def _alone(character: str) -> bool:
    return any(ord(character) in script for script in TOGETHER)


def _expected(before: str, piece: str) -> bool:
    """Whether a blank is to be expected between two words."""
    return _lettered(piece[:1] or " ") and before[-1:] not in OPENING and not _alone(before[-1:] or " ")


def _frequent(counted: Counter[str], most: int) -> list[str]:
    return [name for name, _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:most]]
