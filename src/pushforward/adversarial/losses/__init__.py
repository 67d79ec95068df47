"""What the players of an adversarial game minimise, a file each; a new file is found by its name."""

import sys

from pushforward.adversarial.losses.loss import AdversarialLoss
from pushforward.discovery import found

LOSSES: dict[str, type[AdversarialLoss]] = found(sys.modules[__name__], AdversarialLoss)  # type: ignore[type-abstract]

__all__ = ["LOSSES", "AdversarialLoss"]
