"""What keeps the slope of a discriminator small, a file each; a new file is found by its name."""

import sys

from pushforward.adversarial.penalties.penalty import Judged, Penalty
from pushforward.discovery import found

PENALTIES: dict[str, type[Penalty]] = found(sys.modules[__name__], Penalty)  # type: ignore[type-abstract]

__all__ = ["PENALTIES", "Judged", "Penalty"]
