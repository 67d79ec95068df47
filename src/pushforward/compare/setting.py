"""Where and how a comparison was made, so that it can be made again."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("pushforward", "torch", "numpy", "scikit-learn", "scipy", "pyarrow")


def versions(others: tuple[str, ...] = ()) -> dict[str, str]:
    """The versions of Python and of the packages that matter."""
    out = {"python": platform.python_version()}
    for name in (*PACKAGES, *others):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def machine() -> str:
    """The machine in a few words, without its name."""
    import torch

    cores = cores_here()
    what = f"{platform.system()} on {_processor()}, {cores} core{'s' * (cores != 1)}"
    return what + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "")


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
