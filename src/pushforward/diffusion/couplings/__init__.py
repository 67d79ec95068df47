"""How records of two batches are paired, a file each; a new file is found by its name."""

import sys

from pushforward.diffusion.couplings.coupling import Coupling
from pushforward.discovery import found

COUPLINGS: dict[str, type[Coupling]] = found(sys.modules[__name__], Coupling)  # type: ignore[type-abstract]

__all__ = ["COUPLINGS", "Coupling"]
