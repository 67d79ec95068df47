"""Columns and pairs of columns of drawn records over those of real ones, the most telling first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from pushforward.compare.report.blocks import note
from pushforward.compare.report.charts import marginal, pair
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import number
from pushforward.data import Category, Field, Number, Records
from pushforward.metrics import Measured
from pushforward.metrics.rows import Rows, rows

FIELDS, PAIRS = 8, 3
PAIRS_WORDS = (
    "The pairs that are drawn least well. Bars span the middle half of a number, a tick is its median; discs and rings "
    "are as large as the share of records. The number is how alike the pair goes together; 1: alike."
)


def detail(found: Measured | str | None, key: str) -> Mapping[Any, float]:
    """What a metric was made of, if it was measured and tells."""
    return found.detail.get(key, {}) if isinstance(found, Measured) else {}


def marginals(view: View, real: Records) -> Safe | None:
    """A row for each column, those first that models draw least well; a panel for each model."""
    fields = [field for field in real.schema if isinstance(field, Number | Category)]
    if not fields:
        return None
    scores = {one.model: detail(one.found.get("column shapes"), "columns") for one in view.ran}
    order = _worst([field.name for field in fields], scores.values())
    shown = [real.schema[name] for name in order[:FIELDS]]
    parts = [_row(view, real, field, scores) for field in shown]
    more = f" Shown are {FIELDS} of {len(fields)} columns." if len(fields) > FIELDS else ""
    return join(
        el("h3", "Columns"),
        el("p", _key(), f"Columns that are drawn least well come first.{more} "
           "The number is how alike they are distributed; 1: alike.", class_="note"),
        el("div", parts, class_="blocks"),
    )  # fmt: skip


def _key() -> Safe:
    return el("span", el("i", class_="box"), "Real records are grey, drawn ones coloured. ", class_="key")


def _row(view: View, real: Records, field: Field, scores: Mapping[str, Mapping[Any, float]]) -> Safe:
    figures = []
    for model, drawn in view.drawn.items():
        if field.name not in drawn.names or drawn.schema[field.name].kind != field.kind:
            continue
        theirs, ours = rows(real.select([field.name]), drawn.select([field.name]))
        words = f"{field.name} of {model} over that of held-out records"
        chart = _marginal(field, theirs, ours, words, view.shape(model))
        score = scores.get(model, {}).get(field.name)
        head = el("figcaption", view.name(model), el("b", number(score, 2)) if score is not None else None)
        figures.append(el("figure", head, chart, class_=view.colour(model)))
    return _block(el("h4", field.name), figures)


def _block(title: Safe, figures: list[Safe]) -> Safe:
    """Panels of all models under their title, as wide as they are many."""
    return el("div", title, el("div", figures, class_="grid panels"), style=f"--n:{len(figures)}")


def _marginal(field: Field, theirs: Rows, ours: Rows, words: str, shape: int) -> Safe:
    if isinstance(field, Category):
        real, drawn = theirs.codes[field.name], ours.codes[field.name]
        return marginal.levels(real, drawn, theirs.levels[field.name], words, shape)
    assert isinstance(field, Number)
    return marginal.numbers(theirs.numbers[field.name], ours.numbers[field.name], words, _writer(field))


def _writer(field: Number) -> Callable[[float], str]:
    """How a number of this field is written: dates and times as such."""
    kind = field.arrow_type
    if not pa.types.is_temporal(kind):
        return number

    def said(value: float) -> str:
        storage = pa.int32() if kind.bit_width == 32 else pa.int64()
        try:
            return str(pa.scalar(round(value), storage).cast(kind))[:10]
        except (OverflowError, ValueError, pa.ArrowException):  # beyond the years that Python counts
            return number(value)

    return said


def pairs(view: View, real: Records) -> Safe | None:
    """The pairs of columns that models draw least well, a panel for each model."""
    names = [field.name for field in real.schema if isinstance(field, Number | Category)]
    every = [(a, b) for a, b in combinations(names, 2)]
    if not every:
        return None
    scores = {one.model: _sorted_pairs(detail(one.found.get("pair trends"), "pairs")) for one in view.ran}
    parts = []
    for a, b in _telling(real, _worst(every, scores.values())):
        figures = []
        for model, drawn in view.drawn.items():
            if not {a, b} <= set(drawn.names):
                continue
            chart = _pair(real.select([a, b]), drawn.select([a, b]), a, b, model)
            score = scores[model].get((a, b), scores[model].get((b, a)))
            head = el("figcaption", view.name(model), el("b", number(score, 2)) if score is not None else None)
            figures.append(el("figure", head, chart, class_=view.colour(model)))
        parts.append(_block(el("h4", a, el("span", " × ", class_="muted"), b), figures))
    return join(el("h3", "Pairs of columns"), note(PAIRS_WORDS), el("div", parts, class_="blocks"))


def _telling(real: Records, order: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first pair of numbers, since clouds show most, and then the first of all others."""
    numbers = {field.name for field in real.schema.of_kind(Number) if _spread(real, field.name)}
    clouds = [pair for pair in order if set(pair) <= numbers][:1]
    return (clouds + [pair for pair in order if pair not in clouds])[:PAIRS]


def _spread(real: Records, name: str) -> bool:
    """Whether no single value makes up half of a column, as zeros may, and leaves nothing to see."""
    counts = real.column(name).drop_null().value_counts().field("counts").to_pylist()
    return bool(counts) and max(counts) <= len(real) / 2


def _pair(real: Records, drawn: Records, a: str, b: str, model: str) -> Safe:
    theirs, ours = rows(real, drawn)
    words = f"{a} and {b} of {model} over those of held-out records"
    if a in theirs.numbers and b in theirs.numbers:
        return pair.clouds((theirs.numbers[a], theirs.numbers[b]), (ours.numbers[a], ours.numbers[b]), (a, b), words)
    if a in theirs.codes and b in theirs.codes:
        levels = theirs.levels[a], theirs.levels[b]
        return pair.rings((theirs.codes[a], theirs.codes[b]), (ours.codes[a], ours.codes[b]), levels, words)
    category, value = (a, b) if a in theirs.codes else (b, a)
    both = [(part.codes[category], part.numbers[value]) for part in (theirs, ours)]
    field = real.schema[value]
    assert isinstance(field, Number)
    return pair.spans(both[0], both[1], theirs.levels[category], words, _writer(field))


def _sorted_pairs(found: Mapping[Any, float]) -> dict[tuple[str, str], float]:
    return {(key[0], key[1]): value for key, value in found.items()}


def _worst(names: list[Any], scores: Iterable[Mapping[Any, float]]) -> list[Any]:
    """Names by their mean score over models, the lowest first; those without a score last, as they came."""
    every = list(scores)

    def mean(name: Any) -> float:
        there = [
            s
            for each in every
            if (s := each.get(name, each.get(name[::-1]) if isinstance(name, tuple) else None)) is not None
        ]
        return float(np.mean(there)) if there else np.inf

    return sorted(names, key=mean)
