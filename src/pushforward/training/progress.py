"""What a run tells about itself, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        phase: what is being done, such as ``train`` or ``em``.
        step: steps done.
        losses: named numbers of this step.
        elapsed: seconds of this run so far, those before a resume included.
        remaining: seconds left, where the budget tells.
        before: seconds that phases before this one took.
        note: an event a person should know of, such as a halved batch.
    """

    phase: str
    step: int
    losses: Mapping[str, float] = field(default_factory=dict)
    elapsed: float = 0.0
    remaining: float | None = None
    note: str = ""
    before: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return dataclasses.asdict(self)
