"""Which families can model what, by asking each of them."""

from __future__ import annotations

import inspect
from collections.abc import Collection

from pushforward.data import Records
from pushforward.errors import PushforwardError
from pushforward.families import FAMILIES, family
from pushforward.model import Model
from pushforward.tunable import Tunable


def refusal(model: Model, data: Records, given: Collection[str] = ()) -> str | None:
    """Why a model cannot learn these records, in its own words; None where it can.

    Nothing is learned: `fitting` checks its arguments when it is called, and works when it is gone through.

    >>> import pushforward as pf
    >>> refusal(pf.NGram(), pf.read("moons"))
    "field 'x' is number, which n-grams cannot model; leave it out"
    """
    try:
        model.fitting(data, given=given)
    except PushforwardError as error:
        return str(error)
    return model.lacks("sample")


def composed(cls: type[Model]) -> bool:
    """Whether a family is made of others that a person chooses, such as `Latent`; `Joint` has a diffusion, always."""
    kinds = [parameter.kind for parameter in cls.parameters().values()]
    return any(issubclass(kind, Tunable) and inspect.isabstract(kind) for kind in kinds)


def able(data: Records, given: Collection[str] = ()) -> tuple[tuple[str, ...], dict[str, str]]:
    """The families that can model these records, and by name why the others cannot.

    Compositions are for those who name them.
    """
    names, unfit = [], {}
    for name in FAMILIES:
        cls = family(name)
        why = refusal(cls(), data, given)
        if why is None and composed(cls):
            why = f"it is made of other families; name it with those that you want, as {name}:OPTION=FAMILY"
        if why is None:
            names.append(name)
        else:
            unfit[name] = why
    return tuple(names), unfit
