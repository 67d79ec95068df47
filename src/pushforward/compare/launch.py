"""Processes that fit a model each: what they say, and how they end."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pushforward
from pushforward.compare.keep import Job
from pushforward.compare.worker import NO_ROOM

GRACE = 5.0  # seconds to end in, when asked to
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
WORKER = (sys.executable, "-m", "pushforward.compare.worker")


@dataclass(frozen=True)
class Said:
    """What a process tells: how it goes, or how it ended.

    Attributes:
        job: what it does.
        words: how it goes.
        ended: whether it is over.
        failed: why it left nothing; None where it did.
        full: whether that is for want of room on the disk.
    """

    job: Job
    words: str = ""
    ended: bool = False
    failed: str | None = None
    full: bool = False


class Running:
    """A process at work, whose lines go into a queue.

    Args:
        job: what it does.
        folder: where its `job.json` is.
        threads: how many cores it may use.
        seconds: after which it is ended.
        said: where it tells.
        command: what is run, before the folder.
    """

    def __init__(
        self, job: Job, folder: Path, threads: int, seconds: float, said: queue.Queue[Said],
        command: Sequence[str] = WORKER,
    ):  # fmt: skip
        self.job, self._said, self._seconds, self._late = job, said, seconds, False
        home = str(Path(pushforward.__file__).parents[1])
        paths = os.pathsep.join(path for path in (home, os.environ.get("PYTHONPATH")) if path)
        cores = dict.fromkeys(THREADS, str(threads))
        environment = {**os.environ, **cores, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        self._process = subprocess.Popen(
            [*command, str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
            env=environment, start_new_session=True,  # Ctrl-C is for us; we end them
        )  # fmt: skip
        self._timer = threading.Timer(seconds, self._end_late)
        self._timer.daemon = True
        self._timer.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, self._errors:
            for line in lines:
                try:
                    self._said.put(Said(self.job, str(json.loads(line)["words"])))
                except (ValueError, KeyError, TypeError):  # a package that prints
                    continue
            code = self._process.wait()
            self._timer.cancel()
            self._said.put(Said(self.job, ended=True, failed=self._why(code), full=code == NO_ROOM))

    def _why(self, code: int) -> str | None:
        if self._late:
            return f"it was ended after {self._seconds:.0f} s, which is far beyond its time"
        if code < 0:
            name = signal.Signals(-code).name
            likely = ", as systems do to who wants more memory than there is" if name == "SIGKILL" else ""
            return f"its process was ended by {name}{likely}"
        if code == NO_ROOM:
            return "there is no room left on the disk"
        if code == 0:
            return None
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"its process ended with code {code}: {lines[-1] if lines else 'it said nothing'}"

    def _end_late(self) -> None:
        self._late = True
        self.end()

    def end(self) -> None:
        """End it, whatever it does."""
        self._timer.cancel()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reader.join(GRACE)
