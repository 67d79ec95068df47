"""Increasing maps of one number, a file each, whose parameters a conditioner says; a new file is found by its name."""

import sys

from pushforward.discovery import found
from pushforward.flows.kernels.kernel import Kernel

KERNELS: dict[str, type[Kernel]] = found(sys.modules[__name__], Kernel)  # type: ignore[type-abstract]

__all__ = ["KERNELS", "Kernel"]
