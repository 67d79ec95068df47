"""What is held fixed comes back as it was given; a text that is modelled begins as was given."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pushforward.data import Number, Text
from pushforward.errors import ArgumentError
from pushforward.testing.case import Case, Inapplicable, column_of, refused


def check_given_value_is_returned(case: Case) -> None:
    """One value for all."""
    for name in values_of(case, 1):
        value = case.whole.column(name)[0].as_py()
        _held(case, 5, {name: _numpy(case, name)[0]}, {name: [value] * 5}, f"given={{{name!r}: …}}")


def check_given_column_is_returned(case: Case) -> None:
    """One value a record, field by field and all at once."""
    columns = values_of(case, 5)
    for name, column in columns.items():
        _held(case, 5, {name: column}, {name: column.to_pylist()}, f"a column of {name}")
    _held(case, 5, columns, {name: c.to_pylist() for name, c in columns.items()}, "all fields at once")


def check_given_frame_is_returned(case: Case) -> None:
    """As a frame, and as records."""
    columns = values_of(case, 5)
    wanted = {name: column.to_pylist() for name, column in columns.items()}
    _held(case, 5, pa.table(columns), wanted, "a frame")
    _held(case, 5, case.whole[:5].select(columns), wanted, "records")


def check_given_number_off_what_was_seen_is_returned(case: Case) -> None:
    """A number that was never seen is as good as any."""
    seen = [f for f in case.model.schema.of_kind(Number) if f.name in values_of(case, 1) and f.resolution is None]
    if not seen:
        raise Inapplicable("no float can be held fixed")
    field = seen[0]
    value = field.high + 0.123456789 * (field.high - field.low)
    _held(case, 3, {field.name: value}, {field.name: [value] * 3}, f"{field.name}={value!r}")


def check_given_hole_is_left_open(case: Case) -> None:
    """A missing cell among what is given is drawn, unless the field may be missing."""
    free = [n for n in values_of(case, 4) if n not in case.model.given and case.model.schema[n].kind != "image"]
    if not free:
        raise Inapplicable("only conditions can be held fixed")
    for name in free:
        values = [None, *case.whole.column(name)[1:4].to_pylist()]
        column = column_of(case.whole[:4], name, values)[name]
        out = case.model.sample(4, given={name: column}, seed=0).column(name).to_pylist()
        assert _as_given(case, name, out[1:], values[1:]), f"{name} beside a hole is not returned as given"
        assert out[0] is not None or case.model.schema[name].missing, f"a hole given in {name} is left as a hole"


def check_what_cannot_be_given_is_refused(case: Case) -> None:
    """What cannot be held fixed is refused by name, with what to do."""
    case.need("sample")
    for name in set(case.model.schema.names) - set(case.model._allowed()[0]):
        with refused(f"given={name!r}", ArgumentError, name, "fit"):
            case.model.sample(2, given={name: case.whole.column(name)[:2]}, seed=0)


def check_given_of_another_length(case: Case) -> None:
    """Neither one value nor one a record."""
    columns = values_of(case, 3)
    for name, column in columns.items():
        with refused(f"three values of {name} for n=5", ArgumentError, name, "3", "5"):
            case.model.sample(5, given={name: column}, seed=0)


def values_of(case: Case, n: int) -> dict[str, Any]:
    """The first n values of the fields that may be held fixed, all but the last where that is all."""
    allowed = [name for name in case.model.schema.names if name in case.model._allowed()[0]]
    if len(allowed) == len(case.model.schema):
        allowed = allowed[:-1] or allowed
    if not allowed:
        raise Inapplicable("nothing can be held fixed")
    return {name: case.whole.column(name)[:n].combine_chunks() for name in allowed}


def _numpy(case: Case, name: str) -> Any:
    return case.whole.to_numpy()[name]


def _held(case: Case, n: int, given: Any, wanted: dict[str, list[Any]], what: str) -> None:
    out = case.model.sample(n, given=given, seed=1)
    assert len(out) == n, f"{what}: {len(out)} records instead of {n}"
    for name, values in wanted.items():
        found = out.column(name)
        assert found.type == case.model.schema[name].arrow_type, f"{what}: {name} comes back as {found.type}"
        assert _as_given(case, name, found.to_pylist(), values), f"{what}: {name} is not returned exactly"


def _as_given(case: Case, name: str, found: list[Any], values: list[Any]) -> bool:
    """Whether values are those given, or for a text that the model goes on with, begin with them."""
    if isinstance(case.model.schema[name], Text) and name not in case.model.given:
        return all(text is not None and text.startswith(start) for text, start in zip(found, values, strict=True))
    return found == values
