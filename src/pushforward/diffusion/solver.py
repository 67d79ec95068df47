"""An adaptive solver of ordinary differential equations, in which every record takes steps of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.errors import PushforwardError

# Dormand, Prince 1980: slopes at seven places, a step of fifth order, and what one of fourth order differs by
_AT = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_FROM = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
FIRST, SAFETY, LEAST, MOST = 0.05, 0.9, 0.2, 5.0  # first step; what the next one may be to the last
STEPS = 2000  # at most

Slope = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(y, t, rows) ↦ dy/dt; y (m, d), t (m,), rows (m,) which records these are."""


def solve(slope: Slope, y: Tensor, start: float, end: float, *, tolerance: float) -> tuple[Tensor, Tensor]:
    """y at `end` along dy/dt = slope, and (n,) steps that each record took (Dormand, Prince 1980).

    A record is stepped by its own error and dropped when it has arrived, so that it ends in the same place in any
    company.

    Args:
        slope: what is followed.
        y: (n, d) at `start`.
        start, end: of the time; either may be the larger.
        tolerance: error of a step, absolute and relative.

    Raises:
        PushforwardError: a record does not arrive.

    >>> y, _ = solve(lambda y, t, rows: -y, torch.ones(1, 1).double(), 0, 1, tolerance=1e-9)
    >>> abs(y.item() - 0.36787944) < 1e-8
    True
    """
    y, way = y.clone(), 1.0 if end >= start else -1.0
    t, h = y.new_full((len(y),), start), y.new_full((len(y),), min(FIRST, abs(end - start)))
    taken = torch.zeros(len(y), dtype=torch.int64, device=y.device)
    rows = torch.arange(len(y), device=y.device)
    first = slope(y, t, rows)
    for _ in range(STEPS):
        if not len(rows):
            break
        now, at = y[rows], t[rows]
        step = torch.minimum(h[rows], (end - at).abs())
        final = step == (end - at).abs()
        slopes = [first]
        ahead = now
        for c, weights in zip(_AT[1:], _FROM[1:], strict=True):
            ahead = now + (way * step)[:, None] * sum(w * k for w, k in zip(weights, slopes, strict=True) if w)
            slopes.append(slope(ahead, at + way * c * step, rows))
        gap = step[:, None] * sum(w * k for w, k in zip(_ERROR, slopes, strict=True) if w)
        size = tolerance * (1 + torch.maximum(now.abs(), ahead.abs()))
        error = (gap / size).square().mean(1).sqrt()
        if not bool(error.isfinite().all()):
            break
        good = (error <= 1) | (step <= 1e-7 * abs(end - start))
        y[rows] = torch.where(good[:, None], ahead, now)
        ahead_t = torch.where(final, torch.full_like(at, end), at + way * step)  # rounding must not lead past the end
        t[rows] = torch.where(good, ahead_t, at)
        h[rows] = step * (SAFETY * error.clamp_min(1e-10) ** -0.2).clamp(LEAST, MOST)
        taken[rows] += 1
        # the last slope of a step is the first of the next
        first = torch.where(good[:, None], slopes[-1], slopes[0])
        left = ~(good & final)
        rows, first = rows[left], first[left]
    if len(rows):
        raise PushforwardError(
            f"{len(rows)} of {len(y)} records did not arrive in {STEPS} steps of the solver, or met a slope that "
            "is not finite; train longer, or lower the learning rate"
        )
    return y, taken
