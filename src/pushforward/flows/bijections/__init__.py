"""Invertible maps with the logarithm of how they stretch volume, a file each; a new file is found by its name."""

import sys

from pushforward.discovery import found
from pushforward.flows.bijections.bijection import Bijection

BIJECTIONS: dict[str, type[Bijection]] = found(sys.modules[__name__], Bijection)  # type: ignore[type-abstract]

__all__ = ["BIJECTIONS", "Bijection"]
