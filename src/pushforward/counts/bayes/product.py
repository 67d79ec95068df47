"""The learned product: how probable evidence is with each class, and draws given it."""

from __future__ import annotations

import pyarrow as pa
import torch
from torch import Tensor

from pushforward.counts.bayes import tables
from pushforward.counts.bayes.layout import Layout, codes_of
from pushforward.counts.bayes.likelihoods import GRID, LIKELIHOODS
from pushforward.counts.bayes.likelihoods.words import Vocabulary
from pushforward.counts.bayes.quantity import ALL, Quantity
from pushforward.data import Category, Field, Image, Number, Records, Schema, Text
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.evidence import Evidence
from pushforward.limits import Limit

TABLE = 2**24  # entries of a table of all values of all pixels; beyond, pixels are computed
MANY = 256  # records for which that table is worth its making


class Product:
    """p(class) Π_f p(field f | class) with its parameters.

    Args:
        layout: of the schema.
        state: the parameters, as `NaiveBayes` saves them.
    """

    def __init__(self, layout: Layout, state: dict[str, Tensor]):
        self.layout = layout
        self.prior, self.holes, self._level = state["prior"], state["holes"], state["tables"]
        self._mean, self._spread = state["mean"], state["spread"]
        self.quantities = {}
        for field in layout.numbers:
            at = layout.cells.columns[field.name].start
            atoms = self.table(field.name) if field.atoms else None
            kind = int(state["kind"][at])
            self.quantities[field.name] = Quantity(field, kind, self._mean[:, at], self._spread[:, at], atoms)
        self.texts: dict[str, tuple[Vocabulary, Tensor]] = {}
        for i, text in enumerate(layout.texts):
            vocabulary = Vocabulary.from_tensor(state[f"words{i}"], state[f"letters{i}"])
            padded = state[f"symbols{i}"]
            listed = torch.cat([padded[:, : vocabulary.size - 2], padded[:, -2:]], 1)
            self.texts[text.name] = vocabulary, listed
        self._pixels: dict[str, Tensor] = {}

    def table(self, name: str) -> Tensor:
        """(K, levels) the probabilities of a category, or of the atoms of a number."""
        return self._level[:, self.layout.parts[name]]

    # Scoring

    def posterior(self, evidence: Evidence, without: str | None = None) -> Tensor:
        """(n, K) p(class | evidence), but for one field."""
        joint = self.log_joint(evidence, without)
        return tables.posterior(joint, self.prior.log()[None]).expand(len(evidence), -1)

    def log_joint(self, evidence: Evidence, without: str | None = None) -> Tensor:
        """(n, K) log p(class, evidence); (1, K) where all records know the same."""
        values = evidence.values
        out = self.prior.log()[None]
        known = [f for f in values.schema if f.name != without and values.column(f.name).null_count < len(values)]
        target = self.layout.target
        if target is not None and target.name in (f.name for f in known):
            code = codes_of(values, target)[:, None]
            out = out.where((code < 0) | (code == torch.arange(self.layout.classes)), -torch.inf)
        for field in known:
            if isinstance(field, Text):
                out = out + self._log_text(field, values)
        rest = [f for f in known if f != target and not isinstance(f, Text)]
        if rest:
            out = out + self._log_cells(rest, values)
        for name, limit in evidence.limits.items():
            if name != without:
                out = out + self._log_limit(name, limit)
        return out

    def _log_cells(self, fields: list[Field], values: Records) -> Tensor:
        encoding = CellEncoding(Schema(tuple(fields)))
        cells = encoding.encode(values)
        parts = [self.table(factor.field) for factor in encoding.factors]
        logs = torch.cat(parts, 1).log() if parts else self.prior.new_zeros(self.layout.classes, 0)
        out = tables.scores(cells.codes, logs, [factor.levels for factor in encoding.factors])
        for field in fields:
            numbers = cells.numbers[:, encoding.columns[field.name]] if field.name in encoding.columns else None
            if isinstance(field, Image) and numbers is not None:
                out = out + self._log_pixels(field, numbers)
            elif isinstance(field, Number) and numbers is not None:
                out = out + self.quantities[field.name].log_prob(numbers[:, 0])
        return out

    def _log_pixels(self, field: Image, x: Tensor) -> Tensor:
        """(n, K) log p(picture | class); 0 where there is none."""
        where, grid = self.layout.cells.columns[field.name], LIKELIHOODS[GRID]
        mean, spread = self._mean[:, where], self._spread[:, where]
        if len(x) >= MANY and mean.numel() * 256 <= TABLE:
            if field.name not in self._pixels:
                every = grid.log_prob(torch.arange(256).double(), mean[..., None], spread[..., None], 1.0)
                self._pixels[field.name] = every.reshape(len(mean), -1)
            codes = torch.where(x.isnan(), -1, x).long()
            return tables.scores(codes, self._pixels[field.name], [256] * x.shape[1])
        shown = x.nan_to_num()
        out = torch.empty(len(x), len(mean), dtype=torch.float64)
        for k in range(len(mean)):  # class by class, since all at once would not fit
            logs = grid.log_prob(shown, mean[k], spread[k], 1.0)
            out[:, k] = logs.masked_fill(x.isnan(), 0.0).sum(1)
        return out

    def _log_text(self, field: Text, values: Records) -> Tensor:
        vocabulary, table = self.texts[field.name]
        symbols, starts, spelled = vocabulary.encode(values.column(field.name).to_pylist())
        said = torch.nn.functional.embedding_bag(symbols, table.log().T.contiguous(), starts, mode="sum")
        return said + spelled[:, None]

    def _log_limit(self, name: str, limit: Limit) -> Tensor:
        """(1, K) log p(a cell is what it may be | class)."""
        inside = self._inside(name, limit)
        if not limit.hole:
            return inside[None]
        hole = self._hole(name)
        return torch.log(hole + (1 - hole) * inside.exp())[None]

    def _inside(self, name: str, limit: Limit) -> Tensor:
        """(K,) log p(the value lies within | class)."""
        if name in self.quantities:
            return self.quantities[name].log_limit(limit)
        levels = [int(v) for v in limit.values or ()]
        if self.layout.target is not None and name == self.layout.target.name:
            return torch.isin(torch.arange(self.layout.classes), torch.tensor(levels).long()).double().log()
        return self.table(name)[:, levels].sum(1).clamp_max(1.0).log()

    def _hole(self, name: str) -> Tensor:
        return self.holes[:, self.layout.may_miss.index(name)]

    # Drawing

    def draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        """Records given the evidence; a field of which every cell is known comes as it is."""
        n, values, target = len(evidence), evidence.values, self.layout.target
        whole = {f.name for f in values.schema if values.column(f.name).null_count == 0}
        k = tables.draw(self._weights(evidence), _uniform(n, generator))
        columns: dict[str, pa.ChunkedArray | pa.Array] = {name: values.column(name) for name in whole}
        rest = Schema(tuple(f for f in self.layout.cells.schema if f.name not in whole))
        missing = {
            f.name: self._missing(f.name, k, evidence.limits.get(f.name), generator)
            for f in self.layout.schema
            if holes and f.missing and f.name not in whole
        }
        if len(rest):
            drawn = self._cells(rest, k, evidence, missing, generator)
            columns |= {name: drawn.column(name) for name in rest.names}
        if target is not None and target.name not in whole:
            mask = missing[target.name].numpy() if target.name in missing else None
            columns[target.name] = pa.array(target.values, target.arrow_type).take(pa.array(k.numpy(), mask=mask))
        for text in self.layout.texts:
            if text.name not in whole:
                vocabulary, table = self.texts[text.name]
                mask = missing[text.name].numpy() if text.name in missing else None
                columns[text.name] = pa.array(vocabulary.draw(table, k, generator), pa.string(), mask=mask)
        schema = self.layout.schema
        return Records(schema, pa.table({name: columns[name] for name in schema.names}, schema=schema.arrow))

    def _weights(self, evidence: Evidence) -> Tensor:
        """(n or 1, K) p(class | evidence)."""
        return tables.posterior(self.log_joint(evidence), self.prior.log()[None])

    def _missing(self, name: str, k: Tensor, limit: Limit | None, generator: torch.Generator) -> Tensor:
        """(n,) whether a cell is a hole, given its class and what it may be."""
        if limit is not None and not limit.hole:
            return torch.zeros(len(k), dtype=torch.bool)
        rate = self._hole(name)
        if limit is not None:
            rate = rate / (rate + (1 - rate) * self._inside(name, limit).exp())
            rate = rate.nan_to_num(nan=1.0)  # where a hole is all that it may be, it is one
        return _uniform(len(k), generator) < rate[k]

    def _cells(
        self, schema: Schema, k: Tensor, evidence: Evidence, missing: dict[str, Tensor], generator: torch.Generator
    ) -> Records:
        """Categories, numbers and pictures of the classes k."""
        encoding = CellEncoding(schema)
        numbers = torch.zeros(len(k), encoding.width, dtype=torch.float64)
        codes = torch.zeros(len(k), len(encoding.factors), dtype=torch.int64)
        for field in schema:
            limit, factor = evidence.limits.get(field.name), encoding.factor_of(field.name)
            if isinstance(field, Category):
                table = self.table(field.name)
                if limit is not None and limit.values:
                    kept = torch.zeros_like(table)
                    kept[:, [int(v) for v in limit.values]] = table[:, [int(v) for v in limit.values]]
                    table = kept
                codes[:, factor] = tables.draw(table, _uniform(len(k), generator), k)
            elif isinstance(field, Image):
                where = self.layout.cells.columns[field.name]
                z = torch.randn(len(k), self._mean[0, where].numel(), dtype=torch.float64, generator=generator)
                numbers[:, encoding.columns[field.name]] = self._mean[k, where] + self._spread[k, where].sqrt() * z
            else:
                x, atoms = self.quantities[field.name].draw(k, limit or ALL, generator)
                numbers[:, encoding.columns[field.name].start] = x.nan_to_num()
                if factor is not None:
                    codes[:, factor] = atoms
        none = torch.zeros(len(k), dtype=torch.bool)
        gone = [missing.get(name, none) for name in encoding.may_miss]
        holes = torch.stack(gone, 1) if gone else torch.zeros(len(k), 0, dtype=torch.bool)
        return encoding.decode(Cells(numbers, codes, holes))


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, dtype=torch.float64, generator=generator)
