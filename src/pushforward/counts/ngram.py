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

from pushforward.counts.counting import Counter
from pushforward.counts.kneser_ney import Tree
from pushforward.counts.language import Language
from pushforward.counts.texts import Texts
from pushforward.counts.vocabulary import Characters, Vocabulary, Words, stream_of
from pushforward.data import Category, Records, Scan, Schema, Text
from pushforward.data.holes import overlay
from pushforward.errors import ArgumentError, DataError, FormatError
from pushforward.evidence import Evidence
from pushforward.joint import JointModel
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.run import Run

LONGEST = 1000  # symbols of a text that is drawn to fill a hole
VOCABULARIES: dict[str, type[Vocabulary]] = {"character": Characters, "word": Words}


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

    >>> model = NGram(order=3).fit({"text": ["the cat sat.", "the rat sat.", "a cat ran."]})
    >>> model.sample(2, given={"text": "the"}, seed=0).column("text").to_pylist()
    ['the rat sat.', 'the rat sat.']
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
        self._begin(data.schema)
        counter, step, spent = Counter(self.order), 0, 0.0
        checkpoints = Checkpoints(run.folder, self._fingerprint(data, weights, run)) if run.folder else None
        if checkpoints is not None and (found := checkpoints.latest()) is not None:
            state, facts = found
            step, spent = facts["step"], facts["elapsed"]
            self.vocabulary.restore(state["vocabulary"])
            self.levels = state["levels"].numpy()
            counter.restore(state["grams"].numpy(), state["counts"].numpy())

        def keep() -> None:
            if checkpoints is not None and place.first and step:
                rows, counts = (torch.from_numpy(a) for a in counter.table())
                state = {"vocabulary": self.vocabulary.state(), "levels": torch.from_numpy(self.levels)}
                checkpoints.save(step, {**state, "grams": rows, "counts": counts}, {"elapsed": spent})

        saved, at = start, 0
        try:
            for i, chunk in enumerate(data.chunks()):
                share = None if weights is None else weights[at : at + len(chunk)]
                at += len(chunk)
                if i < step:
                    continue
                self._count(counter, chunk, share)
                step, elapsed = i + 1, spent + time.monotonic() - start
                if at == len(data):
                    self._solve(counter)
                elif time.monotonic() - saved >= run.checkpoint:
                    keep()
                    saved = time.monotonic()
                remaining = elapsed * (len(data) - at) / at
                yield Progress("count", step, {"symbols": float(len(self.vocabulary))}, elapsed, remaining)
            if "texts" not in self.__dict__:  # all was counted when the run stopped
                self._solve(counter)
        finally:
            spent += time.monotonic() - start
            keep()

    def _begin(self, schema: Schema) -> None:
        self.__dict__.pop("texts", None)
        self._text = schema.of_kind(Text)[0]
        self._category = next(iter(schema.of_kind(Category)), None)
        self.vocabulary = VOCABULARIES[self.unit]()
        self.levels = np.zeros((1 + self._many, 2))

    @property
    def _many(self) -> int:
        """How many categories there are."""
        return 0 if self._category is None else len(self._category.values)

    def _count(self, counter: Counter, chunk: Records, weights: np.ndarray | None) -> None:
        """Add a chunk: its n-grams, how often each category occurs, and with how many texts."""
        texts = chunk.column(self._text.name).combine_chunks()
        share = np.ones(len(chunk)) if weights is None else weights
        codes, there = self._codes(chunk), texts.is_valid().to_numpy(zero_copy_only=False)
        np.add.at(self.levels, (codes, (~there).astype(int)), share)
        able = there & (share > 0)  # what has no weight teaches no symbol either
        if not able.any():
            return
        symbols, lengths = self.vocabulary.learn(texts.filter(pa.array(able)) if not able.all() else texts)
        stream = stream_of(symbols, lengths)[1:]
        labels: np.ndarray | int = 0
        if self._category is not None:
            labels = np.repeat((codes[able] + 1) % (self._many + 1), lengths + 1)  # 0 where it is not known
        counter.add(stream, labels, None if weights is None else np.repeat(share[able], lengths + 1))

    def _codes(self, records: Records) -> np.ndarray:
        """(n,) positions of the categories; one beyond the last where they are not known."""
        if self._category is None or self._category.name not in records.names:
            return np.full(len(records), self._many)
        values = pa.array(self._category.values, self._category.arrow_type)
        found = pa.compute.index_in(records.column(self._category.name), values)
        return found.fill_null(self._many).to_numpy().astype(np.int64)

    def _solve(self, counter: Counter) -> None:
        """From counts to probabilities, with the symbols in order."""
        rows, counts = counter.table()
        new = self.vocabulary.ordered()
        labels = rows[:, 0] if self._category is not None else np.zeros(len(rows), np.int32)
        rows = np.concatenate([labels[:, None], new[rows[:, 1:]].astype(np.int32)], 1)
        order = np.lexsort(rows.T[::-1])
        self._smooth(rows[order], counts[order])

    def _smooth(self, rows: np.ndarray, counts: np.ndarray) -> None:
        """The trees of n-grams; rows hold category + 1 (0: not known) and the symbols."""
        self.grams, self.counts = rows, counts
        k = self.k if self.smoothing == "add-k" else None
        size = len(self.vocabulary)
        everything = Tree.grown(np.zeros(len(rows), np.int64), rows[:, 1:], counts, size=size, roots=1, k=k)
        own = None
        if self._many:
            of = rows[:, 0] > 0
            own = Tree.grown(rows[of, 0] - 1, rows[of, 1:], counts[of], size=size, roots=self._many, k=k)
        self.texts = Texts(self.vocabulary, Language(everything, own, halves=k is None), self._many)

    # State

    def _found(self) -> dict[str, Any]:
        return {"grams": len(self.counts), "vocabulary": len(self.vocabulary.state())}

    def _state(self) -> dict[str, Tensor]:
        return {
            "vocabulary": self.vocabulary.state(),
            "grams": torch.from_numpy(self.grams),
            "counts": torch.from_numpy(self.counts),
            "levels": torch.from_numpy(self.levels),
        }

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
        self._begin(self.schema)
        self.vocabulary.restore(state["vocabulary"])
        rows, counts, self.levels = (state[name].numpy() for name in ("grams", "counts", "levels"))
        if len(rows) and (
            rows.min() < 0 or rows[:, 0].max() > self._many or rows[:, 1:].max() >= len(self.vocabulary)
        ):
            raise FormatError("the n-grams name symbols or categories that there are not; copy the model again")
        if not all(np.isfinite(a).all() and (a >= 0).all() for a in (counts, self.levels)):
            raise FormatError("the counts are not numbers of at least 0; copy the model again")
        self._smooth(rows, counts)

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

        >>> NGram().fit({"text": ["the cat sat", "on the cat"]}).following("t")["h"] > 0.4
        True
        """
        self._require_fit("following")
        if category is None:
            return self.texts.following(prefix, None)
        if self._category is None or category not in self._category.values:
            known = "no category" if self._category is None else self._category.describe()
            raise ArgumentError(f"category={category!r} was not seen; there is {known}")
        return self.texts.following(prefix, self._category.values.index(category))

    def _prior(self) -> np.ndarray:
        """(categories,) log p(category), each with one more than was counted."""
        counted = self.levels[: self._many].sum(1) + 1
        return np.log(counted / counted.sum())

    def _joint(self, evidence: Evidence, *, prefix: bool = False) -> np.ndarray:
        """(n, categories or 1) log p(category and what is known of the text); -∞ for categories it cannot be."""
        records = evidence.values
        if self._text.name in records.names:
            found = self.texts.log_probability(records.column(self._text.name).combine_chunks(), prefix=prefix)
        else:
            found = np.zeros((len(evidence), max(1, self._many)))
        if self._category is None:
            return found
        codes = self._codes(records)
        able = (codes[:, None] == np.arange(self._many)) | (codes == self._many)[:, None]
        limit = evidence.limits.get(self._category.name)
        if limit is not None and limit.values:
            able &= np.isin(np.arange(self._many), np.asarray(limit.values, int))
        return np.where(able, found + self._prior(), -np.inf)

    def _log_evidence(self, evidence: Evidence) -> Tensor:
        return torch.from_numpy(np.logaddexp.reduce(self._joint(evidence), axis=1))

    def _predict_proba(self, records: Records, field: str) -> Tensor:
        names = [self._text.name] if self._text.name in records.names else []
        pieces = [self._joint(Evidence(chunk).only(self.schema, names)) for chunk in records.chunks()]
        return torch.from_numpy(np.concatenate(pieces)).softmax(1)

    def _sample(
        self,
        n: int,
        given: Evidence | None,
        generator: torch.Generator,
        *,
        longest: Annotated[int, Ge(1), doc("most symbols that are drawn for a text")] = 1000,
        temperature: Annotated[float, Gt(0), doc("below 1 the probable becomes more so, above 1 less")] = 1.0,
    ) -> Records:
        evidence = given or Evidence.nothing(self.schema, n)
        drawn = self._drawn(evidence, generator, holes=True, longest=longest, temperature=temperature)
        return overlay(drawn, evidence.values.select([f for f in evidence.values.names if f != self._text.name]))

    def _draw(self, evidence: Evidence, generator: torch.Generator, *, holes: bool) -> Records:
        return self._drawn(evidence, generator, holes=holes)

    def _drawn(
        self, evidence: Evidence, generator: torch.Generator, *, holes: bool,
        longest: int | None = None, temperature: float = 1.0,
    ) -> Records:  # fmt: skip
        """Records given the evidence; with a bound on their length, texts go on from where the known ones end."""
        known = evidence.over(self.schema)
        begun = known.column(self._text.name).combine_chunks()
        n, columns = len(evidence), {}
        codes = None
        if self._category is not None:
            log = torch.from_numpy(self._joint(evidence, prefix=longest is not None))
            codes = torch.multinomial(log.softmax(1), 1, generator=generator)[:, 0].numpy()
            missing = np.zeros(n, bool)
            limit = evidence.limits.get(self._category.name)
            if holes and self._category.missing and (limit is None or limit.hole):
                rate = self.levels[-1].sum() / self.levels.sum()
                rate = 1.0 if limit is not None and not limit.values else rate
                missing = torch.rand(n, generator=generator, dtype=torch.float64).numpy() < rate
            values = pa.array(self._category.values, self._category.arrow_type)
            columns[self._category.name] = values.take(pa.array(codes, mask=missing))
        texts = self._written(begun, codes, generator, longest, temperature)
        if holes and self._text.missing:
            row = self.levels if codes is None else self.levels[codes]
            rate = np.broadcast_to(row[:, 1] / np.maximum(row.sum(1), 1e-300), (n,))
            gone = torch.rand(n, generator=generator, dtype=torch.float64).numpy() < rate
            texts = pa.compute.if_else(pa.array(gone & begun.is_null().to_numpy(zero_copy_only=False)), None, texts)
        columns[self._text.name] = texts
        return Records(self.schema, pa.table(columns).select(list(self.schema.names)))

    def _written(
        self, begun: pa.Array, codes: np.ndarray | None, generator: torch.Generator, longest: int | None, heat: float
    ) -> pa.Array:
        """Texts that go on from these; without a bound only those that are missing are written."""
        rows = np.flatnonzero(begun.is_null().to_numpy(zero_copy_only=False)) if longest is None else np.arange(len(begun))
        if not rows.size:
            return begun
        of = None if codes is None else codes[rows]
        texts = begun.to_pylist()
        written = self.texts.go_on(begun.take(pa.array(rows)), of, generator, longest or LONGEST, heat)
        for row, text in zip(rows.tolist(), written, strict=True):
            texts[row] = text
        return pa.array(texts, pa.string())
