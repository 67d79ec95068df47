"""Who takes part: families by name or as models, with options, and peers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pushforward.compare.capability import able, refusal
from pushforward.compare.peers import named
from pushforward.data import Records
from pushforward.errors import ArgumentError, PushforwardError, one_of
from pushforward.families import FAMILIES, name_of
from pushforward.model import Model
from pushforward.parameters import plain
from pushforward.spec import model_of

Spec = dict[str, Any]


def contenders(
    data: Records, families: Sequence[Any] | str | None, peers: Collection[str], given: tuple[str, ...]
) -> tuple[dict[str, Spec], dict[str, str]]:
    """By words what each model is, as plain JSON values; and by words why others do not take part.

    Args:
        data: what is to be learned.
        families: words, or models of the package, which are not fitted themselves; None: all that can learn it.
        peers: names.
        given: fields that are conditions.

    Raises:
        ArgumentError: a name or an option is unknown, or a model comes twice.
    """
    specs: dict[str, Spec] = {}
    unfit: dict[str, str] = {}
    if families is None:
        families, unfit = able(data, given)
    for one in [*families] if isinstance(families, list | tuple) else [families]:
        words = one if isinstance(one, str) else in_words(one)
        model: Any = model_of("families", one, Model)
        if words in specs or words in unfit:
            raise ArgumentError(f"families={words!r} comes twice; say it once")
        if name_of(type(model)) not in FAMILIES:
            raise ArgumentError(f"families={words!r} is none of the package; {one_of(words, FAMILIES)}")
        if (why := refusal(model, data, given)) is not None:
            unfit[words] = why
        else:
            specs[words] = model.to_json()
    for name in [peers] if isinstance(peers, str) else peers:
        try:
            peer = named(name)
        except ArgumentError as error:
            if "not installed" not in str(error):
                raise
            unfit[name] = str(error)
            continue
        why = "it takes no conditions" if given else peer.refusal(data)
        if why is not None:
            unfit[name] = why
        else:
            specs[name] = {"peer": name}
    return specs, unfit


def in_words(model: Any) -> str:
    """A model as ``family:option=value,…``, with the options that are not as usual.

    >>> import pushforward as pf
    >>> in_words(pf.GAN(loss="hinge"))
    'gan:loss=hinge'

    Raises:
        ArgumentError: it is no model.
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"families={model!r} is no model; say words such as 'gan:loss=hinge', or a model")
    usual = type(model)().get_params()
    said = {k: v for k, v in model.get_params().items() if plain(v) != plain(usual[k])}
    options = ",".join(f"{k}={_value(v)}" for k, v in said.items())
    return name_of(type(model)) + (f":{options}" if options else "")


def _value(value: Any) -> str:
    if isinstance(value, Model):
        return in_words(value)
    return "+".join(map(_value, value)) if hasattr(value, "to_json") and hasattr(value, "__iter__") else str(value)


def none_fits(unfit: dict[str, str]) -> PushforwardError:
    """What to say where nobody can take part: why not, for each."""
    return ArgumentError("no family can model these fields: " + "; ".join(f"{k}: {v}" for k, v in unfit.items()))
