"""What a metric answers: a number, how sure it is, and what would be best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec

from pushforward.errors import UnmeasurableError

P = ParamSpec("P")


@dataclass(frozen=True)
class Measured:
    """A number that was measured.

    Attributes:
        value: the number.
        low, high: the ends of its 95 % interval; both are `value` where it has no spread.
        better: in which direction it is better; ``near``: it is worse on both sides of `ideal`.
        ideal: what draws of the true distribution would have.
        flag: whether this is evidence that records were copied; metrics of quality never say so.
        words: what a person may conclude, where a number alone would mislead.
        detail: what it was made of, by name.

    Raises:
        UnmeasurableError: the number is not finite.

    >>> one = Measured(0.62, 0.60, 0.64, "lower", 0.5)
    >>> round(one.gap, 2), one.clear_of(Measured(0.55, 0.53, 0.57, "lower", 0.5))
    (0.12, True)
    """

    value: float
    low: float
    high: float
    better: Literal["higher", "lower", "near"]
    ideal: float
    flag: bool = False
    words: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise UnmeasurableError(f"the result is {self.value}, which is no finite number; look for huge values")

    @property
    def gap(self) -> float:
        """How far it is from ideal on the side that is worse; 0 is best, and what to rank by."""
        worse = self.ideal - self.value
        if self.better == "near":
            return abs(worse)
        return max(0.0, worse if self.better == "higher" else -worse)

    def clear_of(self, other: Measured) -> bool:
        """Whether the two intervals have nothing in common."""
        return self.low > other.high or other.low > self.high


def tried(metric: Callable[P, Measured], *args: P.args, **kwargs: P.kwargs) -> Measured | UnmeasurableError:
    """What a metric answers, or the error that says why it cannot; all other errors go on.

    >>> def broken(n: int) -> Measured:
    ...     raise UnmeasurableError(f"{n} records are too few")
    >>> print(tried(broken, 3))
    3 records are too few
    """
    try:
        return metric(*args, **kwargs)
    except UnmeasurableError as error:
        return error
