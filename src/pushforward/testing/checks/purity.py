"""What is handed over stays as it was."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from pushforward.data import Records
from pushforward.testing.case import VERBS_OF_DATA, Case, same, same_state
from pushforward.testing.checks.given import values_of


def check_input_untouched(case: Case) -> None:
    """No verb changes the data that it is given."""
    data = _writeable(case.example.data)
    before = copy.deepcopy(data)
    model = case.fit(data)
    assert _equal(before, data), "fit changed its data"
    for verb in (*VERBS_OF_DATA, "score"):
        if hasattr(model, verb):
            with contextlib.suppress(ValueError):  # refused, say for its holes: it must be untouched all the same
                getattr(model, verb)(data)
            assert _equal(before, data), f"{verb} changed its data"


def check_records_untouched(case: Case) -> None:
    """Nor the memory of records."""
    columns = copy.deepcopy(case.records.table.to_pydict())
    case.fit(case.records)
    case.answers(case.whole)
    assert repr(case.records.table.to_pydict()) == repr(columns), "records were changed"


def check_given_untouched(case: Case) -> None:
    """`sample` leaves what is held fixed as it was."""
    given = values_of(case, 4)
    before = copy.deepcopy(given)
    case.model.sample(4, given=given, seed=0)
    assert _equal(before, given), "sample changed what it was given"


def check_hyperparameters_untouched(case: Case) -> None:
    """`fit` learns; it does not change what was asked."""
    model = case.make()
    before = model.configuration()
    case.train(model)
    assert model.configuration() == before, "fit changed hyperparameters"


def check_fit_twice_is_fit_once(case: Case) -> None:
    """A second fit starts afresh."""
    model = case.fit()
    first = copy.deepcopy(model)
    case.train(model)
    assert same_state(first, model), "a second fit of the same data learns something else"
    if case.draws:
        assert same(case.draw_by(first, 5, seed=0), case.draw_by(model, 5, seed=0)), "a second fit draws other records"


def check_fit_forgets(case: Case) -> None:
    """What was learned before does not matter."""
    half = case.records[: len(case.records) // 2 + 1]
    model = case.train(case.fit(half))
    assert same_state(model, case.fit()), "a fit depends on what was fitted before"


def check_sampling_does_not_learn(case: Case) -> None:
    """No verb changes the model."""
    model = case.fit()
    before = copy.deepcopy(model)
    if case.draws:
        case.draw_by(model, 5, seed=1)
    case.answers(case.whole)
    assert same_state(before, model), "a verb changed the weights"
    if case.draws:
        assert same(case.draw_by(before, 5, seed=2), case.draw_by(model, 5, seed=2)), "a verb changed what is drawn"


def _writeable(data: Any) -> Any:
    if isinstance(data, np.ndarray):
        return data.copy()
    if isinstance(data, dict):
        return {name: _writeable(column) for name, column in data.items()}
    return copy.copy(data)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape and one.flags == other.flags
        return alike and (one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes())
    if isinstance(one, dict):
        return list(one) == list(other) and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, Records):
        return same(one, other)
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    return bool(repr(one) == repr(other))
