"""What a fitted model can hold fixed, and whether it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from pushforward.data import Category, Image, Records, Text
from pushforward.errors import PushforwardError
from pushforward.limits import among, between
from pushforward.model import Model

ASKED = 200  # draws that hold one value


def controllability(model: Model, train: Records, drawn: Records, asked: Records | None, seed: int) -> dict[str, Any]:
    """What of `given` a model takes, found by asking, and the share of draws that hold exactly what was asked for.

    Args:
        model: a fitted one.
        train: what it was fitted to.
        drawn: its draws.
        asked: what they were asked to hold; None: nothing.
        seed: of draws with a field fixed that needs no naming before.

    Returns:
        ``holds`` in words, and ``exact``.
    """
    row = train[:1]
    fixed = {name: row.column(name)[0].as_py() for name in model.given}
    exact = None if asked is None else share_held(drawn, asked)
    for field in sorted(model.schema, key=lambda field: isinstance(field, Text)):  # last, as they have no limits
        value = train.column(field.name).drop_null()[:1].to_pylist()
        if field.name in model.given or not value or isinstance(field, Image):
            continue
        try:
            free = model.sample(ASKED, given={**fixed, field.name: value[0]}, seed=seed)
        except PushforwardError:
            break
        if exact is None:
            exact = float(pc.mean(pc.equal(free.column(field.name), value[0])).as_py() or 0.0)
        if isinstance(field, Text):
            return {"holds": "any field", "exact": exact}
        limit = among(value[0]) if isinstance(field, Category) else between(value[0], None)
        return {"holds": "any field" + _and_limits(model, {**fixed, field.name: limit}, seed), "exact": exact}
    named = ", ".join(model.given)
    return {"holds": named or "nothing", "exact": exact}


def share_held(drawn: Records, asked: Records) -> float:
    """The share of draws that hold all that was asked of them; pictures as conditions are not looked at."""
    held = np.ones(len(drawn), dtype=bool)
    for field in asked.schema:
        if isinstance(field, Image):
            continue
        one, other = drawn.column(field.name), asked.column(field.name)
        held &= pc.or_kleene(pc.equal(one, other), pc.is_null(other)).fill_null(False).to_numpy()
    return float(held.mean())


def _and_limits(model: Model, given: dict[str, Any], seed: int) -> str:
    try:
        model.sample(2, given=given, seed=seed)
    except PushforwardError:
        return ""
    return ", range or set"
