"""A run on the screen: a bar on a terminal, plain lines where output is piped, and a clean end on Ctrl-C."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO, TypeVar

from pushforward.training.progress import Progress

T = TypeVar("T")
EVERY = 0.1  # seconds between two drawings of the bar
LINE_EVERY = 5.0  # seconds between two plain lines


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop, and stopped between two steps."""


def drain(progress: Iterator[Progress], *, title: str = "fit", stream: TextIO | None = None) -> Progress | None:
    """Go through a run behind a bar on a terminal; elsewhere in silence.

    The first Ctrl-C (or SIGTERM) ends it between two steps, after a checkpoint; the second at once.

    Raises:
        Interrupted: it was asked to stop.
    """
    stream = stream or sys.stderr
    show = bar if stream.isatty() else silent
    return follow(show(progress, title=title, stream=stream), progress)


def follow(shown: Iterator[T], progress: Any) -> T | None:
    """Go through `shown`, and close `progress` between two steps when asked to stop.

    Raises:
        Interrupted: it was asked to stop.
    """
    last = None
    with _Stop() as stop:
        for now in shown:
            last = now
            if stop.asked:
                if shown is not progress:  # the screen first, so that a bar does not wait
                    shown.close()  # type: ignore[attr-defined]
                progress.close()  # the loop writes its checkpoint here
                raise Interrupted
    return last


def silent(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """The run as it is."""
    yield from progress


def json_lines(progress: Iterator[Progress], *, stream: TextIO) -> Iterator[Progress]:
    """One JSON object a step, for programs."""
    due = 0.0
    for last in progress:
        print(json.dumps(last.to_json()), file=stream)
        if time.monotonic() >= due:
            stream.flush()
            due = time.monotonic() + EVERY
        yield last
    stream.flush()


def lines(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """A plain line now and then, and at the end."""
    due, last = time.monotonic(), None
    for last, told in _remembering(progress):
        if last.note or time.monotonic() >= due:
            print(f"{title}: {in_words(told)}", file=stream, flush=True)
            due = time.monotonic() + LINE_EVERY
        yield last
    if last is not None:
        print(f"{title}: done, {in_words(told)}", file=stream, flush=True)


def bar(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """A bar with phase, losses, speed and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", style="bold", markup=False),
        BarColumn(bar_width=24, table_column=Column(min_width=8)),
        TextColumn("{task.fields[words]}", markup=False),
    )
    console = Console(file=stream, highlight=False)
    with Bar(*columns, console=console, refresh_per_second=1 / EVERY) as screen:
        task, due, last = screen.add_task(title, total=None, words="starting"), 0.0, None
        for last, told in _remembering(progress):
            if last.note:
                screen.console.print(f"{title}: {last.note}", markup=False)
            if time.monotonic() >= due:
                total = None if last.remaining is None else last.elapsed + last.remaining
                screen.update(task, completed=last.elapsed, total=total, words=in_words(told))
                due = time.monotonic() + EVERY
            yield last
        if last is not None:
            screen.update(task, completed=1, total=1, words=in_words(told))


def _remembering(progress: Iterator[Progress]) -> Iterator[tuple[Progress, Progress]]:
    """The run, and beside it the same with the losses of its phase that are not of every step, such as the held-out."""
    losses: dict[str, float] = {}
    phase = ""
    for now in progress:
        losses = {**losses, **now.losses} if now.phase == phase else dict(now.losses)
        phase = now.phase
        yield now, dataclasses.replace(now, losses=dict(losses))


def in_words(progress: Progress) -> str:
    """Where a run stands, on one line.

    >>> in_words(Progress("train", 120, {"loss": 0.5}, elapsed=6.0, remaining=54.0))
    'train 120 · loss 0.500 · 20.0 steps/s · 54 s left'
    >>> in_words(Progress("train", 3, {"loss": 2e-5}, elapsed=6.0))
    'train 3 · loss 2.0e-05 · 2.0 s/step · 6 s'
    """
    parts = [f"{progress.phase} {progress.step:,}"]
    parts += [f"{name} {_number(value)}" for name, value in progress.losses.items()]
    seconds = progress.elapsed - progress.before
    if seconds > 0 and progress.step:
        speed = progress.step / seconds
        parts.append(f"{speed:.1f} steps/s" if speed >= 1 else f"{1 / speed:.1f} s/step")
    parts.append(f"{clock(progress.remaining)} left" if progress.remaining else clock(progress.elapsed))
    return " · ".join(parts) + (f" · {progress.note}" if progress.note else "")


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.1e}"


def clock(seconds: float) -> str:
    """Seconds as a person says them.

    >>> clock(12.3), clock(150), clock(9000)
    ('12 s', '2:30 min', '2:30 h')
    """
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02d} min" if whole < 6000 else f"{whole // 3600}:{whole // 60 % 60:02d} h"


class _Stop:
    """Hears Ctrl-C and SIGTERM while a run goes on in the main thread."""

    asked = False

    def __enter__(self) -> _Stop:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise Interrupted
        self.asked = True
