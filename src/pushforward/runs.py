"""The run of a model that is made of others: what each part gets of it, and what all tell as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pushforward.errors import FormatError
from pushforward.training.progress import Progress
from pushforward.training.run import Run

if TYPE_CHECKING:
    from pushforward.model import Model


def divided(run: Run, second: Model, share: float) -> tuple[float | None, float | None]:
    """The minutes of two parts; a second part to which minutes mean nothing leaves all to the first.

    Args:
        run: of the whole.
        second: the part that is fitted after the other.
        share: of the minutes, what the first part gets.
    """
    if run.minutes is None or "minutes" not in second.budget():
        return run.minutes, None
    return share * run.minutes, (1 - share) * run.minutes


def asked(part: Model, run: Run, name: str, **other: Any) -> dict[str, Any]:
    """The keywords of a run that mean something to a part, with a folder of its own and with others instead."""
    folder = None if run.folder is None else str(Path(run.folder) / name)
    said = {f.name: getattr(run, f.name) for f in dataclasses.fields(Run)} | {"folder": folder, **other}
    return {key: value for key, value in said.items() if key in part.budget()}


def told(part: str, progress: Iterator[Progress], before: float, later: float | None) -> Iterator[Progress]:
    """What a part tells, as told by the whole; closing it closes the part between two steps.

    Args:
        part: its name, which stands before what it does.
        progress: its run.
        before: seconds that other parts took before it.
        later: seconds that other parts will take; None: nobody knows.
    """
    with closing(progress):  # type: ignore[type-var]
        for now in progress:
            left = None if now.remaining is None or later is None else now.remaining + later
            phase, elapsed = f"{part}: {now.phase}", before + now.elapsed
            yield dataclasses.replace(now, phase=phase, elapsed=elapsed, remaining=left, before=before)


def check_folder(folder: str | None, parts: Collection[str]) -> None:
    """Refuse a folder in which something else stands than folders of the parts.

    Raises:
        FormatError: it does.
    """
    if folder is None or not Path(folder).exists():
        return
    if not Path(folder).is_dir() or {path.name for path in Path(folder).iterdir()} - set(parts):
        raise FormatError(f"folder={folder!r} exists and holds no run of this kind; name another or empty it")


def is_data(validation: Any) -> bool:
    """Whether held-out data was said, rather than a share or nothing."""
    return validation is not None and not isinstance(validation, int | float | np.number)
