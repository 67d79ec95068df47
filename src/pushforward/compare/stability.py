"""How steady a training was."""

from __future__ import annotations

from typing import Any

import numpy as np

WINDOWS = 40  # of a run, over which losses are averaged
EARLY = 0.8  # of the time; a network that ends before has stopped


def oscillation(model: Any) -> float | None:
    """How much a model's losses still went up and down in the second half of its training, the worst of them.

    Each loss is averaged over 40 windows. What is told is the deviation of those of the second half from a straight
    line, over the range of all of them: 0: none; from about .2 on the loss goes up and down as far as it ever fell.

    Returns:
        None for a model that has no history, or told too little.
    """
    history = getattr(model, "history", None)
    if history is None:
        return None
    found = [waves(history[name][1]) for name in history.names if "/" not in name]
    return max((wave for wave in found if wave is not None), default=None)


def waves(values: np.ndarray) -> float | None:
    """The same of one loss, (n,).

    >>> falling = np.exp(-np.arange(400) / 50)
    >>> playing = np.cos(np.arange(400) / 20)
    >>> round(waves(falling), 2), round(waves(playing), 1)
    (0.0, 0.3)
    """
    values = values[np.isfinite(values)]
    if len(values) < 2 * WINDOWS:
        return None
    means = np.array([part.mean() for part in np.array_split(values, WINDOWS)])
    late = means[WINDOWS // 2 :]
    at = np.arange(len(late))
    rest = late - np.polyval(np.polyfit(at, late, 1), at)
    reach = float(means.max() - means.min())
    return float(rest.std() / reach) if reach > 0 else 0.0


def stopped(model: Any, minutes: float) -> str | None:
    """When a network ended its training, if that was before its time was over."""
    if not hasattr(model, "history") or "minutes" not in model.budget():
        return None
    seconds = model.measurements["seconds"]
    return f"after {seconds:.0f} of {60 * minutes:.0f} s" if seconds < EARLY * 60 * minutes else None
