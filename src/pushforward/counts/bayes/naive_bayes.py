"""Naive Bayes as a family."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, doc
from torch import Tensor

from pushforward.counts.bayes import tables
from pushforward.counts.bayes.layout import Layout, Sums, symbols_by_text
from pushforward.counts.bayes.likelihoods import LIKELIHOODS
from pushforward.counts.bayes.likelihoods.words import BYTES, LATIN
from pushforward.counts.bayes.product import Product
from pushforward.counts.bayes.solve import Pilot, solve_numbers
from pushforward.data import Category, Records, Scan, Schema
from pushforward.errors import ArgumentError, one_of
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.run import Run
from pushforward.training.statistic import total

ROWS = 65_536  # records that are drawn at a time, or fewer where
DRAWN = 2**22  # numbers and pixels would be more than this


@dataclass(kw_only=True, eq=False)
class NaiveBayes(JointModel):
    """p(record) = p(class) Π_f p(field f | class): one category, the class, makes all fields independent.

    Within a class a number off the grid is normal, a category has a table, a pixel or a number on a grid is normal
    between half a step below and half a step above, and a whole number from 0 up is whichever of that, Poisson and
    negative binomial makes the first records more probable. A text is a bag of words. So every probability is exact.
    Where the data has no category, there is one class, and the columns are independent.

    All is learned in one pass that adds up. Cells that are missing say nothing; how often they are is learned for each
    class, for drawing. A class with one record has the variances that `floor` leaves it. Records whose class is missing
    are passed over. Numbers from files are drawn within the range that was seen. The field `field` is refused by
    an `ArgumentError` where it is no category. Maron (1961), doi:10.1145/321075.321084; Domingos and Pazzani (1997),
    doi:10.1023/A:1007413511361.

    >>> import pushforward as pf
    >>> model = NaiveBayes(field="species").fit("penguins")
    >>> model.predict({"bill_length_mm": [38.0, 50.0], "body_mass_g": [3500, 5500]}, "species").tolist()
    ['Adelie', 'Gentoo']
    """

    assumes = "fields are independent within a class"
    # One pass over all records on the processor, in float64: there is nothing to budget, and nothing to go on from.
    _needless = ("minutes", "steps", "device", "precision", "batch", "folder", "checkpoint", "validation")

    field: Annotated[str | None, doc("the category that is the class; the last one if not said")] = None
    smoothing: Annotated[float, Gt(0), doc("pseudo-counts given to each level and word")] = 1.0
    floor: Annotated[float, Gt(0), doc("least variance in a class, as a share of that of all records")] = 1e-3
    words: Annotated[int, Ge(1), doc("most words kept of a text; others are spelled")] = 5000

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        if self.field is None:
            return
        fields = {f.name: f for f in (*rest, *given)}
        if not isinstance(fields.get(self.field), Category):
            known = one_of(self.field, [name for name, f in fields.items() if isinstance(f, Category)])
            raise ArgumentError(f"field={self.field!r} is not a category of the data; {known}")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        begun = time.monotonic()
        place = Place(replace(run, device="cpu", precision="float32"))
        layout = Layout(data.schema, self.field)
        chunks = data.chunks()
        first = next(chunks)
        shares = None if weights is None else torch.from_numpy(weights)
        pilot = Pilot.of(layout, first, None if shares is None else shares[: len(first)], self.words)

        def sums() -> Iterator[Sums]:
            at, part = 0, slice(place.rank, None, place.world)
            for chunk in chain([first], chunks):
                rows = np.arange(len(chunk))[part]
                share = None if shares is None else shares[at : at + len(chunk)][part]
                mine = chunk if place.world == 1 else chunk.take(rows)
                yield Sums.of(layout, mine, share, pilot.centre, pilot.scale, pilot.vocabularies)
                at += len(chunk)

        whole = total(sums(), place)
        assert isinstance(whole, Sums)
        self._take(layout, self._solved(layout, whole, pilot))
        nats = self.product.log_joint(Evidence(first[: pilot.SHOWN])).logsumexp(1).mean().item()
        yield Progress("count", 1, {"nats": nats}, place.agree(time.monotonic() - begun), 0.0)

    def _solved(self, layout: Layout, sums: Sums, pilot: Pilot) -> dict[str, Tensor]:
        """The parameters that the sums say."""
        a = self.smoothing
        prior = (sums.classes + a) / (sums.classes.sum() + a * layout.classes)
        rows = sums.classes.sum().clamp_min(1e-300)
        # a class that never lacked a field lacks it, with one pseudo-record, as often as all do
        holes = (sums.holes + a * sums.holes.sum(0) / rows) / (sums.classes + a)[:, None]
        if layout.target is not None and layout.target.missing:
            holes[:, layout.may_miss.index(layout.target.name)] = sums.unknown / (rows + sums.unknown)
        level = tables.log_tables(sums.tables, layout.levels, a).exp()
        out = {"prior": prior, "holes": holes, "tables": level}
        vocabularies = [pilot.vocabularies[f.name] for f in layout.texts]
        for i, (counted, v) in enumerate(zip(symbols_by_text(sums.symbols, vocabularies), vocabularies, strict=True)):
            listed = tables.log_tables(counted, [v.size], a).exp()
            padded = torch.zeros(layout.classes, self.words + 2, dtype=torch.float64)
            padded[:, : v.size - 2], padded[:, -2:] = listed[:, :-2], listed[:, -2:]
            out |= {f"symbols{i}": padded, f"letters{i}": v.letters, f"words{i}": v.to_tensor(self.words)}
        return out | solve_numbers(layout, sums, pilot, level, self.floor)

    def _take(self, layout: Layout, state: dict[str, Tensor]) -> None:
        self._learned_state = state
        self.product = Product(layout, state)

    # State

    def _state(self) -> dict[str, Tensor]:
        return dict(self._learned_state)

    def _skeleton(self) -> dict[str, Tensor]:
        layout = Layout(self.schema, self.field)
        k, d, h, m = layout.classes, layout.cells.width, len(layout.may_miss), self.words
        shapes: dict[str, tuple[int, ...]] = {
            "prior": (k,), "holes": (k, h), "tables": (k, sum(layout.levels)), "mean": (k, d), "spread": (k, d)
        }  # fmt: skip
        for i in range(len(layout.texts)):
            shapes |= {f"symbols{i}": (k, m + 2), f"letters{i}": (LATIN + 2,), f"words{i}": (m, BYTES)}
        out = {name: torch.empty(shape, dtype=torch.float64, device="meta") for name, shape in shapes.items()}
        for i in range(len(layout.texts)):
            out[f"words{i}"] = out[f"words{i}"].to(torch.uint8)
        return out | {"kind": torch.empty(d, dtype=torch.int64, device="meta")}

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        self._take(Layout(self.schema, self.field), dict(state))

    @property
    def likelihoods(self) -> dict[str, str]:
        """The distribution of each number and picture within a class, by field."""
        layout, kind = self.product.layout, self._learned_state["kind"]
        columns = layout.cells.columns
        return {name: type(LIKELIHOODS[int(kind[where.start])]).__name__ for name, where in columns.items()}

    # Verbs

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return self.product.log_joint(evidence).logsumexp(1).expand(len(evidence))

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        rows = max(1, min(ROWS, DRAWN // max(1, self.product.layout.cells.width)))
        pieces = [self.product.draw(chunk, generator, holes=holes) for chunk in evidence.chunks(rows)]
        return pieces[0].concat(*pieces[1:])

    def _responsibilities(self, records: Records) -> Tensor:
        return torch.cat([self.product.posterior(Evidence(chunk)) for chunk in records.chunks()])

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        found = torch.cat([self.product.posterior(Evidence(c), without=field) for c in records.chunks()])
        return found if field == self._class else found @ self.product.table(field)

    @property
    def _class(self) -> str | None:
        target = self.product.layout.target
        return None if target is None else target.name
