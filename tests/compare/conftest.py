"""Comparisons made up by hand, of which is known who is ahead."""

from typing import ClassVar

import numpy as np
import pytest

import pushforward as pf
from pushforward.compare import Cell, Comparison, run, worker
from pushforward.compare.launch import Said
from pushforward.metrics import Measured

OWN = 0.01  # half an interval of a metric itself


def told(value, own=OWN):
    return Measured(value, value - own, value + own, "lower", 0.5)


@pytest.fixture
def made():
    """A comparison of models whose two-sample accuracies are given, a list of seeds each; None: it failed."""

    def build(greyed=None, **models):
        cells = [
            Cell(name, seed, failed="it crashed") if value is None
            else Cell(name, seed, found={"two-sample": told(value)}, cost={"seconds to fit": 1.0}, density="exact")
            for name, values in models.items() for seed, value in enumerate(values)
        ]  # fmt: skip
        data = {"name": "made", "rows": 10, "held out": 5, "fields": [["x", "number"]], "target": None, "given": []}
        setting = {"minutes": 1, "seeds": [0], "versions": {}, "machine": "", "command": "", "date": ""}
        return Comparison(data, setting, tuple(cells), greyed=greyed or {})

    return build


@pytest.fixture(scope="session")
def moons():
    return pf.read("moons").take(np.arange(600))


class Here:
    """What a process would do, done in this one, which takes a tenth of the time."""

    started: ClassVar[list] = []

    def __init__(self, job, folder, threads, seconds, said):
        self.started.append((job.model, job.seed, job.factor))
        code = worker.main(folder)
        said.put(Said(job, ended=True, failed=None if code == 0 else f"code {code}", full=code == worker.NO_ROOM))

    def end(self):
        pass


@pytest.fixture(scope="session", autouse=True)
def at_home():
    """Comparisons start no processes; `launch.Running` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Running", Here)
        patch.setattr(worker, "print", lambda *_, **__: None, raising=False)
        yield Here
