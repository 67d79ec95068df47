"""A model that is a hyperparameter of another, said in words: ``family:option=value,option=value``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pushforward.errors import ArgumentError, PushforwardError, one_of
from pushforward.families import family, name_of
from pushforward.parameters import check_all, shown

if TYPE_CHECKING:
    from pushforward.model import Model
    from pushforward.tunable import Tunable


def model_of(name: str, value: Any, kind: type[Tunable]) -> Tunable:
    """The model that a person, or `model.json`, names.

    Args:
        name: of the hyperparameter.
        value: a model, which is taken as it is; its words; or what its `to_json` gave.
        kind: what it has to be.

    Raises:
        ArgumentError: it is no model of this kind, or an option of it is unknown or out of range.

    >>> from pushforward.model import Model
    >>> model_of("prior", "gaussian-mixture:components=3,covariance=diagonal", Model).components
    3
    """
    try:
        if isinstance(value, str):
            value = _from_words(value)
        elif isinstance(value, Mapping):
            value = _from_json(value)
    except PushforwardError as error:
        raise ArgumentError(f"{name}={shown(value)}: {error}") from error
    if isinstance(value, kind):
        return value
    what, such = kind.wanted
    odd = f"{name}={shown(value)} is not {what}"
    if isinstance(value, type):
        raise ArgumentError(f"{odd} but a class; call it: {name}={value.__name__}()")
    if hasattr(value, "fitting"):
        odd = f"{name}={name_of(type(value))} is not {what}"
    raise ArgumentError(f"{odd}; say one, such as {such!r}")


def _from_words(text: str) -> Model:
    head, _, tail = text.partition(":")
    cls = family(head.strip())
    known, said = cls.parameters(), {}
    for pair in tail.split(",") if tail else ():
        option, equals, value = (part.strip() for part in pair.partition("="))
        option = option.replace("-", "_")
        if option not in known:
            raise ArgumentError(f"{option}= is not an option of {head}; {one_of(option, known)}")
        if not equals:
            raise ArgumentError(f"{option} has no value; say {head}:{option}=VALUE")
        said[option] = known[option].read(value)
    return cls(**said)


def _from_json(entry: Mapping[str, Any]) -> Model:
    if set(entry) != {"family", "hyperparameters"} or not isinstance(entry["hyperparameters"], Mapping):
        raise ArgumentError("a model in JSON has the keys family and hyperparameters, and no others")
    cls = family(str(entry["family"]))
    return cls(**check_all(cls.parameters(), dict(entry["hyperparameters"]), str(entry["family"])))
