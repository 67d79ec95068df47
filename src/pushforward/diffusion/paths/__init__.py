"""Ways from data to noise, a file each; a new file is found by its name."""

import sys

from pushforward.diffusion.paths.path import Path
from pushforward.discovery import found

PATHS: dict[str, type[Path]] = found(sys.modules[__name__], Path)  # type: ignore[type-abstract]

__all__ = ["PATHS", "Path"]
