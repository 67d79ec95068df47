"""The n-gram model as a family."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute
import torch
from annotated_types import Ge, Gt, Le, doc
from torch import Tensor

from pushforward.counts.ngrams.corpus import VOCABULARIES, Corpus
from pushforward.counts.ngrams.kneser_ney import Tree
from pushforward.counts.ngrams.language import Language
from pushforward.counts.ngrams.texts import Texts
from pushforward.data import Category, Records, Scan, Schema, Text
from pushforward.data.holes import overlay
from pushforward.errors import ArgumentError, DataError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.run import Run

LONGEST = 1000  # symbols of a text that is drawn to fill a hole


@dataclass(kw_only=True, eq=False)
class NGram(JointModel):
    """p(text) = Π_i p(w_i | the order - 1 symbols before it), by counting; p(text | category) where there is one.

    What follows what is counted, and repeated in the proportions in which it was seen; what was never seen gets what
    interpolated modified Kneser–Ney smoothing (Chen, Goodman 1998) or k pseudo-counts leave, so that no text is
    impossible. The end of a text is a symbol. `log_prob` is over all strings: an unknown character is any of the rest
    of Unicode alike; an unknown word is spelled by an n-gram model of characters. Texts of words are taken to differ
    in their words only, with one blank between. What is unknown is scored but not drawn: `sample` draws from p given
    that all symbols are known. A text that is given when drawing is how the text begins.

    With a category c of the records, p(c) is counted, and each c has its own counts, which back off to those of all
    texts (Bilmes, Kirchhoff 2003); Bayes' rule then gives p(c | text).

    >>> model = NGram(order=5).fit({"text": ["the cat sat.", "the rat sat.", "a cat ran."] * 9})
    >>> model.sample(2, given={"text": "the c"}, temperature=0.3, seed=0).column("text").to_pylist()
    ['the cat sat.', 'the cat ran.']
    """

    # one pass over the data, by the processor
    _needless = ("batch", "precision", "validation", "steps", "minutes")

    order: Annotated[int, Ge(1), Le(8), doc("symbols that are counted together: 2 is the bigram")] = 2
    unit: Annotated[Literal["character", "word"], doc("what a symbol is")] = "character"
    smoothing: Annotated[Literal["kneser-ney", "add-k"], doc("what is left for what was never seen")] = "kneser-ney"
    k: Annotated[float, Gt(0), doc("pseudo-counts of each symbol after each context, for add-k")] = 1.0

    # Learning

    def _check(self, rest: Schema, given: Schema) -> None:
        fields = (*rest, *given)
        odd = [f for f in fields if not isinstance(f, Text | Category)]
        if odd:
            raise DataError(f"field {odd[0].name!r} is {odd[0].kind}, which n-grams cannot model; leave it out")
        texts = [f.name for f in fields if isinstance(f, Text)]
        if not texts:
            names = ", ".join(f.name for f in fields)
            raise DataError(f"none of the fields ({names}) is text; read the data with text=[…] naming one")
        if len(texts) > 1:
            raise DataError(f"field {texts[1]!r} is a second text beside {texts[0]!r}; leave one out")
        if texts[0] in given:
            raise DataError(f"field {texts[0]!r} is text, which cannot be a condition; give a category, or nothing")
        categories = [f.name for f in fields if isinstance(f, Category)]
        if len(categories) > 1:
            raise DataError(f"field {categories[1]!r} is a second category beside {categories[0]!r}; leave one out")

    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        place, start = Place(run), time.monotonic()  # each process counts all: tables of n-grams are not summed
        corpus, step, spent = Corpus(data.schema, self.order, self.unit), 0, 0.0
        checkpoints = Checkpoints(run.folder, self._fingerprint(data, weights, run)) if run.folder else None
        if checkpoints is not None and (found := checkpoints.latest()) is not None:
            state, facts = found
            corpus.restore(state)
            step, spent = facts["step"], facts["elapsed"]

        def keep() -> None:
            if checkpoints is not None and place.first and step:
                checkpoints.save(step, corpus.state(), {"elapsed": spent + time.monotonic() - start})

        saved, at = start, 0
        try:
            for i, chunk in enumerate(data.chunks()):
                share = None if weights is None else weights[at : at + len(chunk)]
                at += len(chunk)
                if i < step:
                    continue
                corpus.observe(chunk, share)
                step = i + 1
                if at < len(data) and time.monotonic() - saved >= run.checkpoint:
                    keep()
                    saved = time.monotonic()
                elapsed = spent + time.monotonic() - start
                remaining = elapsed * (len(data) - at) / at
                yield Progress("count", step, {"symbols": float(len(corpus.vocabulary))}, elapsed, remaining)
        finally:
            keep()
        corpus.settle()
        self._smooth(corpus)

    def _smooth(self, corpus: Corpus) -> None:
        """From counts to probabilities."""
        self.corpus = corpus
        rows, counts = corpus.table()
        k = self.k if self.smoothing == "add-k" else None
        size, many = len(corpus.vocabulary), corpus.categories
        everything = Tree.grown(np.zeros(len(rows), np.int64), rows[:, 1:], counts, size=size, roots=1, k=k)
        own = None
        if many:
            of = rows[:, 0] > 0
            own = Tree.grown(rows[of, 0] - 1, rows[of, 1:], counts[of], size=size, roots=many, k=k)
        self.texts = Texts(corpus.vocabulary, Language(everything, own, halves=k is None), many)

    # State

    def _measured(self) -> dict[str, Any]:
        state = self.corpus.state()
        return {"grams": len(state["counts"]), "vocabulary": len(state["vocabulary"])}

    def _state(self) -> dict[str, Tensor]:
        return self.corpus.state()

    def _skeleton(self) -> dict[str, Tensor]:
        many, symbols = (self.measurements[name] for name in ("grams", "vocabulary"))
        levels = 1 + sum(len(field.values) for field in self.schema.of_kind(Category))
        return {
            "vocabulary": torch.empty(symbols, dtype=VOCABULARIES[self.unit].kind, device="meta"),
            "grams": torch.empty((many, self.order + 1), dtype=torch.int32, device="meta"),
            "counts": torch.empty(many, dtype=torch.float64, device="meta"),
            "levels": torch.empty((levels, 2), dtype=torch.float64, device="meta"),
        }

    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        corpus = Corpus(self.schema, self.order, self.unit)
        corpus.restore(state)
        self._smooth(corpus)

    # Verbs

    def following(self, prefix: str = "", category: Any = None) -> dict[str, float]:
        """The symbols that may come after a prefix with their probabilities, the most probable first.

        Args:
            prefix: how the text begins.
            category: of the text; None: any.

        Returns:
            The empty string stands for the end of the text. What is missing to 1 is that of unknown symbols.

        Raises:
            NotFittedError: the model is not fitted.
            ArgumentError: the category is not one of those that were seen.

        >>> model = NGram(order=2, smoothing="add-k", k=1).fit({"text": ["aa", "ab"]})
        >>> model.following("a")  # of three times, and one more for each of a, b, the end and the unknown
        {'': 0.2857142857142857, 'a': 0.2857142857142857, 'b': 0.2857142857142857}
        """
        self._require_fit("following")
        if category is None:
            return self.texts.following(prefix, None)
        if self.corpus.category is None or category not in self.corpus.category.values:
            known = "no category" if self.corpus.category is None else self.corpus.category.describe()
            raise ArgumentError(f"category={category!r} was not seen; there is {known}")
        return self.texts.following(prefix, self.corpus.category.values.index(category))

    def _prior(self) -> np.ndarray:
        """(categories,) log p(category), each with one more than was counted."""
        counted = self.corpus.levels[: self.corpus.categories].sum(1) + 1
        return np.log(counted / counted.sum())

    def _joint(self, evidence: Evidence, *, prefix: bool = False) -> np.ndarray:
        """(n, categories or 1) log p(category and what is known of the text); -∞ for categories it cannot be."""
        records = evidence.values
        if self.corpus.text.name in records.names:
            found = self.texts.log_probability(records.column(self.corpus.text.name).combine_chunks(), prefix=prefix)
        else:
            found = np.zeros((len(evidence), max(1, self.corpus.categories)))
        if self.corpus.category is None:
            return found
        codes = self.corpus.codes(records)
        able = (codes[:, None] == np.arange(self.corpus.categories)) | (codes == self.corpus.categories)[:, None]
        limit = evidence.limits.get(self.corpus.category.name)
        if limit is not None and limit.values:
            able &= np.isin(np.arange(self.corpus.categories), np.asarray(limit.values, int))
        return np.where(able, found + self._prior(), -np.inf)

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return torch.from_numpy(np.logaddexp.reduce(self._joint(evidence), axis=1))

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        names = [self.corpus.text.name] if self.corpus.text.name in records.names else []
        pieces = [self._joint(Evidence(chunk).only(self.schema, names)) for chunk in records.chunks()]
        return torch.from_numpy(np.concatenate(pieces)).softmax(1)

    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        longest: Annotated[int, Ge(1), doc("most symbols that are drawn for a text")] = 1000,
        length: Annotated[int | None, Ge(1), doc("draw exactly so many symbols for a text, then end it")] = None,
        temperature: Annotated[float, Gt(0), doc("below 1 the probable becomes more so, above 1 less")] = 1.0,
    ) -> Records:
        evidence = given or Evidence.nothing(self.schema, n)
        drawn = self._drawn(
            evidence, generator, holes=True, longest=length or longest, temperature=temperature, full=length is not None
        )
        return overlay(drawn, evidence.values.select([f for f in evidence.values.names if f != self.corpus.text.name]))

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        return self._drawn(evidence, generator, holes=holes)

    def _drawn(
        self, evidence: Evidence, generator: torch.Generator, *, holes: bool,
        longest: int | None = None, temperature: float = 1.0, full: bool = False,
    ) -> Records:  # fmt: skip
        """Records given the evidence; with a bound on their length, texts go on from where the known ones end."""
        known = evidence.over(self.schema)
        begun = known.column(self.corpus.text.name).combine_chunks()
        n, columns = len(evidence), {}
        codes = None
        if self.corpus.category is not None:
            log = torch.from_numpy(self._joint(evidence, prefix=longest is not None))
            codes = torch.multinomial(log.softmax(1), 1, generator=generator)[:, 0].numpy()
            missing = np.zeros(n, bool)
            limit = evidence.limits.get(self.corpus.category.name)
            if holes and self.corpus.category.missing and (limit is None or limit.hole):
                rate = self.corpus.levels[-1].sum() / self.corpus.levels.sum()
                rate = 1.0 if limit is not None and not limit.values else rate
                missing = torch.rand(n, generator=generator, dtype=torch.float64).numpy() < rate
            values = pa.array(self.corpus.category.values, self.corpus.category.arrow_type)
            columns[self.corpus.category.name] = values.take(pa.array(codes, mask=missing))
        texts = self._written(begun, codes, generator, longest, temperature, full)
        if holes and self.corpus.text.missing:
            row = self.corpus.levels if codes is None else self.corpus.levels[codes]
            rate = np.broadcast_to(row[:, 1] / np.maximum(row.sum(1), 1e-300), (n,))
            gone = torch.rand(n, generator=generator, dtype=torch.float64).numpy() < rate
            texts = pa.compute.if_else(pa.array(gone & begun.is_null().to_numpy(zero_copy_only=False)), None, texts)
        columns[self.corpus.text.name] = texts
        return Records(self.schema, pa.table(columns).select(list(self.schema.names)))

    def _written(
        self, begun: pa.Array, codes: np.ndarray | None, generator: torch.Generator,
        longest: int | None, heat: float, full: bool,
    ) -> pa.Array:  # fmt: skip
        """Texts that go on from these; without a bound only those that are missing are written."""
        rows = (
            np.flatnonzero(begun.is_null().to_numpy(zero_copy_only=False)) if longest is None else np.arange(len(begun))
        )
        if not rows.size:
            return begun
        of = None if codes is None else codes[rows]
        texts = begun.to_pylist()
        written = self.texts.go_on(begun.take(pa.array(rows)), of, generator, longest or LONGEST, heat, full)
        for row, text in zip(rows.tolist(), written, strict=True):
            texts[row] = text
        return pa.array(texts, pa.string())
