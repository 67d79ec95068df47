"""Texts as a few numbers, and numbers as the nearest text that is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from pushforward.data.records import Records
from pushforward.data.schema import Number, Schema, Text
from pushforward.errors import FormatError

WIDTH = 32  # numbers that a text becomes
BUCKETS = 1 << 12  # of hashed words and pairs of words
MOST = 1 << 13  # texts that are known, the frequent ones first
BLOCK = 1024  # points that are compared with all texts at a time


class Phrases:
    """y = (counts(text) · w) V / S, of length 1: what texts have in common, by latent semantic analysis.

    Counts are of words, of pairs of neighbours and of words in their places, hashed and weighed by how rare they are; V
    and S are their first singular vectors and values (Deerwester, Dumais, Furnas, Landauer, Harshman 1990). What is
    near to a point is one of the texts that were learned from: no other is ever made up.

    Args:
        texts: the known ones, each once.
        weight: (buckets,) of words.
        basis: (buckets, width) the singular vectors.

    >>> phrases = Phrases.of(["a red circle", "a red square", "a blue circle", "two dots"])
    >>> phrases.nearest(phrases.encode(["a red circle", "dots", None]))
    ['a red circle', 'two dots', None]
    """

    def __init__(self, texts: Sequence[str], weight: np.ndarray, basis: np.ndarray):
        self.texts, self.weight, self.basis = tuple(texts), weight, basis
        self._points = torch.from_numpy(self.encode(self.texts))

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Phrases:
        """From texts of the data; None is none."""
        counted = Counter(text for text in texts if text is not None)
        known = [text for text, _ in counted.most_common(MOST)] or [""]
        counts = _counts(known)
        weight = np.log((1 + len(known)) / (1 + np.bincount(counts.indices, minlength=BUCKETS))) + 1
        width = min(WIDTH, len(known))
        _, strength, basis = randomized_svd(counts.multiply(weight).tocsr(), width, random_state=0)
        basis = basis.T / strength.clip(1e-6 * max(float(strength[0]), 1e-6))  # what is rare tells texts apart as well
        return cls(known, weight.astype(np.float32), basis.astype(np.float32))

    @property
    def width(self) -> int:
        """Numbers that a text becomes."""
        return self.basis.shape[1]

    def encode(self, texts: Sequence[str | None]) -> np.ndarray:
        """(n, width) float64; NaN where there is no text."""
        if not texts:
            return np.empty((0, self.width))
        y = np.asarray(_counts([text or "" for text in texts]).multiply(self.weight) @ self.basis, np.float64)
        y /= np.linalg.norm(y, axis=1, keepdims=True).clip(1e-12)
        y[[text is None for text in texts]] = np.nan
        return y

    def nearest(self, y: np.ndarray) -> list[str | None]:
        """The known text nearest to each of (n, width) points; None where a number is not known."""
        if not len(y):
            return []
        points = torch.from_numpy(np.nan_to_num(y))
        rows = [row for part in points.split(BLOCK) for row in torch.cdist(part, self._points).argmin(1).tolist()]
        there = ~np.isnan(y).any(1)
        return [self.texts[row] if known else None for row, known in zip(rows, there, strict=True)]

    def tensors(self) -> dict[str, Tensor]:
        """All that there is to keep."""
        letters = np.frombuffer(json.dumps(self.texts).encode(), np.uint8).copy()
        arrays = {"letters": letters, "weight": self.weight, "basis": self.basis}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}

    @classmethod
    def of_tensors(cls, state: Mapping[str, Tensor]) -> Phrases:
        """What `tensors` gave.

        Raises:
            FormatError: the letters are no texts.
        """
        try:
            texts = json.loads(state["letters"].numpy().tobytes())
        except ValueError as error:
            raise FormatError(f"the known texts are no texts ({error}); copy the model again") from error
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise FormatError("the known texts are no list of texts; copy the model again")
        return cls(texts, state["weight"].numpy(), state["basis"].numpy())


@dataclass(frozen=True)
class Phrasing:
    """Records whose texts are numbers, and back.

    Args:
        phrases: by field of texts.
    """

    phrases: Mapping[str, Phrases]

    @classmethod
    def of(cls, records: Records, fields: Sequence[Text]) -> Phrasing:
        """For these fields, from some records."""
        return cls({field.name: Phrases.of(records.column(field.name).to_pylist()) for field in fields})

    @property
    def widths(self) -> dict[str, int]:
        """By field the numbers that a text becomes."""
        return {name: phrases.width for name, phrases in self.phrases.items()}

    def schema(self, schema: Schema) -> Schema:
        """The schema with so many numbers in place of each text."""
        return widened(schema, self.widths)

    def numbers(self, records: Records) -> Records:
        """Records with numbers in place of texts."""
        columns: dict[str, Any] = {}
        for name in records.names:
            if name not in self.phrases:
                columns[name] = records.column(name)
                continue
            y = self.phrases[name].encode(records.column(name).to_pylist())
            columns |= {part: pa.array(y[:, i], from_pandas=True) for i, part in enumerate(parts(name, y.shape[1]))}
        schema = self.schema(records.schema)
        return Records(schema, pa.table(columns, schema=schema.arrow))

    def texts(self, records: Records, schema: Schema) -> Records:
        """Records with texts in place of numbers.

        Args:
            records: such as `numbers` makes.
            schema: that of the outcome.
        """
        columns: dict[str, Any] = {}
        for name in schema.names:
            if name not in self.phrases:
                columns[name] = records.column(name)
                continue
            phrases = self.phrases[name]
            y = np.stack([records.column(part).to_numpy() for part in parts(name, phrases.width)], 1)
            columns[name] = pa.array(phrases.nearest(y), schema[name].arrow_type)
        return Records(schema, pa.table(columns, schema=schema.arrow))

    def tensors(self) -> dict[str, Tensor]:
        """All that there is to keep, by field and name."""
        return {
            f"{key}.{name}": value for name, phrases in self.phrases.items() for key, value in phrases.tensors().items()
        }

    @classmethod
    def of_tensors(cls, state: Mapping[str, Tensor]) -> Phrasing:
        """What `tensors` gave."""
        found: dict[str, dict[str, Tensor]] = {}
        for name, value in state.items():
            key, _, field = name.partition(".")
            found.setdefault(field, {})[key] = value
        return cls({field: Phrases.of_tensors(part) for field, part in found.items()})


def widths_of(shapes: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """The same as `Phrasing.widths`, of the types and shapes of its tensors."""
    return {name.partition(".")[2]: shape[-1] for name, shape in shapes.items() if name.startswith("basis.")}


def widened(schema: Schema, widths: Mapping[str, int]) -> Schema:
    """The schema with numbers from -1 to 1 in place of texts, so many for each field that is named."""
    fields: list[Any] = []
    for field in schema:
        if field.name in widths:
            names = parts(field.name, widths[field.name])
            fields += [Number(name=name, missing=field.missing, low=-1.0, high=1.0) for name in names]
        else:
            fields.append(field)
    return Schema(tuple(fields))


def parts(name: str, width: int) -> list[str]:
    """What the numbers of a text are called."""
    return [f"{name}·{i}" for i in range(width)]


def _counts(texts: Sequence[str]) -> Any:
    """(n, BUCKETS) sparse counts of words, pairs of words, and words where they stand."""
    return HashingVectorizer(
        analyzer=_pieces, n_features=BUCKETS, alternate_sign=False, norm=None, dtype=np.float32
    ).transform(texts)


def _pieces(text: str) -> list[str]:
    words = text.lower().split()
    return words + [f"{a} {b}" for a, b in pairwise(words)] + [f"{i}: {word}" for i, word in enumerate(words)]
