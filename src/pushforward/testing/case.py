"""What a check is handed: a family, data, and the little that most checks need of both."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pushforward.data import Category, Image, Number, Records, read
from pushforward.errors import DataError, PushforwardError
from pushforward.model import VERBS, Model
from pushforward.testing.examples import Example

VERBS_OF_DATA = ("log_prob", "encode", "reconstruct", "responsibilities", "complete", "transport", "similarity")


class Inapplicable(Exception):  # noqa: N818 - it is no error
    """A check has nothing to look at in this case."""


@dataclass(frozen=True)
class Case:
    """A family on some data.

    Attributes:
        make: gives a new model that is not fitted.
        example: the data.
        options: what `fit` gets, such as a few steps.
        tolerance: largest relative difference of what should be equal but for rounding; by the type of the
            weights if not said.
    """

    make: Callable[[], Model]
    example: Example
    options: Mapping[str, Any] = field(default_factory=dict)
    loose: float | None = None

    @cached_property
    def model(self) -> Model:
        """A fitted model that all checks share; none may change it."""
        return self.fit()

    @cached_property
    def records(self) -> Records:
        """The data as read."""
        return read(self.example.data)

    @cached_property
    def tolerance(self) -> float:
        """Largest relative difference that rounding explains."""
        if self.loose is not None:
            return self.loose
        kinds = {t.dtype for t in self.model._state().values() if t.is_floating_point()}
        return 1e-9 if kinds <= {torch.float64} else 1e-5

    def fit(self, data: Any = None, **options: Any) -> Model:
        """A new model, fitted to the data of the case or other data."""
        return self.train(self.make(), data, **options)

    def train(self, model: Model, data: Any = None, **options: Any) -> Model:
        """Fit a model to the data of the case or other data."""
        data = self.example.data if data is None else data
        return model.fit(data, **{"given": self.example.given, **self.beside(data), **self.options, **options})

    def beside(self, data: Any = None) -> dict[str, Any]:
        """What `fit` is told of a second data set, by a family that takes one: the same data once more."""
        data = self.example.data if data is None else data
        return {"to": data} if hasattr(self.make(), "transport") else {}

    def try_fit(self, data: Any) -> Model:
        """Fit a new model to data of the check's own, without conditions; a family that cannot model it is let off."""
        try:
            return self.train(self.make(), data, given=())
        except DataError as error:
            raise Inapplicable(str(error)) from error

    def need(self, *verbs: str) -> None:
        """Let off a model that lacks one of these verbs."""
        for verb in verbs:
            if not hasattr(self.model, verb):
                raise Inapplicable(f"the model has no {verb}")

    def draw(self, n: int, **options: Any) -> Records:
        """n records by the model of the case."""
        return self.draw_by(self.model, n, **options)

    def draw_by(self, model: Model, n: int, **options: Any) -> Records:
        """n records by another model; by one that moves records, as many of the case moved."""
        return drawn(model, self.whole, n, **options)

    @cached_property
    def draws(self) -> bool:
        """Whether the model draws records, or moves some."""
        return hasattr(self.model, "sample") or hasattr(self.model, "transport")

    @cached_property
    def whole(self) -> Records:
        """The records without a hole."""
        holes = np.zeros(len(self.records), bool)
        for name in self.records.names:
            holes |= self.records.column(name).is_null().to_numpy()
        return self.records[~holes]

    @cached_property
    def category(self) -> str:
        """A category that is modelled."""
        names = [f.name for f in self.model.schema.of_kind(Category) if f.name not in self.model.given]
        if not names:
            raise Inapplicable("no category is modelled")
        return names[0]

    def answers(self, records: Records) -> dict[str, Any]:
        """What the model says of records, by verb, where that is a function of each record alone."""
        model = self.model
        asked: dict[str, Callable[[], Any]] = {
            "log_prob": lambda: model.log_prob(records),
            "encode": lambda: model.encode(records),
            "similarity": lambda: model.similarity(records),
            "responsibilities": lambda: model.responsibilities(records),
            "predict_proba": lambda: model.predict_proba(records, self.category),
            "reconstruct": lambda: model.reconstruct(records),
            "denoise": lambda: model.denoise(records, 0.1),
        }
        found = {}
        for verb, ask in asked.items():
            if hasattr(model, verb):
                with contextlib.suppress(Inapplicable):
                    found[verb] = ask()
        if not found:
            raise Inapplicable("no verb answers record by record")
        return found

    def agree(self, one: Mapping[str, Any], other: Mapping[str, Any], when: str) -> None:
        """Hold answers to be equal but for rounding."""
        for verb, answer in one.items():
            worst = difference(answer, other[verb])
            assert worst <= self.tolerance, f"{verb} differs by {worst:.2g} {when} (allowed: {self.tolerance:g})"


def drawn(model: Model, data: Any, n: int, **options: Any) -> Records:
    """n records by a model: draws, or by one that moves records, n of the data moved; others are let off."""
    if not hasattr(model, "transport"):
        if not hasattr(model, "sample"):
            raise Inapplicable("the model draws nothing")
        return model.sample(n, **options)
    records = read(data)
    return model.transport(records.take(np.arange(n) % len(records)), **options)


def difference(one: Any, other: Any) -> float:
    """The largest relative difference of two answers; what is on a grid may be a step apart."""
    if not isinstance(one, Records):
        assert one.shape == other.shape, f"shapes are {one.shape} and {other.shape}"
        return float(np.max(np.abs(one - other) / (1 + np.abs(one)), initial=0.0))
    worst = 0.0
    for field_ in one.schema:
        a, b = one.to_numpy()[field_.name], other.to_numpy()[field_.name]
        if isinstance(field_, Number | Image):
            step = 1.0 if isinstance(field_, Image) else field_.resolution or 0.0
            a, b = a.astype(float), b.astype(float)
            assert np.array_equal(np.isnan(a), np.isnan(b)), f"holes of {field_.name} differ"
            gap = np.nan_to_num(np.abs(a - b) - step, nan=0.0).clip(0) / (1 + np.abs(np.nan_to_num(a)))
            worst = max(worst, float(gap.max(initial=0.0)))
        else:
            worst = max(worst, float("inf") if a.tolist() != b.tolist() else 0.0)
    return worst


def same(one: Records, other: Records) -> bool:
    """Whether records are equal to the last bit."""
    return one.table.equals(other.table)


def same_state(one: Model, other: Model) -> bool:
    """Whether two models learned the same to the last bit."""
    a, b = one._state(), other._state()
    return a.keys() == b.keys() and all(_bytes(a[name]) == _bytes(b[name]) for name in a)


def _bytes(tensor: Tensor) -> tuple[str, bytes]:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return str(tensor.dtype), flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def verbs_of(model: Model) -> set[str]:
    """The verbs that a model has."""
    return {verb for verb in VERBS if hasattr(model, verb)}


@contextlib.contextmanager
def random_state_untouched(what: str) -> Iterator[None]:
    """Inside, nothing may draw from or seed the global generators of PyTorch, NumPy and Python."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    yield
    assert torch.equal(before[0], torch.get_rng_state()), f"{what} touched the random state of PyTorch"
    after = np.random.get_state()
    moved = any(not np.array_equal(a, b) for a, b in zip(before[1], after, strict=True))
    assert not moved, f"{what} touched the random state of NumPy"
    assert before[2] == random.getstate(), f"{what} touched the random state of Python"


@contextlib.contextmanager
def refused(what: str, kind: type[PushforwardError], *words: str) -> Iterator[None]:
    """Inside, an error of this kind must be raised, on one line that holds these words."""
    try:
        yield
    except kind as error:
        said = str(error)
        assert "\n" not in said, f"{what} is refused on several lines: {said!r}"
        for word in words:
            assert word in said, f"{what} is refused without naming {word!r}: {said!r}"
        return
    except Exception as error:
        raise AssertionError(f"{what} raises {type(error).__name__} ({error}), not {kind.__name__}") from error
    raise AssertionError(f"{what} is accepted")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def column_of(records: Records, name: str, values: list[Any]) -> pa.Table:
    """The records as a table, with other values in one column."""
    at = records.names.index(name)
    return records.table.set_column(at, name, pa.array(values))
