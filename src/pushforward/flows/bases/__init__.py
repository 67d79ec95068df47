"""Distributions that flows push forward and codes are drawn from, a file each; a new file is found by its name."""

import sys

from pushforward.discovery import found
from pushforward.flows.bases.base import Base

BASES: dict[str, type[Base]] = found(sys.modules[__name__], Base)  # type: ignore[type-abstract]

__all__ = ["BASES", "Base"]
