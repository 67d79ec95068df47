"""The folder of a comparison: its data, and a cell for each model and seed, whole or not there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pushforward.compare.result import Cell
from pushforward.data import Records, Schema
from pushforward.data.weights import digest
from pushforward.data.write import whole, write_text
from pushforward.errors import ArgumentError, FormatError
from pushforward.metrics.rows import subset
from pushforward.training.checkpoint import flush

PLAN, CELLS, CELL, JOB, FIT, DRAWS, SHOWN = (
    "plan.json", "cells", "cell.json", "job.json", "fit.json", "draws.arrow", "drawn.parquet",
)  # fmt: skip
DATA = ("train", "held")
MOST_SHOWN = 2000  # draws that are kept


@dataclass(frozen=True, eq=False)
class Job:
    """What a process of its own is to do.

    Attributes:
        model: its words.
        spec: family and hyperparameters, or the name of a peer, as plain JSON values.
        seed: of the fit and of its draws.
        factor: on the learning rate.
        minutes: for the fit.
        given: fields that are conditions.
        draws: how many.
        weights: of guidance to draw with besides.
    """

    model: str
    spec: Mapping[str, Any]
    seed: int
    minutes: float
    given: tuple[str, ...]
    draws: int
    factor: float = 1.0
    weights: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder, which differs for any two models."""
        plain = re.sub(r"[^A-Za-z0-9=.,+-]", "_", self.model)[:80]
        sign = "" if plain == self.model else "-" + hashlib.sha256(self.model.encode()).hexdigest()[:8]
        return f"{plain}{sign}-{self.seed}" + ("" if self.factor == 1 else f"-lr{self.factor:g}")


class Keep:
    """A comparison's folder, which a later one of the same data and setting goes on from.

    Args:
        folder: where; it is made.
        plan: what a later comparison must share, as plain JSON values.
        train, held: the records.

    Raises:
        FormatError: the folder holds something else, or a comparison of other data or another setting.
        ArgumentError: it cannot be written.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], train: Records, held: Records):
        self.folder, self.plan = folder, {**plan, "data": [digest(part, None) for part in (train, held)]}
        if folder.exists() and not (folder / PLAN).is_file() and (folder.is_file() or any(folder.iterdir())):
            raise FormatError(f"folder={str(folder)!r} exists and holds no comparison; name another or empty it")
        if (folder / PLAN).is_file():
            self._check()
            self._sweep()
            return
        with self.writing():
            (folder / CELLS).mkdir(parents=True, exist_ok=True)
            (folder / "schema.json").write_text(json.dumps(train.schema.to_json()), encoding="utf-8")
            for name, records in zip(DATA, (train, held), strict=True):
                write_records(folder / f"{name}.arrow", records)
            subset(held, MOST_SHOWN, seed=0).save(folder / "held.parquet")
            self.write(PLAN, self.plan)  # the last: what has a plan is whole

    def _check(self) -> None:
        try:
            before = json.loads((self.folder / PLAN).read_text(encoding="utf-8"))
            pairs = [(key, before[key], value) for key, value in self.plan.items()]
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{self.folder / PLAN} cannot be read ({error}); delete the folder") from error
        for key, old, new in pairs:
            if old != json.loads(json.dumps(new)):
                said = "other records" if key == "data" else f"{key}={old!r}"
                this = "" if key == "data" else f", this one has {key}={new!r}"
                raise FormatError(
                    f"folder={str(self.folder)!r} holds a comparison with {said}{this}; delete it or name another"
                )

    def _sweep(self) -> None:
        """Clear away what a comparison that was killed left half written."""
        for rest in (self.folder / CELLS).glob(".writing-*"):
            shutil.rmtree(rest, ignore_errors=True)

    @contextmanager
    def writing(self) -> Any:
        """Say in one line what keeps the folder from being written.

        Raises:
            ArgumentError: something does.
        """
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise ArgumentError(
                f"folder={str(self.folder)!r} cannot be written ({why}); make room and go on: finished cells are kept"
            ) from error

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """A file of the folder, whole or not at all."""
        with self.writing():
            text = json.dumps(value, ensure_ascii=False, indent=1)
            whole(self.folder / name, lambda file: write_text(file, text))

    def read(self, name: str) -> dict[str, Any] | None:
        """A file of the folder, if it is there and can be read."""
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    # Cells

    def at(self, job: Job) -> Path:
        """Where the finished cell of a job is."""
        return self.folder / CELLS / job.name

    def cell(self, job: Job) -> Cell | None:
        """The finished cell; one that failed, or lacks what the job asks for, is to be made again."""
        said = self.read(f"{CELLS}/{job.name}/{CELL}")
        cell = None if said is None else Cell.from_json(said)
        if cell is None or cell.failed is not None or (job.weights and "guidance" not in cell.facts):
            return None
        return cell

    def fitted(self, job: Job) -> Path | None:
        """Where a model is fitted and has drawn, and waits to be measured."""
        path = self.at(job).with_name(f".fitted-{job.name}")
        return path if (path / FIT).is_file() else None

    def begin(self, job: Job) -> Path:
        """A new folder in which a process may write."""
        path = self.at(job).with_name(f".writing-{job.name}")
        with self.writing():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            (path / JOB).write_text(json.dumps(vars(job)), encoding="utf-8")
        return path

    def settle(self, job: Job) -> Path:
        """What a process has written, under the name of what is whole."""
        path = self.at(job)
        with self.writing():
            fitted = path.with_name(f".fitted-{job.name}")
            shutil.rmtree(fitted, ignore_errors=True)
            return path.with_name(f".writing-{job.name}").rename(fitted)

    def finish(self, job: Job, cell: Cell) -> None:
        """Keep what was measured, and of draws what is shown."""
        path = self.at(job)
        source = self.fitted(job) or path.with_name(f".writing-{job.name}")
        with self.writing():
            source.mkdir(parents=True, exist_ok=True)
            (source / CELL).write_text(json.dumps(cell.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
            for path_ in (*(p for p in source.iterdir() if p.is_file()), source):
                flush(path_)
            for large in (*source.glob("*.arrow"), source / JOB):
                large.unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)  # an earlier failure
            source.rename(path)
            flush(path.parent)


def write_records(path: Path, records: Records) -> None:
    """Records as they are in memory."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, records.table.schema) as file:
        file.write_table(records.table.combine_chunks())


def read_records(path: Path, schema: Schema) -> Records:
    """What `write_records` wrote.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            return Records(schema, file.read_all())
    except (OSError, pa.ArrowException) as error:
        raise FormatError(f"{path} cannot be read ({error}); delete the folder and compare again") from error
