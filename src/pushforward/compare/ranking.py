"""Who is ahead, and whether that is beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pushforward.metrics import Measured

if TYPE_CHECKING:
    from pushforward.compare.result import Comparison


@dataclass(frozen=True)
class Summary:
    """A model over its seeds.

    Attributes:
        model: its words.
        seeds: how many were tried.
        failed: why, by seed that failed.
        found: by metric the mean over seeds, with an interval that holds the spread over seeds and the metric's own.
        worst: by metric the value of the worst seed.
        spread: by metric the standard deviation over seeds; absent with fewer than two.
        why_not: by metric the reason why no seed has an answer.
        nats: the mean over seeds with its interval.
        density: what nats are: exact, bound, estimate or none.
        cost: by name the mean over seeds.
        alarms: sentences, each once.
        stopped: how many seeds stopped before their time was over.
        oscillation: the mean over seeds.
    """

    model: str
    seeds: int
    failed: dict[int, str] = field(default_factory=dict)
    found: dict[str, Measured] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    nats: Measured | None = None
    density: str = "none"
    cost: dict[str, float] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    stopped: int = 0
    oscillation: float | None = None


def ranked(comparison: Comparison) -> tuple[Summary, ...]:
    """The models in order of merit."""
    raise NotImplementedError


def winner(comparison: Comparison) -> tuple[str | None, str]:
    """The model that is ahead of all others beyond doubt, or None; and the sentence that says why."""
    raise NotImplementedError
