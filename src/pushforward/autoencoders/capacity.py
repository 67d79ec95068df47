"""How much a record holds, which a code of it need not exceed."""

from __future__ import annotations

import math

from pushforward.data.schema import Category, Field, Image, Number, Schema

PIXEL = 8  # bits of a value of a pixel


def bits_of(schema: Schema) -> float:
    """Bits that tell all possible records apart; infinite with a number that lies on no grid.

    Args:
        schema: pictures, numbers and categories.

    >>> import pushforward as pf
    >>> bits_of(pf.read({"word": ["a", "b", "c", "d"], "count": [0, 7, 3, 3]}).schema)
    5.0
    """
    return float(sum(_bits(field) for field in schema))


def _bits(field: Field) -> float:
    """Those of a cell, of which a hole is one more value."""
    if isinstance(field, Image):
        return PIXEL * math.prod(field.shape)
    if isinstance(field, Category):
        return math.log2(len(field.values) + field.missing)
    if isinstance(field, Number) and field.resolution:
        return math.log2(round((field.high - field.low) / field.resolution) + 1 + field.missing)
    return math.inf
