"""Averaged weights: an exponential average whose window is a fixed share of the run, however long that gets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

EVERY, STRIDE = 400, 4  # steps that are all taken in; after them, one in so many is


def power_of(deviation: float) -> float:
    """The exponent γ of t^γ weighting whose relative deviation is `deviation` (EDM2, arXiv 2312.02696, eq. 123).

    >>> round(power_of(0.10), 2)
    6.94
    """
    # deviation² = (γ + 1) / ((γ + 2)² (γ + 3)) falls in γ: bisection finds it
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if (middle + 1) / ((middle + 2) ** 2 * (middle + 3)) > deviation**2:
            low = middle
        else:
            high = middle
    return middle


class Average:
    """A running average of a module's parameters; buffers are taken as they are.

    After step t: a ← β a + (1 - β) θ with β = (1 - 1/t)^(γ + 1). Once that is close to 1 only every fourth step
    is taken in, with the β of all four, which is ((t - 4) / t)^(γ + 1): it costs a pass over all weights.

    Args:
        module: whose parameters are averaged.
        deviation: width of the window as a share of the run.
    """

    def __init__(self, module: nn.Module, deviation: float):
        self._live: list[Tensor] = list(module.parameters())
        self._exponent = power_of(deviation) + 1
        self.values: list[Tensor] = [p.detach().clone() for p in self._live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after `step` (the first is 1)."""
        stride = STRIDE if step > EVERY else 1
        if step % stride:
            return
        kept = math.exp(self._exponent * math.log1p(-stride / step)) if step > 1 else 0.0
        torch._foreach_lerp_(self.values, self._live, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the module computes with the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for i, live in enumerate(self._live):
            live.data, self.values[i] = self.values[i], live.data


class Averages:
    """Averages of one module over windows of several widths, of which one is in use.

    Args:
        module: whose parameters are averaged.
        deviations: width of each window as a share of the run.
    """

    def __init__(self, module: nn.Module, deviations: Sequence[float]):
        self.each = [Average(module, deviation) for deviation in deviations]
        self._used = 0

    def __len__(self) -> int:
        return len(self.each)

    def use(self, i: int) -> None:
        """Take the i-th window, or the last where there are fewer."""
        self._used = min(i, len(self.each) - 1)

    @property
    def values(self) -> list[Tensor]:
        """Those of the window in use."""
        return self.each[self._used].values

    def update(self, step: int) -> None:
        """Take in the parameters after `step` (the first is 1)."""
        for average in self.each:
            average.update(step)

    def in_place(self) -> AbstractContextManager[None]:
        """Inside, the module computes with the averages of the window in use."""
        return self.each[self._used].in_place()
