"""Hyperparameters said once: annotated fields that Python, the command line and the saved JSON all read."""

from __future__ import annotations

import dataclasses
import inspect
import math
import reprlib
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types as at

from pushforward.errors import ArgumentError, one_of

_MISSING = inspect.Parameter.empty
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_NUMBERS: dict[type, str] = {int: "a whole number", float: "a number"}
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Parameter:
    """One argument: its name, type, default, bounds and a line that says what it is."""

    name: str
    kind: type  # bool, int, float or str; a class that has `said`; `object` for what only Python can pass
    default: Any
    optional: bool = False
    choices: tuple[Any, ...] = ()
    bounds: tuple[at.BaseMetadata, ...] = ()
    doc: str = ""
    words: tuple[str, ...] = ()  # that may stand in place of a value of the type, such as "auto"

    @classmethod
    def of(cls, name: str, annotation: Any, default: Any) -> Parameter:
        """Read an annotation such as ``Annotated[int, Ge(1), doc("layers")]``."""
        bounds: tuple[at.BaseMetadata, ...] = ()
        choices: tuple[Any, ...] = ()
        words: tuple[str, ...] = ()
        doc, optional = "", False
        if get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            bounds = tuple(e for e in extra if isinstance(e, at.Ge | at.Gt | at.Le | at.Lt))
            doc = next((e.documentation for e in extra if isinstance(e, at.DocInfo)), "")
        if get_origin(annotation) in (typing.Union, types.UnionType):
            rest = [a for a in get_args(annotation) if a is not type(None)]
            optional = len(rest) < len(get_args(annotation))
            words = (
                tuple(word for a in rest if get_origin(a) is Literal for word in get_args(a)) if len(rest) > 1 else ()
            )
            rest = [a for a in rest if not words or get_origin(a) is not Literal]
            annotation = rest[0] if len(rest) == 1 else object
        if get_origin(annotation) is Literal:
            choices = get_args(annotation)
            annotation = type(choices[0])
        plain = annotation in (bool, int, float, str)
        kind = annotation if plain or hasattr(annotation, "said") else object
        return cls(name, kind, default, optional, choices, bounds, doc, words)

    @property
    def range(self) -> str:
        """The allowed values in words, as the command line shows them."""
        if self.choices:
            return " | ".join(str(choice) for choice in self.choices)
        words = []
        for bound in self.bounds:
            (sign, value) = next(
                (sign, getattr(bound, attr))
                for attr, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
                if hasattr(bound, attr)
            )
            words.append(f"{sign} {value}")
        return " or ".join([", ".join(words), *self.words] if words else self.words)

    def check(self, value: Any) -> Any:
        """Return `value` if it may be used, with whole floats taken as integers and the reverse.

        Raises:
            ArgumentError: wrong type, not finite, outside the bounds or not one of the choices.
        """
        if value is None and self.optional:
            return None
        if self.kind is object or (isinstance(value, str) and value in self.words):
            return value
        if hasattr(self.kind, "said"):  # a class that reads values of its own
            return self.kind.said(self.name, value)
        value = self._cast(value)
        if self.choices and value not in self.choices:
            raise ArgumentError(f"{self.name}={shown(value)} is unknown; {one_of(str(value), map(str, self.choices))}")
        for bound in self.bounds:
            if not _within(bound, value):
                raise ArgumentError(f"{self.name}={shown(value)} is out of range; it must be {self.range}")
        return value

    def read(self, text: str) -> Any:
        """The value that a word stands for; ``none`` is None where that may be.

        >>> Parameter("layers", int, 2).read("3")
        3

        Raises:
            ArgumentError: it is no number, out of range, or none of the choices.
        """
        if self.optional and text.lower() == "none":
            return None
        if self.kind in _NUMBERS and text not in self.words:
            return self.check(self._number(text))
        return self.check(_TRUTHS.get(text.lower(), text) if self.kind is bool else text)

    def _number(self, text: str) -> int | float:
        try:
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            limits = f", {self.range}" if self.range else ""
            raise ArgumentError(f"{self.name}={text!r} must be {_NUMBERS[self.kind]}{limits}") from None

    def _cast(self, value: Any) -> Any:
        wanted = {bool: "true or false", str: "a word", **_NUMBERS}[self.kind]
        wanted = " or ".join((wanted, *self.words))
        refusal = ArgumentError(f"{self.name}={shown(value)} is a {type(value).__name__}; it must be {wanted}")
        if self.kind is bool or self.kind is str:
            if not isinstance(value, self.kind):
                raise refusal
            return value
        if isinstance(value, bool | str) or not hasattr(value, "__float__"):
            raise refusal
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        except (TypeError, ValueError, RuntimeError):  # an array or tensor of several
            raise refusal from None
        if not math.isfinite(number):
            cure = self.range or wanted
            raise ArgumentError(f"{self.name}={shown(value)} is not a finite number; it must be {cure}")
        if self.kind is float:
            return number
        if number != int(number):
            raise refusal
        return int(value)


def plain(value: Any) -> Any:
    """A value of a parameter as JSON writes it; what is more than a word or number says itself how."""
    return value.to_json() if hasattr(value, "to_json") else value


def shown(value: Any) -> str:
    """A value as messages show it: on one line, and not at any length."""
    try:
        return " ".join(_SHORT.repr(value).split())
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__}"


def _within(bound: at.BaseMetadata, value: Any) -> bool:
    match bound:
        case at.Ge(ge=limit):
            return value >= limit
        case at.Gt(gt=limit):
            return value > limit
        case at.Le(le=limit):
            return value <= limit
        case at.Lt(lt=limit):
            return value < limit
    return True


def of_class(cls: type) -> dict[str, Parameter]:
    """The hyperparameters of a dataclass, by name, in order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        field.name: Parameter.of(
            field.name, hints[field.name], _MISSING if field.default is dataclasses.MISSING else field.default
        )
        for field in dataclasses.fields(cls)
        if field.init
    }


def of_function(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The keyword-only arguments of a function, by name, in order."""
    hints = typing.get_type_hints(function, include_extras=True)
    return {
        name: Parameter.of(name, hints.get(name, object), argument.default)
        for name, argument in inspect.signature(function).parameters.items()
        if argument.kind is inspect.Parameter.KEYWORD_ONLY
    }


def check_all(known: dict[str, Parameter], given: dict[str, Any], what: str) -> dict[str, Any]:
    """Check named values against their parameters; a name that is not there is refused by name."""
    for name in given:
        if name not in known:
            raise ArgumentError(f"{name}= is not an option of {what}; {one_of(name, known)}")
    return {name: known[name].check(value) for name, value in given.items()}
