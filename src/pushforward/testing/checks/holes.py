"""Missing cells: legal, marginalised or refused, and filled without touching what is there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pushforward.data import Category, Number, Records
from pushforward.errors import DataError
from pushforward.testing.case import Case, Inapplicable, refused, same


def check_complete_leaves_what_is_there(case: Case) -> None:
    """Cells that are known come back to the last bit."""
    case.need("complete")
    holed = punched(case)
    out = case.model.complete(holed, seed=0)
    assert out.table.schema.equals(holed.table.schema), "complete changed names or types of fields"
    for name in holed.names:
        known = holed.column(name).is_valid()
        before, after = holed.column(name).filter(known), out.column(name).filter(known)
        assert before.equals(after), f"complete changed known cells of {name}"


def check_complete_fills_every_hole(case: Case) -> None:
    """No hole is left in a field that is modelled."""
    case.need("complete")
    holed = punched(case)
    assert any(holed.column(name).null_count for name in holed.names)
    out = case.model.complete(holed, seed=0)
    for name in _modelled(case):
        assert out.column(name).null_count == 0, f"complete left holes in {name}"


def check_complete_takes_columns_that_are_absent(case: Case) -> None:
    """A column that is not there is all holes."""
    case.need("complete")
    for name in _modelled(case)[:1]:
        rest = case.whole[:4].table.drop_columns([name])
        out = case.model.complete(rest, seed=0)
        assert out.column(name).null_count == 0, f"complete did not draw the absent {name}"


def check_complete_draws(case: Case) -> None:
    """Other seeds fill holes otherwise."""
    case.need("complete")
    holed = punched(case)
    one, two = (case.model.complete(holed, seed=seed) for seed in (0, 1))
    assert not same(one, two), "two seeds fill all holes alike"


def check_only_fields_with_holes_get_holes(case: Case) -> None:
    """A field that was never missing is never missing in what is drawn."""
    out = case.draw(200, seed=0)
    for field in out.schema:
        if not field.missing:
            assert out.column(field.name).null_count == 0, f"{field.name} was drawn with holes"


def check_nan_is_a_hole(case: Case) -> None:
    """NaN and a missing cell are one thing."""
    holed = [f.name for f in case.records.schema.of_kind(Number) if f.missing]
    if not holed or not isinstance(case.example.data, dict):
        raise Inapplicable("no number has holes")
    nothing = {name: _with_none(column) if name in holed else column for name, column in case.example.data.items()}
    one, two = case.model, case.fit(pa.table({n: pa.array(c) for n, c in nothing.items()}).cast(_kinds(case)))
    assert [f.missing for f in one.schema] == [f.missing for f in two.schema], "NaN and None make different fields"
    assert len(case.draw_by(two, 3, seed=0)) == 3


def check_log_prob_of_a_hole(case: Case) -> None:
    """A hole is marginalised, or refused by the name of its field."""
    case.need("log_prob")
    for name in _modelled(case):
        holed = _hole_in(case.whole[:5], name)
        try:
            found = case.model.log_prob(holed)
        except DataError as error:
            assert name in str(error), f"a hole in {name} is refused without naming it: {error}"
            continue
        assert np.isfinite(found).all(), f"log_prob with a hole in {name} is not finite"


def check_a_hole_sums_over_its_levels(case: Case) -> None:
    """Where numbers are exact, a missing category has the probability of all its levels together."""
    case.need("log_prob")
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal(60), "a": [*rng.choice(list("pqr"), 59).tolist(), None]}
    model = case.try_fit(data)
    if model.density != "exact":
        raise Inapplicable("log_prob is not exact")
    try:
        found = model.log_prob({"x": [0.3], "a": pa.array([None], pa.string())})[0]
    except DataError as error:
        raise Inapplicable("the family does not marginalise holes") from error
    wanted = np.logaddexp.reduce([model.log_prob({"x": [0.3], "a": [level]})[0] for level in "pqr"])
    assert abs(found - wanted) <= case.tolerance * (1 + abs(wanted)), f"log_prob of a hole is {found}, not {wanted}"


def check_infinity_is_refused(case: Case) -> None:
    """Infinite values are nobody's data."""
    names = [f.name for f in case.records.schema.of_kind(Number) if pa.types.is_floating(f.arrow_type)]
    if not names:
        raise Inapplicable("no float")
    name = names[0]
    at = case.whole.names.index(name)
    values = case.whole.column(name).to_numpy().copy()
    values[2] = np.inf
    table = case.whole.table.set_column(at, name, pa.array(values))
    with refused(f"an infinite {name} in fit", DataError, name, "infinite"):
        case.fit(table)
    if hasattr(case.model, "log_prob"):
        with refused(f"an infinite {name} in log_prob", DataError, name, "infinite"):
            case.model.log_prob(table)


def punched(case: Case) -> Records:
    """The records with more holes in what is modelled."""
    rng, records = np.random.default_rng(3), case.whole
    names = _modelled(case)
    if not names:
        raise Inapplicable("nothing that can be missing is modelled")
    columns = {}
    for field in records.schema:
        column = records.column(field.name).combine_chunks()
        if field.name in names:
            gone = rng.random(len(records)) < 0.3
            gone[0], gone[1] = True, False
            column = pa.array(column.to_pylist(), field.arrow_type, mask=gone)
        columns[field.name] = column
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))


def _modelled(case: Case) -> list[str]:
    fields = case.model.schema.of_kind(Number, Category)
    return [field.name for field in fields if field.name not in case.model.given]


def _hole_in(records: Records, name: str) -> Records:
    field = records.schema[name]
    columns = {n: records.column(n) for n in records.names} | {name: pa.nulls(len(records), field.arrow_type)}
    return Records(records.schema, pa.table(columns, schema=records.schema.arrow))


def _with_none(column: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]


def _kinds(case: Case) -> pa.Schema:
    return case.records.schema.arrow
