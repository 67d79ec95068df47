"""The contract: what a person may ask of any generative model, and what a family must answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Category, Number, Records, Scan, Schema, Text, as_part, as_records, read
from pushforward.data.weights import digest, weighed
from pushforward.errors import ArgumentError, DataError, NotFittedError, one_of
from pushforward.evidence import Evidence, evidence, is_event
from pushforward.families import name_of
from pushforward.parameters import Parameter, check_all, of_function
from pushforward.saving import save
from pushforward.sides import both, refuse_new_holes
from pushforward.training.display import drain
from pushforward.training.progress import Progress
from pushforward.training.randomness import checked_seed, generator
from pushforward.training.run import Run
from pushforward.tunable import Tunable
from pushforward.verbs import verb
from pushforward.walks import along
from pushforward.walks import between as way

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The hook that a family defines to have a verb; `predict` follows from `predict_proba`, and so on.
_HOOKS = {
    "sample": "_sample",
    "log_prob": "_log_prob",
    "score": "_log_prob",
    "encode": "_encode",
    "decode": "_decode",
    "reconstruct": "_reconstruct",
    "traverse": "_code_moments",
    "interpolate": "_code_moments",
    "scatter": "_encode",
    "denoise": "_denoise",
    "complete": "_complete",
    "predict": "_predict_proba",
    "predict_proba": "_predict_proba",
    "assign": "_responsibilities",
    "responsibilities": "_responsibilities",
    "transport": "_transport",
    "path": "_transport",
    "similarity": "_similarity",
    "search": "_similarity",
}
Steps = Iterator[tuple[float, Records]]  # times from 0 to 1, and where records are at each
WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
VERBS = tuple(_HOOKS)


@dataclass(kw_only=True, eq=False)
class Model(Tunable, ABC):
    """A distribution over records that is learned from records.

    A family is a keyword-only dataclass whose fields are its hyperparameters, annotated with bounds and
    one line each. It defines `_fit` and the state that is saved, and the hooks of the verbs it has; everything a
    person calls stands here, once.

    Attributes:
        schema: the fields of the data it was fitted to.
        given: the fields that are conditions: it has learned p(rest | given).
        density: what `log_prob` is: ``exact``, ``bound`` (from below) or ``estimate``.
        measurements: what was measured during the fit.
    """

    assumes: ClassVar[str] = ""  # what a family takes for granted of all data, and real data rarely obeys
    schema: ClassVar[Schema]
    given: ClassVar[tuple[str, ...]]
    measurements: ClassVar[dict[str, Any]]
    _learned: ClassVar[tuple[Schema, tuple[str, ...]] | None] = None  # while a fit is under way
    _other: ClassVar[Records | Scan | None] = None  # the second data set, while a fit is under way

    def options(self, verb: str = "sample") -> dict[str, Parameter]:
        """The options of `sample`, or of another verb; none for a verb that the family has not got."""
        hook = getattr(self, _HOOKS.get(verb, "_sample"), None)
        return {} if hook is None else of_function(hook)

    # Learning

    def fit(self, data: Any, *, to: Any = None, given: Collection[str] = (), weights: Any = None, **run: Any) -> Self:
        """Learn the distribution of the data; what was learned before is forgotten.

        Args:
            data: anything that `read` takes, or what `scan` returns.
            to: a second data set of the same fields, for a family that moves one onto another.
            given: fields that are conditions.
            weights: one number ≥ 0 a record, or the name of a column that holds them.
            run: `minutes`, `steps`, `seed`, `device`, `folder` and what else `budget()` says; see `Run`.

        Raises:
            DataError: the data cannot be read or modelled.
            ArgumentError: an argument is out of range or unknown.
            DivergedError: a loss stopped being a finite number.
        """
        drain(self.fitting(data, to=to, given=given, weights=weights, **run), title=name_of(type(self)))
        return self

    def fitting(
        self, data: Any, *, to: Any = None, given: Collection[str] = (), weights: Any = None, **run: Any
    ) -> Iterator[Progress]:
        """Fit as an iterator of `Progress`: the same as `fit`, watched step by step.

        The arguments are checked here, the work is done as the iterator is gone through.
        """
        for name in set(run) - set(self.budget()):
            known = one_of(name, self.budget())
            raise ArgumentError(f"{name}= is not an option of {type(self).__name__}.fit; {known}")
        budget = Run(**run)
        check_all(self.parameters(), self.get_params(), type(self).__name__)  # they may have been set by hand
        data = data if isinstance(data, Scan) else read(data)
        if len(data) == 0:
            raise DataError("the data holds no records; give at least one")
        data, self.__dict__["_other"] = both(type(self), data, to, weights, budget)
        data, shares = weighed(data, weights)
        given = (given,) if isinstance(given, str) else tuple(given)
        for name in given:
            if name not in data.schema:
                raise ArgumentError(f"given={name!r} is not a field of the data; {one_of(name, data.schema.names)}")
        if set(given) == set(data.schema.names):
            raise ArgumentError(f"given={list(given)} names every field; leave at least one to be learned")
        rest = data.schema.without(given)
        self._check(rest, data.schema.select(given))
        self._check_count(len(data))
        return self._fitting(data, given, shares, budget)

    def _fitting(self, data: Records | Scan, given: tuple[str, ...], weights: np.ndarray | None, run: Run) -> Iterator:
        start, fitted_with = time.monotonic(), self.configuration()
        for name in ("schema", "given", "measurements"):
            self.__dict__.pop(name, None)
        self.__dict__["_learned"] = (data.schema, given)
        last = None
        for last in self._fit(data, weights, run):
            yield last
        self.__dict__.pop("_learned")
        self.__dict__.pop("_other")
        self.__dict__.update(schema=data.schema, given=given, _fitted_with=fitted_with)
        losses = {} if last is None else {k: round(v, 6) for k, v in last.losses.items()}
        seconds = round(time.monotonic() - start, 2)
        steps = 0 if last is None else last.step
        self.__dict__["measurements"] = {
            "records": len(data),
            "seconds": seconds,
            "steps": steps,
            "seed": run.seed,
            "last": losses,
            **self._measured(),
        }

    # Drawing and judging

    @verb
    def sample(self, n: int, *, given: Any = None, seed: int | None = None, **options: Any) -> Records:
        """Draw n records.

        Args:
            n: how many, at least 1.
            given: values to hold fixed: one for all, or one a record (a dict of columns, a frame, Records); families
                that hold the joint distribution also take ranges (`between`) and sets (`among`).
            seed: the same seed draws the same records; without one they differ from call to call.
            options: the family's own; see `options()`.

        Raises:
            NotFittedError: the model is not fitted.
            ArgumentError: an argument is out of range, or a field cannot be held fixed.
            DataError: a given value is none of its field's.
        """
        self._require_fit("sample")
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ArgumentError(f"n={n!r} is out of range; it must be a whole number, at least 1")
        checked = self._options("sample", options)
        allowed, why = self._allowed()
        fixed = self._limitable(evidence(given, int(n), self.schema, allowed, why))
        return self._sample(int(n), fixed, generator(checked_seed(seed)), **checked)

    @verb
    def log_prob(self, data: Any, **options: Any) -> np.ndarray:
        """Nats per record, (n,) float64, in the units of the data; see `density` for what kind of number it is.

        Whole numbers, numbers on a grid, categories and pixels are counted, other numbers measured by length.
        Holes are marginalised. After ``fit(given=…)`` it is log p(rest | given). Families that hold the joint
        distribution marginalise fields that the data lacks, and take a dict of values, ranges (`between`) and sets
        (`among`) as the event whose probability is asked for.

        Args:
            data: the records, or an event.
            options: the family's own; see `options("log_prob")`.

        Raises:
            NotFittedError: the model is not fitted.
            DataError: the data does not fit the schema, or has holes that this family cannot marginalise.
        """
        self._require_fit("log_prob")
        checked = self._options("log_prob", options)
        if is_event(data, values=hasattr(self, "_log_rest")):
            event = self._limitable(evidence(data, None, self.schema, self.schema.names, ""))
            assert event is not None
            return self._array(self._log_rest(event))
        records = self._read(data, "log_prob", partial=hasattr(self, "_log_rest"))
        return self._array(self._log_prob(records, **checked))

    @verb
    def score(self, data: Any, **options: Any) -> float:
        """The mean of `log_prob`."""
        return float(self.log_prob(data, **options).mean())

    @property
    def density(self) -> str:
        """What `log_prob` is: ``exact``, ``bound`` or ``estimate``; ``none`` where there is none."""
        self._require_fit("density")
        return self._density() if hasattr(self, "log_prob") else "none"

    @verb
    def encode(self, data: Any, **options: Any) -> np.ndarray:
        """The representation of each record, (n, k).

        Args:
            data: the records.
            options: the family's own; see `options("encode")`.
        """
        records = self._read(data, "encode")
        return self._encode(records, **self._options("encode", options)).detach().cpu().numpy()

    @verb
    def decode(self, codes: Any, *, given: Any = None) -> Records:
        """The records that representations stand for.

        Args:
            codes: (n, k), such as `encode` gives; an array or a tensor on any device.
            given: the conditions, for a model that was fitted given some; as for `sample`.

        Raises:
            NotFittedError: the model is not fitted.
            ArgumentError: the codes are no numbers, none at all, or none of this model.
        """
        self._require_fit("decode")
        codes = self._coded(codes)
        allowed, why = self.given, f"this model was fitted given {list(self.given)}"
        n = len(codes) if codes.ndim else 1
        return self._decode(codes, self._limitable(evidence(given, n, self.schema, allowed, why)))

    @verb
    def reconstruct(self, data: Any) -> Records:
        """The records after encoding and decoding."""
        return self._reconstruct(self._read(data, "reconstruct"))

    @verb
    def traverse(
        self, data: Any = None, *, given: Any = None, rows: int = 8, steps: int = 7, reach: float = 2.0
    ) -> Records:
        """What the numbers of a code stand for: the records along each of those that vary most, row after row.

        Args:
            data: one record to stay at; if not said, the middle of all codes.
            given: the conditions, if not those of the record.
            rows: numbers that are gone along.
            steps: records a number.
            reach: how far, in deviations to either side.
        """
        self._require_fit("traverse")
        for name, value, least in (("rows", rows, 1), ("steps", steps, 2)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ArgumentError(f"{name}={value!r} is out of range; it must be a whole number, at least {least}")
        center, deviation = (each.cpu() for each in self._code_moments())
        if data is not None:
            record = self._single(data, "data")
            center = self._encode(record)[0].to(center)
            given = self._conditions(record) if given is None else given
        codes = along(center, deviation, rows, steps, float(reach))
        return self.decode(codes, given=given)

    @verb
    def interpolate(self, a: Any, b: Any, n: int = 8, *, given: Any = None) -> Records:
        """The records on the way from one to another, both of them as they come out of their codes.

        Args:
            a, b: one record each.
            n: records, the ends among them.
            given: the conditions, if not those of `a`.
        """
        self._require_fit("interpolate")
        if isinstance(n, bool) or not isinstance(n, int) or n < 2:
            raise ArgumentError(f"n={n!r} is out of range; it must be a whole number, at least 2")
        one, other = self._single(a, "a"), self._single(b, "b")
        center, deviation = (each.cpu() for each in self._code_moments())
        start, end = (self._encode(record)[0].to(center) for record in (one, other))
        codes = way(start, end, center, deviation, n)
        return self.decode(codes, given=self._conditions(one) if given is None else given)

    @verb
    def scatter(self, data: Any, by: str, path: str | Path | None = None) -> Figure:
        """The codes of records as points in the plane, coloured by a field of the data; a single number by record.

        Args:
            data: at least two records.
            by: a field of theirs, which need not be one that was learned.
            path: where the figure is written too, as PNG, SVG or PDF.

        Raises:
            ArgumentError: there is no such field, or the file cannot be written.
            PushforwardError: matplotlib is not installed.
        """
        from pushforward.drawing.scatter import scatter

        codes, values = self.encode(data), read(data).to_numpy()
        if by not in values:
            raise ArgumentError(f"by={by!r} is no field of the data; {one_of(by, values)}")
        axes = [f"code, {word} {'direction' if codes.shape[1] > 2 else 'number'}" for word in ("first", "second")]
        if codes.shape[1] == 1:
            codes, axes = np.stack([codes[:, 0], np.arange(len(codes))], 1), ["code", "record"]
        return scatter(codes, values[by], label=by, axes=axes, path=path)

    @verb
    def denoise(self, data: Any, noise: float | Mapping[str, float]) -> Records:
        """The posterior mean of the clean records, if Gaussian noise was added to them.

        Args:
            data: the noisy records.
            noise: its standard deviation, in the units of the numbers (pictures: as a share of full range);
                one for all, or one a field.
        """
        self._require_fit("denoise")
        # noise takes whole numbers off their grid, so they are read as any number
        loose = [replace(f, type="double") if isinstance(f, Number) and f.type in WHOLE else f for f in self.schema]
        records = as_records(data, Schema(tuple(loose)))
        if len(records) == 0:
            raise DataError("the data of denoise holds no records; give at least one")
        numbers = [f.name for f in self.schema if f.name not in self.given and f.kind in ("number", "image")]
        sigmas = dict(noise) if isinstance(noise, Mapping) else dict.fromkeys(numbers, noise)
        for name, sigma in sigmas.items():
            if name not in numbers:
                raise ArgumentError(f"noise={name!r} is not a number or picture of the model; {one_of(name, numbers)}")
            if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number) or not 0 < sigma < np.inf:
                raise ArgumentError(f"noise={sigma!r} is out of range; it must be greater than 0")
        return self._denoise(records, sigmas)

    @verb
    def complete(self, data: Any, *, seed: int | None = None, **options: Any) -> Records:
        """Draw what is missing given what is there, which stays as it is.

        Args:
            data: the records.
            seed: the same seed draws the same.
            options: the family's own; see `options("complete")`.
        """
        records = self._read(data, "complete", partial=True)
        return self._complete(records, generator(checked_seed(seed)), **self._options("complete", options))

    @verb
    def predict_proba(self, data: Any, field: str | None = None, *, among: Sequence[str] | None = None) -> np.ndarray:
        """(n, levels): the probability of each value of a category, given all other fields.

        Args:
            data: the records.
            field: the category.
            among: captions that are chosen from instead, by a family that compares pictures with texts.
        """
        self._require_fit("predict_proba")
        if among is not None:
            captions = self._captions(among, field)
            return self._array(self._chosen(data, captions))
        if field is None:
            raise ArgumentError("field= is not said; name the category that is to be predicted")
        target = self.schema[field]
        if not isinstance(target, Category) or field in self.given:
            known = [f.name for f in self.schema.of_kind(Category) if f.name not in self.given]
            text = isinstance(target, Text) and field not in self.given
            cure = "of a text, name those to choose from in among=" if text else one_of(field, known)
            raise ArgumentError(f"field={field!r} is not a category that is modelled; {cure}")
        return self._array(self._predict_proba(self._read(data, "predict_proba", partial=True), field))

    @verb
    def predict(self, data: Any, field: str | None = None, *, among: Sequence[str] | None = None) -> np.ndarray:
        """The most probable value of a category given all other fields, or of some captions; see `predict_proba`."""
        best = self.predict_proba(data, field, among=among).argmax(1)
        if among is not None:
            return np.asarray(self._captions(among), dtype=np.object_)[best]
        target = self.schema[str(field)]
        assert isinstance(target, Category)
        return np.asarray(target.values, dtype=np.object_)[best]

    @verb
    def similarity(self, pictures: Any, texts: Any = None) -> np.ndarray:
        """Cosines of pictures and texts, in the space that both share.

        Args:
            pictures: records, which hold the texts too where those are not said.
            texts: m texts, each of which every picture is compared with: strings, or records.

        Returns:
            (n,) of each picture with its own text, or (n, m) of each with all texts.
        """
        self._require_fit("similarity")
        return self._array(self._similarity(pictures, texts))

    @verb
    def search(self, query: Any, data: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k records of `data` most similar to a query, the best first: pictures of a text, or texts of a picture.

        Args:
            query: a text, a list of texts, or records with pictures.
            data: what is searched: pictures if texts are asked for, else texts.
            k: how many; all where there are fewer.

        Returns:
            Their positions and their cosines, (k,) of one text or else (queries, k).

        Raises:
            ArgumentError: the query is empty, or k is no whole number above 0.
        """
        self._require_fit("search")
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise ArgumentError(f"k={k!r} is out of range; it must be a whole number, at least 1")
        worded = isinstance(query, str) or (isinstance(query, list | tuple) and all(isinstance(q, str) for q in query))
        if worded:
            texts = [query] if isinstance(query, str) else list(query)
            found = self._similarity(data, self._captions(texts)).T
        else:
            found = self._similarity(query, data)
        best = found.topk(min(int(k), found.shape[1]), 1)
        rows, cosines = best.indices.cpu().numpy(), self._array(best.values)
        return (rows[0], cosines[0]) if isinstance(query, str) else (rows, cosines)

    @verb
    def responsibilities(self, data: Any) -> np.ndarray:
        """(n, components): the posterior probability of each component."""
        return self._array(self._responsibilities(self._read(data, "responsibilities")))

    @verb
    def assign(self, data: Any) -> np.ndarray:
        """(n,) the component each record most probably comes from."""
        return self.responsibilities(data).argmax(1)

    @verb
    def transport(self, data: Any, *, reverse: bool = False, seed: int | None = None, **options: Any) -> Records:
        """Records of one side as records of the other, one for each, in the same order.

        Args:
            data: records of the first data set that the model was fitted to; of the second where it goes in reverse.
            reverse: whether it goes from the second to the first.
            seed: the same seed draws the same; without noise on the way there is little or nothing to be drawn.
            options: the family's own; see `options("transport")`.

        Raises:
            NotFittedError: the model is not fitted.
            DataError: the data does not fit the schema, or has holes where none were seen.
            ArgumentError: an argument is out of range.
        """
        *_, (_, records) = self._moved("transport", data, reverse, seed, options)
        return records

    @verb
    def path(
        self, data: Any, *, reverse: bool = False, seed: int | None = None, **options: Any
    ) -> list[tuple[float, Records]]:
        """Where records are on their way to the other side: (time, records) from (0, the data) to (1, `transport`).

        The arguments are those of `transport`; there is a state for each step and the start.
        """
        return list(self._moved("path", data, reverse, seed, options))

    def save(self, folder: str | Path) -> Path:
        """Write the fitted model to a folder, whole or not at all; `load` reads it."""
        self._require_fit("save")
        return save(self, Path(folder))

    # Capability

    @property
    def fitted(self) -> bool:
        """Whether it has learned something."""
        return "schema" in self.__dict__

    def lacks(self, verb: str) -> str | None:
        """Why this model has not got a verb; None if it has."""
        if not hasattr(type(self), _HOOKS[verb]):
            return "this family does not do that"
        asked = "encode" if verb == "scatter" else verb  # a scatter is of codes
        return self._lacks(asked) if self.fitted else None

    # What a family answers

    @abstractmethod
    def _fit(self, data: Records | Scan, weights: np.ndarray | None, run: Run) -> Iterator[Progress]:
        """Learn; `self.learning` says the schema and the conditions."""

    @abstractmethod
    def _state(self) -> dict[str, Tensor]:
        """All that was learned, as tensors."""

    @abstractmethod
    def _skeleton(self) -> dict[str, Tensor]:
        """Tensors on the device ``meta``, of the names, shapes and types that `_state` has for this configuration."""

    @abstractmethod
    def _restore(self, state: dict[str, Tensor], device: str) -> None:
        """Take back what `_state` gave."""

    if TYPE_CHECKING:  # the hooks of verbs: a family defines those that it has, and has no others
        # keyword-only arguments of hooks, annotated, are options of the verb
        def _sample(self, n: int, given: Evidence | None, generator: torch.Generator) -> Records: ...
        def _log_prob(self, records: Records) -> Tensor: ...
        def _log_rest(self, evidence: Evidence) -> Tensor: ...  # of families that take ranges and sets
        def _encode(self, records: Records) -> Tensor: ...
        def _decode(self, codes: Tensor, given: Evidence | None) -> Records: ...
        def _reconstruct(self, records: Records) -> Records: ...
        def _code_moments(self) -> tuple[Tensor, Tensor]: ...  # mean and deviation of each number of a code
        def _denoise(self, records: Records, sigmas: Mapping[str, float]) -> Records: ...
        def _complete(self, records: Records, generator: torch.Generator) -> Records: ...
        def _predict_proba(self, records: Records, field: str) -> Tensor: ...
        def _chosen(self, data: Any, captions: list[str]) -> Tensor: ...  # (n, captions) probabilities
        def _similarity(self, pictures: Any, texts: Any) -> Tensor: ...
        def _responsibilities(self, records: Records) -> Tensor: ...
        # whole: whether states on the way are wanted, not the last alone
        def _transport(self, records: Records, reverse: bool, whole: bool, generator: torch.Generator) -> Steps: ...

    def _check(self, rest: Schema, given: Schema) -> None:
        """Refuse, by name, fields that the family cannot model or be conditioned on."""

    def _check_count(self, n: int) -> None:
        """Refuse, by name, hyperparameters that n records are too few for; it is asked before anything is learned."""

    def _allowed(self) -> tuple[Collection[str], str]:
        """The fields that `sample` may hold fixed, and what to do about the others."""
        return self.given, f"fit again with given=[…] naming it; this model was fitted given {list(self.given)}"

    def _lacks(self, verb: str) -> str | None:
        """Why this fitted model has not got a verb that its family has."""
        return None

    def _density(self) -> str:
        return "exact"

    def _measured(self) -> dict[str, Any]:
        """What the fit found out beside the weights, as plain JSON values; it stands among `measurements`.

        Sizes that the data decided are here, so that `_skeleton` knows them.
        """
        return {}

    # Shared

    @property
    def learning(self) -> tuple[Schema, tuple[str, ...]]:
        """The schema and the conditions, also while the fit is under way."""
        return self._learned or (self.schema, self.given)

    def _fingerprint(self, data: Records | Scan, weights: np.ndarray | None, run: Run, **more: Any) -> dict[str, Any]:
        """What a run must share with the checkpoints it goes on from."""
        _, given = self.learning
        own = {"family": name_of(type(self)), **self.configuration(), "given": list(given), "seed": run.seed}
        own |= {} if self._other is None else {"to": digest(self._other, None)}
        return {**own, "records": len(data), "data": digest(data, weights), **more}

    def _moved(self, verb: str, data: Any, reverse: bool, seed: int | None, options: dict[str, Any]) -> Steps:
        records = self._read(data, verb)
        if not isinstance(reverse, bool):
            raise ArgumentError(f"reverse={reverse!r} is a {type(reverse).__name__}; it must be true or false")
        refuse_new_holes(records)
        checked = self._options(verb, options)
        return self._transport(records, reverse, verb == "path", generator(checked_seed(seed)), **checked)

    def _options(self, verb: str, options: dict[str, Any]) -> dict[str, Any]:
        return check_all(self.options(verb), options, f"{type(self).__name__}.{verb}")

    def _limitable(self, fixed: Evidence | None) -> Evidence | None:
        """The evidence, refused if it holds ranges or sets that the family cannot be exact about."""
        if fixed is not None and fixed.limits and not hasattr(self, "_log_rest"):
            name = next(iter(fixed.limits))
            raise ArgumentError(f"given={name!r} is a range or set; {type(self).__name__} takes values only, say one")
        return fixed

    def _read(self, data: Any, verb: str, *, partial: bool = False) -> Records:
        self._require_fit(verb)
        part = self._takes_parts(verb)
        records = as_part(data, self.schema) if part else as_records(data, self.schema, partial=partial)
        if len(records) == 0:
            raise DataError(f"the data of {verb} holds no records; give at least one")
        return records

    def _takes_parts(self, verb: str) -> bool:
        """Whether a verb takes records that lack fields, pictures among them."""
        return False

    def _single(self, data: Any, name: str) -> Records:
        records = as_records(data, self.schema)
        if len(records) != 1:
            raise ArgumentError(f"{name} holds {len(records)} records; give one, such as data[:1]")
        return records

    def _captions(self, said: Sequence[str], field: str | None = None) -> list[str]:
        """Captions that a person names, refused where they say nothing, or stand beside a field."""
        if not hasattr(self, "_chosen"):
            raise ArgumentError(f"among= is not for {type(self).__name__}, which reads no captions; name a field")
        if field is not None:
            raise ArgumentError(f"field={field!r} and among= are both said; say one of them")
        captions = [said] if isinstance(said, str) else list(said)
        odd = next((c for c in captions if not isinstance(c, str) or not c.strip()), None)
        if odd is not None or not captions:
            raise ArgumentError(
                f"a caption is {odd!r}; say in a few words what a picture shows"
                if captions
                else "there is no caption to choose from; name at least one"
            )
        return captions

    def _conditions(self, record: Records) -> dict[str, Any] | None:
        """The conditions of one record, for as many as there will be."""
        return {name: record.column(name)[0].as_py() for name in self.given} if self.given else None

    def _require_fit(self, verb: str) -> None:
        if not self.fitted:
            raise NotFittedError(f"{verb} needs a fitted {type(self).__name__}; call fit(data) first")

    @staticmethod
    def _coded(codes: Any) -> Tensor:
        """Codes that a person hands over, on the processor."""
        if isinstance(codes, Tensor):
            found = codes.detach().cpu()
        else:
            try:
                found = torch.as_tensor(np.asarray(codes))
            except (TypeError, ValueError) as error:
                raise ArgumentError("codes must be numbers of shape (n, k), such as encode() gives") from error
        if found.is_complex():
            raise ArgumentError(f"codes are {found.dtype}; they must be real numbers, such as encode() gives")
        if found.ndim and not len(found):
            raise ArgumentError(f"codes have shape {tuple(found.shape)} and stand for no record; give at least one")
        return found

    @staticmethod
    def _array(values: Tensor) -> np.ndarray:
        return values.detach().cpu().double().numpy()
