"""The comparison itself: who takes part, a process for each fit, one battery for all draws."""

from __future__ import annotations

import queue
import shutil
import tempfile
import time
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pushforward
from pushforward.compare.contenders import contenders, none_fits
from pushforward.compare.jobs import divided, jobs, numbered
from pushforward.compare.keep import Job, Keep
from pushforward.compare.launch import Running, Said
from pushforward.compare.measuring import controls, measured, on_cores, sensitive
from pushforward.compare.result import Cell, Comparison
from pushforward.compare.setting import cores_here, machine, now, versions
from pushforward.data import Category, Image, Number
from pushforward.errors import ArgumentError, one_of
from pushforward.metrics import Battery

MOST_DRAWN = 50_000
ROUND = 0.25  # seconds between two looks at who watches
LATE, LEAST_LATE = 5.0, 600.0  # times the minutes, and seconds, after which a process is ended
FEWEST_CORES = 4  # for one of several processes


@dataclass(frozen=True)
class Stand:
    """How a comparison stands.

    Attributes:
        comparison: what is known so far.
        models: all that take part, in the order in which they were named.
        busy: by model what is being done with it; without a model, what is being done for all.
        done, total: of the cells.
        elapsed: seconds of this run.
        remaining: seconds that the budgets of all that is left add up to.
        new: cells that were finished since the last time.
    """

    comparison: Comparison
    models: tuple[str, ...]
    busy: dict[str, str]
    done: int
    total: int
    elapsed: float
    remaining: float
    new: tuple[Cell, ...] = ()


def compare(
    data: Any, families: Sequence[Any] | str | None = None, given: Collection[str] | str | None = None,
    minutes: float = 2.0, seeds: int | Collection[int] = 3, target: str | None = None,
    peers: Collection[str] = (), *, held: Any = None, folder: str | Path | None = None, processes: int | None = None,
    sensitivity: bool = False, guidance: bool = False,
) -> Comparison:  # fmt: skip
    """Fit every family that can model these fields, in the same split and time, and measure what they draw.

    Each model is fitted with each seed in a process of its own; families of one pass take the time that they need.
    What is finished stays in `folder`, so that a comparison that was killed goes on where it was. On a terminal a table
    shows how it goes.

    Args:
        data: anything that `read` takes, or what `scan` returns.
        families: words such as ``gan:loss=hinge``, or models; default: all that can model these fields.
        given: fields that are conditions, of which it is measured how well they are obeyed.
        minutes: for each fit.
        seeds: how many, from 0, or which.
        target: the field that a judge learns from draws to tell; default: the last category, or the last number.
        peers: generators of other packages, where these are installed.
        held: records that nobody learns from; default: a third of the data.
        folder: where cells are kept; default: nowhere, for longer than the comparison lives, so that one that was
            interrupted does not go on.
        processes: fits at once, each with its share of the cores; default: one for every four cores.
        sensitivity: whether families with a learning rate are also fitted with a tenth and ten times of it, once.
        guidance: whether families that can be guided are also asked to draw with other weights, once.

    Raises:
        DataError: the data cannot be read, or is a single record.
        ArgumentError: no family can model these fields, or an argument is out of range.
        FormatError: the folder holds something else, or a comparison of other data or another setting.

    >>> import pushforward as pf
    >>> found = pf.compare(pf.read("moons")[:300], families=["naive-bayes", "tree-chain"], seeds=1)
    >>> found.models, found.of("tree-chain")[0].density
    (('tree-chain', 'naive-bayes'), 'exact')
    """
    from pushforward.compare.screen import drain

    return drain(comparing(
        data, families, given, minutes, seeds, target, peers, held=held, folder=folder, processes=processes,
        sensitivity=sensitivity, guidance=guidance,
    ))  # fmt: skip


def comparing(
    data: Any, families: Sequence[Any] | str | None = None, given: Collection[str] | str | None = None,
    minutes: float = 2.0, seeds: int | Collection[int] = 3, target: str | None = None,
    peers: Collection[str] = (), *, held: Any = None, folder: str | Path | None = None, processes: int | None = None,
    sensitivity: bool = False, guidance: bool = False, name: str | None = None, command: str | None = None,
) -> Iterator[Stand]:  # fmt: skip
    """`compare` as an iterator of `Stand`: the last one holds the whole.

    The arguments are those of `compare`, and besides the name of the data and the command for the report. They are
    checked here, the work is done as the iterator is gone through.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < float("inf"):
        raise ArgumentError(f"minutes={minutes!r} is out of range; it must be a number > 0")
    numbers = numbered(seeds)
    if processes is not None and (isinstance(processes, bool) or not isinstance(processes, int) or processes < 1):
        raise ArgumentError(f"processes={processes!r} is out of range; it must be a whole number ≥ 1")
    name = name or (Path(data).name if isinstance(data, str | Path) else "the data")
    train, rest = divided(data, held)
    asked = (given,) if isinstance(given, str) else tuple(given or ())
    for what, field in [*(("given", one) for one in asked), *([("target", target)] if target else [])]:
        if field not in train.schema:
            raise ArgumentError(f"{what}={field!r} is not a field of the data; {one_of(field, train.names)}")
    if target and not isinstance(train.schema[target], Category | Number):
        can = [field.name for field in train.schema.of_kind(Category, Number)]
        raise ArgumentError(
            f"target={target!r} is a {train.schema[target].kind}, which no judge learns to tell; "
            f"{f'name one of {can}, or ' if can else ''}leave target= out"
        )
    specs, unfit = contenders(train, families, peers, asked)
    if not specs:
        raise none_fits(unfit)
    pictures = bool(train.schema.of_kind(Image))
    draws = min(len(rest) if pictures else len(train), MOST_DRAWN)
    plan = {
        "pushforward": pushforward.__version__, "rows": len(train), "held out": len(rest), "minutes": minutes,
        "given": asked, "target": target, "draws": draws,
    }  # fmt: skip
    place = Path(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="pushforward-"))
    try:
        keep = Keep(place, plan, train, rest)
        battery = Battery(train, rest, target=target, given=asked)
        todo = jobs(specs, numbers, asked, minutes, draws, sensitivity, guidance)
        at_once = processes or max(1, min(cores_here() // FEWEST_CORES, len(todo)))
        about = {
            "name": name, "rows": len(train), "held out": len(rest), "target": battery.target, "given": list(asked),
            "fields": [[field.name, field.kind] for field in train.schema],
        }  # fmt: skip
        where = {
            "minutes": minutes, "seeds": list(numbers), "processes": at_once, "threads": _share(at_once),
            "versions": versions(tuple(peers)), "machine": machine(), "command": command or "pf.compare(…)",
            "date": now(),
        }  # fmt: skip
    except BaseException:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
        raise
    start = Comparison(about, where, (), unfit=unfit, folder=place)
    return _Work(keep, battery, todo, at_once, start, folder is None).stands()


class _Work:
    """The jobs of a comparison, and what has come of them."""

    def __init__(
        self, keep: Keep, battery: Battery, jobs: list[Job], at_once: int, comparison: Comparison, passing: bool
    ):
        self.keep, self.battery, self.jobs, self.at_once = keep, battery, jobs, at_once
        self.comparison = comparison
        # a folder that nobody named goes with the comparison, or with the work where that comes to no end
        self.passing = weakref.finalize(self, shutil.rmtree, keep.folder, ignore_errors=True) if passing else None
        self.cells: dict[Job, Cell] = {job: cell for job in jobs if (cell := keep.cell(job)) is not None}
        self.busy: dict[str, str] = {}
        self.said: queue.Queue[Said] = queue.Queue()
        self.running: dict[Job, Running] = {}
        self.begun = time.monotonic()

    def stands(self) -> Iterator[Stand]:
        """Do all that is left."""
        left = [job for job in self.jobs if job not in self.cells]
        waiting = [job for job in left if self.keep.fitted(job)]
        left = [job for job in left if job not in waiting]
        whole = None
        try:
            yield self.stand(tuple(self.cells.values()))
            self.busy[""] = "measuring what is known: real records, copies, noise, independent columns"
            yield self.stand()
            with on_cores(_share(1)):
                found, grey = controls(self.battery, self.keep)
            self.busy.clear()
            self.comparison = replace(self.comparison, controls=found, greyed=grey)
            for job in waiting:
                yield from self.judge(job)
            while left or self.running:
                while left and len(self.running) < self.at_once:
                    self.launch(left.pop(0))
                yield from self.hear(left)
            whole = self.told()
        finally:
            for process in self.running.values():
                process.end()
            if whole is None and self.passing:  # an error that is kept, with its trace, would keep the folder as well
                self.passing()
        if self.passing:
            self.passing.detach()
            weakref.finalize(whole, shutil.rmtree, self.keep.folder, ignore_errors=True)
        else:
            self.keep.write("comparison.json", whole.to_json())
        yield replace(self.stand(), comparison=whole)

    def launch(self, job: Job) -> None:
        folder = self.keep.begin(job)
        seconds = max(LEAST_LATE, LATE * 60 * job.minutes)
        self.running[job] = Running(job, folder, _share(self.at_once), seconds, self.said)
        self.busy[job.model] = "starting"

    def hear(self, left: list[Job]) -> Iterator[Stand]:
        """What processes say, for a moment; who has ended is measured."""
        until = time.monotonic() + ROUND
        while (wait := until - time.monotonic()) > 0:
            try:
                said = self.said.get(timeout=wait)
            except queue.Empty:
                break
            if not said.ended:
                self.busy[said.job.model] = f"seed {said.job.seed}: {said.words}"
                continue
            del self.running[said.job]
            if said.full:
                cure = "and go on: finished cells are kept" if self.passing is None else "or name a folder elsewhere"
                raise ArgumentError(
                    f"folder={str(self.keep.folder)!r} cannot be written ({said.failed}); make room {cure}"
                )
            if said.failed is not None:
                cell = Cell(said.job.model, said.job.seed, failed=said.failed)
                yield from self.finish(said.job, cell)
                continue
            self.keep.settle(said.job)
            if self.at_once > 1 and left:
                self.launch(left.pop(0))
            yield from self.judge(said.job)
        yield self.stand()

    def judge(self, job: Job) -> Iterator[Stand]:
        self.busy[job.model] = f"seed {job.seed}: measuring"
        yield self.stand()
        with on_cores(_share(self.at_once)):
            cell = measured(job, self.keep, self.battery)
        yield from self.finish(job, cell)

    def finish(self, job: Job, cell: Cell) -> Iterator[Stand]:
        self.keep.finish(job, cell)
        self.cells[job] = cell
        self.busy.pop(job.model, None)
        yield self.stand((cell,) if job.factor == 1 else ())

    def told(self) -> Comparison:
        """The comparison with all cells so far, in the order of the jobs."""
        plain = [job for job in self.jobs if job in self.cells and job.factor == 1]
        plain.sort(key=lambda job: list(dict.fromkeys(j.model for j in self.jobs)).index(job.model))
        cells = tuple(self.cells[job] for job in plain)
        other = {job: self.cells[job] for job in self.jobs if job in self.cells and job.factor != 1}
        curves = {c.model: c.facts["guidance"] for c in cells if c.facts.get("guidance")}
        return replace(self.comparison, cells=cells, sensitivity=sensitive(other), guidance=curves)

    def stand(self, new: tuple[Cell, ...] = ()) -> Stand:
        """How it stands."""
        left = len(self.jobs) - len(self.cells)
        budget = 60 * sum(job.minutes for job in self.jobs if job not in self.cells) / self.at_once
        spent = time.monotonic() - self.begun
        models = tuple(dict.fromkeys(job.model for job in self.jobs))
        return Stand(self.told(), models, dict(self.busy), len(self.jobs) - left, len(self.jobs), spent, budget, new)


def _share(at_once: int) -> int:
    """The cores of one of so many processes; where there are several, one share is kept for measuring."""
    return max(1, cores_here() // (at_once + (at_once > 1)))
