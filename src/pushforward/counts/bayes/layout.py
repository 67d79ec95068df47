"""Which field is the class, and what the others are to naive Bayes; sums over records of what it learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from pushforward.counts.bayes import tables
from pushforward.counts.bayes.likelihoods.words import Vocabulary
from pushforward.data import Category, Image, Number, Records, Schema, Text
from pushforward.data.encodings.cells import CellEncoding
from pushforward.training.statistic import Statistic


class Layout:
    """The fields of a schema by their part in naive Bayes.

    Args:
        schema: all fields.
        field: the class; None: the last category, or no class at all where there is none.
    """

    def __init__(self, schema: Schema, field: str | None):
        categories = [f for f in schema.of_kind(Category) if field in (None, f.name)]
        self.schema = schema
        self.target = categories[-1] if categories else None
        self.classes = len(self.target.values) if self.target else 1
        self.texts = schema.of_kind(Text)
        self.cells = CellEncoding(Schema(tuple(f for f in schema if f not in (self.target, *self.texts))))
        self.levels = [factor.levels for factor in self.cells.factors]
        starts = np.cumsum([0, *self.levels])
        begun = zip(self.cells.factors, starts[:-1], strict=True)
        self.parts = {f.field: slice(int(a), int(a) + f.levels) for f, a in begun}
        self.may_miss = tuple(f.name for f in schema if f.missing)
        self.numbers = tuple(f for f in self.cells.schema if isinstance(f, Number))
        self.pictures = tuple(f for f in self.cells.schema if isinstance(f, Image))

    def classes_of(self, records: Records) -> Tensor:
        """(n,) the class of each record; -1 where it is not known."""
        return torch.zeros(len(records)).long() if self.target is None else codes_of(records, self.target)

    def holes_of(self, records: Records) -> Tensor:
        """(n, h) which cells of the fields that may be missing are missing."""
        holes = [records.column(name).is_null().to_numpy() for name in self.may_miss]
        return torch.from_numpy(np.stack(holes, 1)) if holes else torch.zeros(len(records), 0, dtype=torch.bool)


def codes_of(records: Records, field: Category) -> Tensor:
    """(n,) the level of a category in each record; -1 where it is not known."""
    found = pc.index_in(records.column(field.name), value_set=pa.array(field.values, field.arrow_type))
    return torch.from_numpy(pc.fill_null(found, -1).to_numpy().astype(np.int64))


@dataclass(frozen=True)
class Sums(Statistic):
    """What records add up to.

    Attributes:
        classes: (K,) weights of the records of each class.
        unknown: (1,) weight of those whose class is not known, which say nothing else.
        holes: (K, h) weights of the records with a hole, by field that may be missing.
        tables: (K, L) of the levels.
        filled: (K, d) of the numbers that are known, and
        first, second: (K, d) of them and their squares, from a centre and in a scale of the pilot.
        symbols: (K, S) of the words of all texts, side by side.
    """

    classes: Tensor
    unknown: Tensor
    holes: Tensor
    tables: Tensor
    filled: Tensor
    first: Tensor
    second: Tensor
    symbols: Tensor

    @classmethod
    def of(
        cls,
        layout: Layout,
        records: Records,
        weights: Tensor | None,
        centre: Tensor,
        scale: Tensor,
        vocabularies: Mapping[str, Vocabulary],
    ) -> Sums:
        """The sums over some records.

        Args:
            records: of the schema of the layout.
            weights: (n,); all alike if not given.
            centre, scale: (d,) of the numbers.
            vocabularies: by text field.
        """
        k, label = layout.classes, layout.classes_of(records)
        share = torch.ones(len(records), dtype=torch.float64) if weights is None else weights.double()
        cells = layout.cells.encode(records)
        known = label >= 0
        at, part = label[known], share[known]

        def by_class(values: Tensor) -> Tensor:
            return torch.zeros(k, values.shape[1], dtype=torch.float64).index_add_(0, at, values * part[:, None])

        z = (cells.numbers[known] - centre) / scale
        there = ~z.isnan()
        z = torch.where(there, z, 0.0)
        return cls(
            classes=torch.bincount(at, part, minlength=k).double(),
            unknown=share[~known].sum()[None],
            holes=by_class(layout.holes_of(records)[known].double()),
            tables=tables.count(cells.codes, label, layout.levels, k, weights),
            filled=by_class(there.double()),
            first=by_class(z),
            second=by_class(z.square()),
            symbols=_symbols(layout, records, label, share, vocabularies),
        )


def _symbols(
    layout: Layout, records: Records, label: Tensor, share: Tensor, vocabularies: Mapping[str, Vocabulary]
) -> Tensor:
    """(K, S) weights of the words of each text, in each class."""
    parts = []
    for field in layout.texts:
        vocabulary = vocabularies[field.name]
        symbols, starts, _ = vocabulary.encode(records.column(field.name).to_pylist())
        lengths = torch.diff(starts, append=torch.tensor([len(symbols)]))
        of = torch.repeat_interleave(torch.arange(len(records)), lengths)
        known = label[of] >= 0
        flat = (label[of] * vocabulary.size + symbols)[known]
        counted = torch.bincount(flat, share[of][known], minlength=layout.classes * vocabulary.size)
        parts.append(counted.double().view(layout.classes, vocabulary.size))
    return torch.cat(parts, 1) if parts else torch.zeros(layout.classes, 0, dtype=torch.float64)


def symbols_by_text(symbols: Tensor, vocabularies: Sequence[Vocabulary]) -> list[Tensor]:
    """The sums of each text."""
    return list(symbols.split([vocabulary.size for vocabulary in vocabularies], 1)) if vocabularies else []
