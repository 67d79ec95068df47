"""Ranges and sets as evidence, for families that hold the joint distribution."""

from __future__ import annotations

import numpy as np

from pushforward.data import Category, Number
from pushforward.limits import among, between
from pushforward.testing.case import Case, Inapplicable

N = 40


def check_a_range_holds(case: Case) -> None:
    """What is drawn lies within, and the rest is drawn as ever."""
    for field, values in _numbers(case):
        low, high = np.quantile(values, [0.3, 0.7], method="nearest")
        out = case.model.sample(N, given={field.name: between(low, high)}, seed=0)
        assert len(out) == N, f"{len(out)} records instead of {N}"
        column = out.column(field.name)
        assert column.null_count == 0, f"{field.name} between {low} and {high} has holes"
        drawn = column.to_numpy()
        assert (drawn >= low).all() and (drawn <= high).all(), f"{field.name} leaves {low} to {high}: {drawn}"


def check_a_set_holds(case: Case) -> None:
    """What is drawn is one of the values, and each of them is drawn; or a hole, where that is among them."""
    for field in _categories(case):
        wanted = field.values[:2]
        out = case.model.sample(N, given={field.name: among(*wanted)}, seed=0).column(field.name).to_pylist()
        assert set(out) <= set(wanted), f"{field.name} among {wanted} is {set(out)}"
        if field.missing:
            out = case.model.sample(5, given={field.name: among(None)}, seed=0).column(field.name)
            assert out.null_count == 5, f"{field.name} among None is {out.to_pylist()}"


def check_parts_add_up_to_the_whole(case: Case) -> None:
    """The probabilities of ranges, and of levels, that divide all that can be."""
    for field, values in _numbers(case):
        middle = np.quantile(values, 0.5, method="nearest")
        below = middle if field.resolution is None else middle - field.resolution
        if field.name in case.model.given or middle <= values.min():
            continue
        parts = [case.model.log_prob({field.name: part}) for part in (between(None, below), between(middle, None))]
        _whole(np.exp(parts).sum(), f"{field.name} up to {below} and from {middle}")
    for category in _categories(case):
        if category.name not in case.model.given:
            parts = [case.model.log_prob({category.name: among(value)}) for value in category.values]
            _whole(np.exp(parts).sum(), f"the levels of {category.name}")


def _whole(total: float, what: str) -> None:
    assert abs(total - 1) < 1e-6, f"the probabilities of {what} add up to {total:.9f}"


def _numbers(case: Case) -> list[tuple[Number, np.ndarray]]:
    _joint(case)
    fields = case.model.schema.of_kind(Number)
    return [(f, case.records.column(f.name).drop_null().to_numpy()) for f in fields]


def _categories(case: Case) -> tuple[Category, ...]:
    _joint(case)
    return case.model.schema.of_kind(Category)


def _joint(case: Case) -> None:
    if not hasattr(case.model, "_log_rest"):
        raise Inapplicable("the family takes values only")
