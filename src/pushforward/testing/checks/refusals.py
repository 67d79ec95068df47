"""What makes no sense is refused in one line that names it."""

from __future__ import annotations

import math
from typing import Any

from annotated_types import Ge, Gt, Le, Lt

from pushforward.data import Category
from pushforward.data.holes import hide
from pushforward.errors import ArgumentError, DataError
from pushforward.parameters import Parameter
from pushforward.testing.case import VERBS_OF_DATA, Case, Inapplicable, column_of, refused


def check_sizes_of_a_sample_are_refused(case: Case) -> None:
    """Not a whole number of at least 1."""
    case.need("sample")
    for n in (0, -1, 2.5, True, "3", None, math.nan):
        with refused(f"sample({n!r})", ArgumentError, f"n={n!r}"):
            case.model.sample(n, seed=0)


def check_seeds_are_refused(case: Case) -> None:
    """Not a whole number of at least 0."""
    for seed in (-1, 1.5, True, "x"):
        if case.draws:
            with refused(f"drawing with seed={seed!r}", ArgumentError, f"seed={seed!r}"):
                case.draw(2, seed=seed)
        with refused(f"fit(seed={seed!r})", ArgumentError, "seed="):
            case.fit(seed=seed)


def check_unknown_options_are_refused(case: Case) -> None:
    """With the nearest spelling."""
    with refused("fit(seeds=3)", ArgumentError, "seeds", "'seed'"):
        case.fit(seeds=3)
    if case.draws:
        with refused("drawing with no_such_option=3", ArgumentError, "no_such_option"):
            case.draw(2, seed=0, no_such_option=3)
    for name in _options(case):
        with refused(f"drawing with {name}z=3", ArgumentError, f"{name}z", repr(name)):
            case.draw(2, seed=0, **{f"{name}z": 3})
    with refused("a misspelt hyperparameter", ArgumentError, "no_such_knob"):
        case.make().set_params(no_such_knob=3)


def check_options_out_of_range_are_refused(case: Case) -> None:
    """Options of drawing, by the bounds that they declare."""
    for name, parameter in _options(case).items():
        for value in _nonsense(parameter):
            with refused(f"drawing with {name}={value!r}", ArgumentError, f"{name}="):
                case.draw(2, seed=0, **{name: value})


def check_hyperparameters_out_of_range_are_refused(case: Case) -> None:
    """When the object is made, and when they are set."""
    model = case.make()
    for name, parameter in model.parameters().items():
        for value in _nonsense(parameter):
            with refused(f"{type(model).__name__}({name}={value!r})", ArgumentError, f"{name}="):
                type(model)(**{**model.get_params(), name: value})
            with refused(f"set_params({name}={value!r})", ArgumentError, f"{name}="):
                case.make().set_params(**{name: value})
            forced = case.make()
            setattr(forced, name, value)
            with refused(f"fit after {name}={value!r} was set by hand", ArgumentError, f"{name}="):
                case.train(forced)


def check_unknown_fields_are_refused(case: Case) -> None:
    """By name, with those that there are."""
    wrong = case.records.names[0] + "z"
    with refused(f"fit(given={wrong!r})", ArgumentError, wrong, case.records.names[0]):
        case.fit(given=[wrong])
    with refused("fit(given=all fields)", ArgumentError, "given="):
        case.fit(given=list(case.records.names))
    if hasattr(case.model, "sample"):
        with refused(f"sample(given={wrong!r})", ArgumentError, wrong, case.records.names[0]):
            case.model.sample(2, given={wrong: 1}, seed=0)


def check_an_absent_field_is_marginalised_or_refused(case: Case) -> None:
    """Records to be scored must have all fields, unless the family integrates over the others."""
    case.need("log_prob")
    name = case.records.names[-1]
    if len(case.records.names) == 1:
        raise Inapplicable("there is one field only")
    absent = case.whole.table.drop_columns([name])
    if hasattr(case.model, "_log_rest"):
        unknown = {"log_prob": case.model.log_prob(hide(case.whole, [name]))}
        case.agree(
            {"log_prob": case.model.log_prob(absent)}, unknown, f"where {name} is absent and where it is unknown"
        )
        return
    with refused(f"log_prob without {name}", DataError, name):
        case.model.log_prob(absent)


def check_an_unseen_category_is_refused(case: Case) -> None:
    """By field and value."""
    words = [f.name for f in case.model.schema.of_kind(Category) if f.type == "string"]
    if not words:
        raise Inapplicable("no category of words")
    for name in words:
        strange = column_of(case.whole[:3], name, ["never seen before"] * 3)
        for verb in VERBS_OF_DATA:
            if hasattr(case.model, verb):
                with refused(f"{verb} of an unseen {name}", DataError, name, "never seen before"):
                    getattr(case.model, verb)(strange)
        if name in case.model._allowed()[0]:
            with refused(f"sample given an unseen {name}", DataError, name, "never seen before"):
                case.model.sample(2, given={name: "never seen before"}, seed=0)


def check_weights_are_refused(case: Case) -> None:
    """Of another length, below 0, or none at all."""
    n = len(case.records)
    for what, weights in {"too few": [1.0] * (n - 1), "below 0": [-1.0] * n, "all 0": [0.0] * n}.items():
        with refused(f"weights that are {what}", (ArgumentError, DataError), "weights"):  # type: ignore[arg-type]
            case.fit(weights=weights)


def check_predicted_fields_are_refused(case: Case) -> None:
    """Only a category that is modelled can be predicted."""
    case.need("predict_proba")
    with refused("predict_proba of no field", DataError, "no such field"):
        case.model.predict_proba(case.whole, "no such field")
    for field in case.model.schema:
        if not isinstance(field, Category) or field.name in case.model.given:
            with refused(f"predict_proba of {field.name}", ArgumentError, field.name):
                case.model.predict_proba(case.whole, field.name)


def _options(case: Case) -> dict[str, Parameter]:
    """The options of drawing."""
    return case.model.options("transport" if hasattr(case.model, "transport") else "sample")


def _nonsense(parameter: Parameter) -> list[Any]:
    """Values that a parameter cannot have."""
    if parameter.kind is object:
        return []
    values: list[Any] = [] if parameter.optional else [None]
    if parameter.choices:
        return [*values, "no such choice", 3]
    if parameter.kind is bool:
        return [*values, "yes", 2]
    if parameter.kind is str:
        return [*values, 3]
    values += ["many", math.nan, math.inf, [1]]
    values += [2.5] if parameter.kind is int else []
    for bound in parameter.bounds:
        match bound:
            case Ge(ge=limit):
                values.append(limit - 1)  # type: ignore[operator]
            case Le(le=limit):
                values.append(limit + 1)  # type: ignore[operator]
            case Gt(gt=limit) | Lt(lt=limit):
                values.append(limit)
    return values
