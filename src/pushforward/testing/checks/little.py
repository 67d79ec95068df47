"""Little data: one record, one field, a column that never changes, no data at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from pushforward.data import Records
from pushforward.errors import ArgumentError, DataError
from pushforward.model import Model
from pushforward.testing.case import VERBS_OF_DATA, Case, Inapplicable, drawn, refused


def check_one_record(case: Case) -> None:
    """A single record is learned from, or refused in one line."""
    _learn_or_refuse(case, case.whole[:1], given=case.example.given)


def check_two_records(case: Case) -> None:
    """So are two."""
    _learn_or_refuse(case, case.whole[:2], given=case.example.given)


def check_one_field(case: Case) -> None:
    """Each field alone."""
    for name in case.records.names:
        if name not in case.example.given:
            _learn_or_refuse(case, case.records.select([name]), given=())


def check_a_constant_column(case: Case) -> None:
    """A number and a word that never change."""
    x = np.random.default_rng(0).standard_normal(40)
    for column in (np.full(40, 2.5), np.full(40, 0.0), np.full(40, 7), ["same"] * 40):
        _learn_or_refuse(case, {"x": x, "constant": column}, given=())


def check_repeated_data(case: Case) -> None:
    """Forty copies of one record."""
    _learn_or_refuse(case, case.whole.take(np.zeros(40, int)), given=case.example.given)


def check_huge_and_tiny_numbers(case: Case) -> None:
    """Numbers of very different sizes."""
    rng = np.random.default_rng(0)
    _learn_or_refuse(case, np.stack([rng.standard_normal(40) * 1e12, rng.standard_normal(40) * 1e-12], 1), given=())


def check_empty_data_is_refused(case: Case) -> None:
    """No records, no answer."""
    nothing = case.records[:0]
    for data, name in ((nothing, "records"), (nothing.table, "a table")):
        with refused(f"fitting {name} without rows", DataError):
            case.fit(data)
        for verb in (*VERBS_OF_DATA, "score"):
            if hasattr(case.model, verb):
                with refused(f"{verb} of {name} without rows", DataError):
                    getattr(case.model, verb)(data)


def _learn_or_refuse(case: Case, data: Any, *, given: Any) -> None:
    try:
        model = case.train(case.make(), data, given=given)
    except (DataError, ArgumentError) as error:  # a run that diverges is no refusal
        assert "\n" not in str(error), f"refused on several lines: {error}"
        return
    if case.draws:
        out = _drawn(model, data, given)
        assert len(out) == 5 and _finite(out), "what is drawn is not finite"
    if hasattr(model, "log_prob"):
        try:
            found = model.log_prob(data)
        except DataError:  # holes that the family cannot marginalise
            return
        assert np.isfinite(found).all(), f"log_prob is not finite: {found[:3]}"


def _drawn(model: Model, data: Any, given: Any) -> Records:
    told = _condition(data, given)
    return drawn(model, data, 5, seed=0) if told is None else model.sample(5, given=told, seed=0)


def _condition(data: Any, given: Any) -> dict[str, Any] | None:
    if not given:
        return None
    if not isinstance(data, Records):
        raise Inapplicable("conditions of data that is not records")
    return {name: data.take(np.zeros(5, int)).column(name) for name in given}


def _finite(records: Records) -> bool:
    return all(
        np.isfinite(records.column(field.name).drop_null().to_numpy().astype(float)).all()
        for field in records.schema
        if field.kind == "number" and not str(field.arrow_type).startswith(("date", "time", "duration"))
    )
