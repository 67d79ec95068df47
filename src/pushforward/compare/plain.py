"""What was measured as plain JSON values, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pushforward.errors import FormatError
from pushforward.metrics import Measured


def plain(value: Any) -> Any:
    """A value as JSON can hold it: measured numbers, keys that are pairs, and infinities by a word of their own.

    >>> plain({("a", "b"): 0.5, ("a", "c"): float("inf")})
    {'keyed': [[['a', 'b'], 0.5], [['a', 'c'], {'float': 'inf'}]]}
    """
    if isinstance(value, Measured):
        said = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(Measured)}
        return {"measured": said}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: plain(entry) for key, entry in value.items()}
        return {"keyed": [[plain(key), plain(entry)] for key, entry in value.items()]}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def from_plain(value: Any) -> Any:
    """What `plain` made JSON of; tuples come back as lists, but for keys.

    Raises:
        FormatError: it is none of that.

    >>> from_plain(plain({("a", "b"): 0.5}))
    {('a', 'b'): 0.5}
    """
    if isinstance(value, list):
        return [from_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    try:
        match value:
            case {"measured": dict(said)} if len(value) == 1:
                return Measured(**{key: from_plain(entry) for key, entry in said.items()})
            case {"keyed": list(entries)} if len(value) == 1:
                return {_key(key): from_plain(entry) for key, entry in entries}
            case {"float": str(word)} if len(value) == 1:
                return float(word)
    except (TypeError, ValueError) as error:
        raise FormatError(f"a number of a comparison cannot be read ({error}); run it again") from error
    return {key: from_plain(entry) for key, entry in value.items()}


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
