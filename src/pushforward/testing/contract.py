"""`check_model`: hold any family to the contract that all families share."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pushforward.errors import ArgumentError, CaptionWarning, CollapsedWarning, CopiedWarning, DataError, one_of
from pushforward.model import Model
from pushforward.testing import checks as package
from pushforward.testing.case import Case, Inapplicable
from pushforward.testing.examples import Example, examples

Check = Callable[[Case], None]
ALARMS = (CaptionWarning, CollapsedWarning, CopiedWarning)  # which the small data of the checks is bound to ring


def checks() -> dict[str, Check]:
    """All checks by name; a function ``check_…`` in a file of the folder `checks` is one.

    >>> "check_same_seed_same_sample" in checks()
    True
    """
    found: dict[str, Check] = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        found |= {n: f for n, f in vars(loaded).items() if n.startswith("check_") and f.__module__ == loaded.__name__}
    return found


def check_model(
    make: Callable[[], Model],
    data: Any = None,
    *,
    fit: Mapping[str, Any] | None = None,
    only: str | Collection[str] | None = None,
    tolerance: float | None = None,
) -> list[str]:
    """Hold a family to the contract; what a check needs and the model has not got, it is let off.

    Args:
        make: gives a new, small model that is not fitted.
        data: an `Example` or a list of them, or anything that `read` takes; if not said, small data sets of
            every kind that the family can model.
        fit: options of `fit`, such as ``{"steps": 3}``.
        only: names of checks, if not all shall run.
        tolerance: largest relative difference of what should be equal but for rounding.

    Returns:
        Which checks ran, as ``"check: data"``.

    Raises:
        AssertionError: a check failed; the message begins with its name.
        ArgumentError: a name is not that of a check.

    >>> from pushforward import GaussianMixture
    >>> check_model(lambda: GaussianMixture(components=2), fit={"steps": 2}, only="check_score_is_the_mean")[:1]
    ['check_score_is_the_mean: numbers']
    """
    known = checks()
    names = list(known) if only is None else [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in known:
            raise ArgumentError(f"only={name!r} is not a check; {one_of(name, known)}")
    cases = cases_of(make, data, fit=fit, tolerance=tolerance)
    return [f"{name}: {case.example.name}" for name in names for case in cases if run_check(known[name], case)]


def run_check(check: Check, case: Case) -> bool:
    """Run one check on one case; whether it had anything to look at.

    Raises:
        AssertionError: it failed.
    """
    name = f"{check.__name__} ({case.example.name})"
    try:
        with warnings.catch_warnings():
            for alarm in ALARMS:
                warnings.simplefilter("ignore", alarm)
            check(case)
    except Inapplicable:
        return False
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
    return True


def cases_of(
    make: Callable[[], Model], data: Any = None, *, fit: Mapping[str, Any] | None = None, tolerance: float | None = None
) -> list[Case]:
    """The cases that `check_model` would run the checks on, for those who run them one by one.

    Raises:
        AssertionError: nobody said which data, and the family can model none of the examples.
    """
    said = data is not None
    wanted = data if isinstance(data, list) else [data] if said else examples()
    given = [example if isinstance(example, Example) else Example("data", example) for example in wanted]
    cases = [Case(make, example, fit or {}, tolerance) for example in given]
    able = [case for case in cases if said or _can(case)]
    if not able:
        raise AssertionError("check_model: the family models none of the examples; say data=")
    return able


def _can(case: Case) -> bool:
    try:
        with warnings.catch_warnings():
            for alarm in ALARMS:
                warnings.simplefilter("ignore", alarm)
            _ = case.model
    except DataError:
        return False
    return True
