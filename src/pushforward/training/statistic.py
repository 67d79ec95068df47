"""Sufficient statistics: what chunks of data say about parameters, and how that adds up."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from pushforward.errors import DivergedError
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.place import Place
from pushforward.training.progress import Progress
from pushforward.training.run import Run


@dataclass(frozen=True)
class Statistic:
    """Tensors that add, over chunks and over processes; a family says in a subclass which."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*(a + b for a, b in zip(self.tensors(), other.tensors(), strict=True)))

    def tensors(self) -> list[Tensor]:
        """The tensors, in the order of the fields."""
        return [getattr(self, field.name) for field in dataclasses.fields(self)]


@dataclass(frozen=True)
class Estimate:
    """What one pass over the data gives: new parameters, and what the old ones scored."""

    parameters: dict[str, Tensor]
    score: float


def total(statistics: Iterable[Statistic], place: Place) -> Statistic:
    """The sum over the chunks of this process's share, and over all processes."""
    whole: Statistic | None = None
    for statistic in statistics:
        whole = statistic if whole is None else whole + statistic
    assert whole is not None
    place.total(whole.tensors())
    return whole


def climb(
    parameters: dict[str, Tensor],
    update: Callable[[dict[str, Tensor]], Estimate],
    run: Run,
    place: Place,
    *,
    tolerance: float,
    most: int,
    every: int = 1,
    judge: Callable[[dict[str, Tensor]], float] | None = None,
    checkpoints: Checkpoints | None = None,
    patience: int = 1,
) -> Iterator[tuple[Progress, dict[str, Tensor]]]:
    """Repeat `update` until the score no longer rises by `tolerance`, or the budget is spent.

    Closing the iterator writes a checkpoint.

    Args:
        parameters: where to start.
        update: one pass over the data, or one batch of it.
        run: `steps` and `minutes` bound it.
        place: where it computes.
        tolerance: smallest rise of the score (mean nats a record) that counts.
        most: passes after which it stops in any case, where `run` says neither.
        every: steps that make a pass; the score that has to rise is their mean.
        judge: what has to rise instead, after each pass: the score of held-out records.
        checkpoints: where the parameters are kept on the way.
        patience: passes in a row without such a rise after which it stops.

    Raises:
        DivergedError: the score is not finite.
    """
    step, spent, best, converged, summed, stale = 0, 0.0, -float("inf"), False, 0.0, 0
    if checkpoints is not None and (found := checkpoints.latest()) is not None:
        parameters, facts = found
        step, spent, best, converged = facts["step"], facts["elapsed"], facts["score"], facts["converged"]
        summed, stale = facts["summed"], facts["stale"]
    start, saved = time.monotonic() - spent, time.monotonic()
    limit = run.steps or (most * every if run.minutes is None else 2**62)
    elapsed, done = spent, converged or step >= limit

    def keep() -> None:
        if checkpoints is not None and place.first and step:
            facts = {"elapsed": elapsed, "score": best, "converged": converged, "summed": summed, "stale": stale}
            checkpoints.save(step, parameters, facts)

    if done:
        score = best if math.isfinite(best) else summed / max(1, step % every)
        yield Progress("em", step, {"nats": score}, elapsed, 0.0), parameters

    try:
        while not done:
            estimate = update(parameters)
            if not math.isfinite(estimate.score):
                raise DivergedError(f"the log-likelihood is {estimate.score} at step {step + 1}; look for huge values")
            parameters, step = estimate.parameters, step + 1
            elapsed = place.agree(time.monotonic() - start)
            summed += estimate.score
            losses = {"nats": estimate.score}
            if step % every == 0:
                score = summed / every
                if judge is not None:
                    losses["held-out"] = score = judge(parameters)
                stale = stale + 1 if score - best < tolerance else 0
                converged = run.steps is None and stale >= patience
                best, summed = max(best, score), 0.0
            done = converged or step >= limit or (run.minutes is not None and elapsed >= 60 * run.minutes)
            if time.monotonic() - saved >= run.checkpoint:
                keep()
                saved = time.monotonic()
            remaining = 0.0 if done else _remaining(run, step, elapsed)
            yield Progress("em", step, losses, elapsed, remaining), parameters
    finally:
        keep()  # at the end, after an error, and where the consumer closes the iterator; twice costs nothing


def _remaining(run: Run, step: int, elapsed: float) -> float | None:
    """Seconds until the first bound is reached, where there is one."""
    bounds = []
    if run.minutes is not None:
        bounds.append(60 * run.minutes - elapsed)
    if run.steps is not None:
        bounds.append(elapsed / step * (run.steps - step))
    return min(bounds, default=None)
