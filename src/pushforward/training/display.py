"""A run on the screen: a bar on a terminal, plain lines where output is piped, and a clean end on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

from pushforward.training.progress import Progress

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


def follow(shown: Iterator[Progress], progress: Any) -> Progress | None:
    """Go through `shown`, and close `progress` between two steps when asked to stop."""
    last = None
    with _Stop() as stop:
        for last in shown:
            if stop.asked:
                shown.close()  # type: ignore[attr-defined]
                progress.close()  # the loop writes its checkpoint here
                raise Interrupted
    return last


def silent(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """The run as it is."""
    yield from progress


def lines(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """A plain line now and then, and at the end."""
    due, last = time.monotonic(), None
    for last in progress:
        if last.note or time.monotonic() >= due:
            print(f"{title}: {in_words(last)}", file=stream, flush=True)
            due = time.monotonic() + LINE_EVERY
        yield last
    if last is not None:
        print(f"{title}: done, {in_words(last)}", file=stream, flush=True)


def bar(progress: Iterator[Progress], *, title: str, stream: TextIO) -> Iterator[Progress]:
    """A bar with phase, losses, speed and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[words]}"),
    )
    console = Console(file=stream)
    with Bar(*columns, console=console, transient=False, refresh_per_second=1 / EVERY) as screen:
        task, due = screen.add_task(title, total=None, words=""), 0.0
        last = None
        for last in progress:
            if last.note:
                screen.console.print(f"{title}: {last.note}")
            if time.monotonic() >= due:
                total = None if last.remaining is None else last.elapsed + last.remaining
                screen.update(task, completed=last.elapsed, total=total, words=in_words(last))
                due = time.monotonic() + EVERY
            yield last
        if last is not None:
            screen.update(task, completed=1, total=1, words=in_words(last))


def in_words(progress: Progress) -> str:
    """Where a run stands, on one line.

    >>> in_words(Progress("train", 120, {"loss": 0.5}, elapsed=6.0, remaining=54.0))
    'train 120 · loss 0.500 · 20.0/s · 54 s left'
    """
    parts = [f"{progress.phase} {progress.step:,}"]
    parts += [f"{name} {value:.3f}" for name, value in progress.losses.items()]
    if progress.elapsed > 0 and progress.step:
        parts.append(f"{progress.step / progress.elapsed:.1f}/s")
    if progress.remaining is not None:
        parts.append(f"{_clock(progress.remaining)} left")
    return " · ".join(parts) + (f" · {progress.note}" if progress.note else "")


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02d} min"


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
