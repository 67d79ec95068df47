"""Numbers as a reader wants them: as many digits as are known, a true minus sign, and units that fit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from pushforward.metrics import Measured

MOST = 4  # decimals

KIND = {"exact": "exact", "bound": "a lower bound", "estimate": "an estimate", "none": "none"}
SIGN = {"exact": "", "bound": "≥ ", "estimate": "≈ ", "none": ""}


def decimals(found: Iterable[Measured]) -> int:
    """How many decimals to show of numbers in one column: those that their intervals leave room for.

    >>> decimals([Measured(0.61, 0.59, 0.63, "lower", 0.5)]), decimals([Measured(123.0, 118.0, 129.0, "near", 1)])
    (2, 0)
    """
    found = list(found)
    least = 2 if max((abs(one.value) for one in found), default=0.0) < 10 else 0
    widths = sorted((one.high - one.low) / 2 for one in found if one.high > one.low)
    if not widths:
        return 2
    width = widths[len(widths) // 2]
    return min(MOST, max(least, math.ceil(-math.log10(width)))) if math.isfinite(width) else least


def number(value: float, digits: int | None = None) -> str:
    """A number with these decimals, or with three digits that count.

    >>> number(-12345.6), number(0.0123), number(0.5, 3), number(7)
    ('−12,346', '0.0123', '0.500', '7')
    >>> number(2010)
    '2010'
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "no number"
    if digits is None:
        size = math.floor(math.log10(abs(value))) if value else 0
        digits = 0 if float(value).is_integer() else min(MOST, max(0, 2 - size))
    said = f"{value:.2e}" if abs(value) >= 1e9 else f"{value:{',' if abs(value) >= 1e4 else ''}.{digits}f}"
    return re.sub(r"^-(?=[0,.]*$)", "", said).replace("-", "−")


def interval(found: Measured, digits: int | None = None) -> str:
    """The ends of an interval.

    >>> interval(Measured(0.61, 0.59, 0.63, "lower", 0.5), 2)
    '0.59 to 0.63'
    """
    return f"{number(found.low, digits)} to {number(found.high, digits)}"


def ideal(found: Measured) -> str:
    """What would be best, and where it lies."""
    if not math.isfinite(found.ideal):
        return {"higher": "higher is better", "lower": "lower is better"}.get(found.better, "")
    at = "½" if found.ideal == 0.5 else number(found.ideal)
    return f"{at} is ideal"


def seconds(value: float) -> str:
    """A time in the unit that people would say it in.

    >>> seconds(0.0042), seconds(0.42), seconds(42), seconds(192)
    ('4.2 ms', '0.42 s', '42 s', '3 min 12 s')
    """
    if value < 0.1:
        return f"{1000 * value:.2g} ms"
    if value < 99.5:
        return f"{value:.2g} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def count(n: int, one: str, many: str | None = None) -> str:
    """So many of something.

    >>> count(1, "seed"), count(1200, "seed")
    ('1 seed', '1,200 seeds')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = list(names) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def clipped(value: object, most: int = 160) -> str:
    """A text cut to length."""
    said = " ".join(str(value).split())
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"
