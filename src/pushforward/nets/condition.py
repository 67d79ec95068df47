"""Conditions of all kinds as one embedding, for every neural family."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu

from pushforward.data import Category, Field, Image, Number, Records, Schema, Text, pictures
from pushforward.data.encodings.cells import CellEncoding, without_atoms
from pushforward.data.encodings.pixels import from_pixels
from pushforward.data.encodings.standardise import Standardise
from pushforward.data.encodings.tokens import hashed
from pushforward.data.holes import blank, overlay
from pushforward.nets.embed import Waves
from pushforward.nets.sentences import Sentences
from pushforward.nets.texts import Texts

PREFIX = "given."
VARIED = 0.5  # share of texts that lose words in training, any share of them
FORGOTTEN = 0.1  # share of words that are known by their characters alone in training, so that these are learned
ALONE, BLUR = 0.5, 0.1  # share of texts that are a vector of `Sentences` alone in training, and noise in it


class Condition(nn.Module):
    """Numbers, categories, pictures and texts embedded and added up.

    A cell that is a hole and a condition that is not told are different things, and each has a learned vector. In
    training one text in two loses any share of its words, lest it is known by heart, and some words are read by their
    characters alone.

    Args:
        schema: the fields that are conditions.
        width: of the embedding.
    """

    def __init__(self, schema: Schema, width: int):
        super().__init__()
        plain = without_atoms(schema)
        self.schema, self.width = schema, width
        self._cells = CellEncoding(Schema(plain.of_kind(Number, Category)))
        self.numbers = [f.name for f in schema.of_kind(Number)]
        self.categories = [f.name for f in schema.of_kind(Category)]
        self.scale = Standardise(torch.zeros(len(self.numbers)).double(), torch.ones(len(self.numbers)).double())
        self.parts = nn.ModuleDict()
        for i, field in enumerate(schema):
            self.parts[str(i)] = _embedding(field, width)
        self.absent = nn.Parameter(torch.randn(len(schema), width) * width**-0.5)
        self.hole = nn.Parameter(torch.randn(len(schema), width) * width**-0.5)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.sentences: Sentences | None = None

    def read_by(self, sentences: Sentences) -> None:
        """Let a frozen encoder read texts too, beside the words that are learned."""
        self.sentences = sentences
        for i, field in enumerate(self.schema):
            if isinstance(field, Text):
                part = self.parts[str(i)]
                assert isinstance(part, _Said)
                part.read_by(sentences.width)

    def encode(self, records: Records) -> dict[str, Tensor]:
        """The conditions of records as named tensors, one row a record; the names begin with ``given.``.

        Fields that the records lack, and missing cells, are holes (``given.holes``).
        """
        records = overlay(blank(self.schema, len(records)), records)
        cells = self._cells.encode(records)
        nulls = [records.column(name).is_null().to_numpy() for name in self.schema.names]
        out = {"numbers": cells.numbers, "codes": cells.codes, "holes": torch.from_numpy(np.stack(nulls, 1))}
        for i, field in enumerate(self.schema):
            if isinstance(field, Text):
                texts = records.column(field.name).to_pylist()
                out[f"words.{i}"] = hashed(texts)
                if self.sentences is not None:
                    out[f"whole.{i}"] = self.sentences.tokens(texts)
            if isinstance(field, Image):
                out[f"image.{i}"] = torch.from_numpy(pictures.or_black(records.column(field.name)))
        return {PREFIX + name: tensor for name, tensor in out.items()}

    def prepare(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the scales of the numbers from some records."""
        self.scale = Standardise.of(tensors[f"{PREFIX}numbers"])

    def meet(self, tensors: Mapping[str, Tensor]) -> None:
        """Keep which words there are in some records that will be learned from."""
        for i, part in enumerate(self.parts.values()):
            if isinstance(part, _Said):
                part.texts.remember(tensors[f"{PREFIX}words.{i}"])

    def unlike(self, given: Mapping[str, Tensor], drop: Tensor | None, by: int) -> Tensor:
        """(n,) bool: which records are told anything else than those `by` rows before them.

        Args:
            given: tensors that `encode` made.
            drop: (n, fields) bool, conditions that are not told.
            by: how far off the others are.
        """
        told = ~given[f"{PREFIX}holes"] if drop is None else ~given[f"{PREFIX}holes"] & ~drop
        out = (told != told.roll(by, 0)).any(1)
        for i, field in enumerate(self.schema):
            (x, *_) = self._values(given, i, field)
            assert x is not None
            out |= (x != x.roll(by, 0)).view(len(x), -1).any(1) & told[:, i]
        return out

    def forward(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor:
        """(n, width) embedding.

        Args:
            given: tensors that `encode` made.
            drop: (n, fields) bool, conditions that are not told.
        """
        return self.read(given, drop)[0]

    def read(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """(n, width) embedding, and (n, words, width) of each text the words, zero where there is none."""
        holes = given[f"{PREFIX}holes"]
        total, told = torch.zeros(len(holes), self.width, device=holes.device), []
        for i, field in enumerate(self.schema):
            known, found = ~holes[:, [i]], self.parts[str(i)](*self._values(given, i, field))
            # where cells never were missing, what a hole is was not learned: it is a condition that is not told
            nothing = self.hole[i] if field.missing else self.absent[i]
            if isinstance(field, Text):
                found, words = found
                told.append(torch.where((known if drop is None else known & ~drop[:, [i]])[..., None], words, 0.0))
            found = torch.where(known, found, nothing)
            total = total + (found if drop is None else torch.where(drop[:, [i]], self.absent[i], found))
        return self.mix(total), told

    def _values(self, given: Mapping[str, Tensor], i: int, field: Field) -> tuple[Tensor | None, ...]:
        """What the i-th part is told of its field."""
        if isinstance(field, Number):
            numbers = self.scale(given[f"{PREFIX}numbers"].nan_to_num())[0].float()
            return (numbers[:, self.numbers.index(field.name)],)
        if isinstance(field, Category):
            return (given[f"{PREFIX}codes"].clamp_min(0)[:, self.categories.index(field.name)],)
        if isinstance(field, Image):
            return (from_pixels(given[f"{PREFIX}image.{i}"]),)
        return given[f"{PREFIX}words.{i}"], given.get(f"{PREFIX}whole.{i}")


class _Said(nn.Module):
    """A text as a vector, and its words, each of which knows the whole.

    What a word says depends on words far away: of "a circle left of a cross" the cross is at the right. So what it
    knows of the whole is multiplied with what it is. With a frozen encoder the whole is both what is learned and its
    vector; in training one text in two is its vector alone, and of the others any share of words is left out, lest the
    words that are known by heart hide it.
    """

    def __init__(self, width: int):
        super().__init__()
        self.texts, self.norm = Texts(width, forget=FORGOTTEN), nn.LayerNorm(width)
        self.beside = nn.Linear(2 * width, 2 * width)
        self.own: nn.Module | None = None

    def read_by(self, size: int) -> None:
        """Take vectors of so many numbers beside the words."""
        width = self.norm.normalized_shape[0]
        self.own = nn.Sequential(nn.Linear(size, width), nn.SiLU(), nn.Linear(width, width), nn.LayerNorm(width))

    def forward(self, tokens: Tensor, vectors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, words, pieces), (n, size) → (n, width), and (n, words, width), zero where there is no word."""
        whole, words, there = self.texts.read(tokens, self._lost(tokens))
        whole = whole * there.any(1, keepdim=True)
        if self.own is not None:
            assert vectors is not None
            if self.training:
                kept = torch.rand(len(whole), 1, device=whole.device) >= ALONE
                whole, there = whole * kept, there & kept
                vectors = vectors + BLUR * torch.randn_like(vectors)
            whole = self.norm(whole) + self.own(vectors)
        else:
            whole = self.norm(whole)
        both = torch.cat([layer_norm(words, words.shape[-1:]), whole[:, None].expand_as(words)], 2)
        value, gate = self.beside(both).chunk(2, 2)
        return whole, layer_norm(words + value * silu(gate), words.shape[-1:]) * there[..., None]

    def _lost(self, tokens: Tensor) -> Tensor | float:
        """(n, 1) shares of the words of texts that are left out: any, where a vector says them too."""
        if not self.training:
            return 0.0
        share = torch.rand(len(tokens), 1, device=tokens.device)
        return share if self.own is not None else share * (torch.rand_like(share) < VARIED)


def _embedding(field: object, width: int) -> nn.Module:
    match field:
        case Category():
            return nn.Embedding(len(field.values), width)
        case Number():
            return nn.Sequential(Waves(32, 1 / 32, 2.0), nn.Linear(32, width), nn.SiLU(), nn.Linear(width, width))
        case Text():
            return _Said(width)
        case Image():
            layers: list[nn.Module] = [nn.Conv2d(field.channels, 32, 3, padding=1), nn.SiLU()]
            side = min(field.height, field.width)
            while side > 4:
                layers += [nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.SiLU()]
                side = (side + 1) // 2
            return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, width))
    raise AssertionError(field)
