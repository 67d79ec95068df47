"""Where numbers stand on an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

FAR = 6.0  # how many times as wide as the better half an axis may be before the worst numbers stand at its end
DECADES = 30.0  # the ratio of the largest to the smallest number from which ratios are shown by their logarithm


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` as places from `start` to `stop`, even by difference or by ratio (`log`).

    >>> Scale(1, 100, 0, 10, log=True)(10)
    5.0
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        share = (self._at(value) - self._at(self.low)) / ((self._at(self.high) - self._at(self.low)) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.stop - self.start)

    def beyond(self, value: float) -> int:
        """-1 or 1 where a number lies before or after the axis, else 0."""
        return (value > self.high) - (value < self.low)

    def ticks(self, most: int = 5) -> list[float]:
        """Round numbers along the axis."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            tens = [10.0**power for power in range(first, last + 1)]
            if len(tens) < 3:
                tens = sorted(tens + [f * 10.0**p for p in range(first - 1, last + 1) for f in (2.0, 5.0)])
            inside = [tick for tick in tens if self.low * 0.999 <= tick <= self.high * 1.001]
            return inside[:: -(-len(inside) // most) or 1]
        return round_numbers(self.low, self.high, most)

    def _at(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.log else value


def round_numbers(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` multiples of one, two or five times a power of ten.

    >>> round_numbers(0.12, 0.93)
    [0.2, 0.4, 0.6, 0.8]
    """
    if not high > low:
        return [low]
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (f * p for p in (power, 10 * power) for f in (1, 2, 5)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(i * step, 12) for i in range(first, last + 1)]
    return [low]


def around(
    values: Iterable[float],
    start: float,
    stop: float,
    *,
    logs: bool = False,
    margin: float = 0.05,
    decades: float = DECADES,
) -> Scale:
    """A scale that holds these numbers with a margin; by ratio, where that is allowed and they differ a lot.

    A few numbers that are far from all others stand at its end, since they would press the others together.

    Args:
        values: what is to be shown.
        start, stop: where the scale begins and ends.
        logs: whether it may be by ratio.
        margin: of the span, on either side.
        decades: the ratio of largest to smallest from which it is.
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return Scale(0.0, 1.0, start, stop)
    positive = [value for value in known if value > 0]
    if logs and positive and positive[-1] / positive[0] > decades and 2 * len(positive) > len(known):
        pad = (positive[-1] / positive[0]) ** margin
        return Scale(positive[0] / pad, positive[-1] * pad, start, stop, log=True)
    low, high = _near(known)
    pad = margin * (high - low) or 0.5 * abs(low) or 0.5
    return Scale(low - pad, high + pad, start, stop)


def _near(known: list[float]) -> tuple[float, float]:
    """The ends of what is not far from the middle half."""
    if len(known) < 6:
        return known[0], known[-1]
    quarter = len(known) // 4
    low, high = known[quarter], known[-1 - quarter]
    reach = FAR * (high - low)
    inside = [value for value in known if low - reach <= value <= high + reach] if reach else known
    return inside[0], inside[-1]
