"""What is measured of a model that was fitted and has drawn, by one battery for all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pushforward.compare.keep import CELLS, DRAWS, FIT, SHOWN, Job, Keep, read_records
from pushforward.compare.plain import from_plain, plain
from pushforward.compare.result import Cell, Found
from pushforward.data import Image, Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics import Battery, Measured, controlled, greyed, manifold, told_by_trees, told_rows, tried
from pushforward.metrics.battery import Found as Errors
from pushforward.metrics.rows import subset

CONTROLS = "controls.json"


def controls(battery: Battery, keep: Keep) -> tuple[dict[str, Found], dict[str, str]]:
    """What each metric says of the controls, and which say nothing on these records; measured once a folder."""
    said = keep.read(CONTROLS)
    if said is None:
        found = controlled(battery)
        said = {"controls": plain({name: in_words(one) for name, one in found.items()}), "greyed": greyed(found)}
        keep.write(CONTROLS, said)
    return from_plain(said["controls"]), said["greyed"]


def measured(job: Job, keep: Keep, battery: Battery) -> Cell:
    """The cell of a job whose process has ended well, with what its draws measure."""
    folder = keep.fitted(job)
    assert folder is not None
    said = from_plain(json.loads((folder / FIT).read_text(encoding="utf-8")))
    if "failed" in said:
        return Cell(job.model, job.seed, failed=said["failed"])
    drawn = read_records(folder / DRAWS, battery.train.schema)
    found = {"two-sample": _told(drawn, battery)} if job.factor != 1 else battery.measure(drawn)
    facts = {**said["facts"], "draws": said["drawn"]}
    if job.weights:
        facts["guidance"] = _guided(job, folder, battery)
    return Cell(
        job.model, job.seed, density=said["density"], nats=said["nats"], found=in_words(found), cost=said["cost"],
        facts=facts, drawn=f"{CELLS}/{job.name}/{SHOWN}",
    )  # fmt: skip


def in_words(found: Mapping[str, Measured | UnmeasurableError]) -> Found:
    """Answers, with errors as their words."""
    return {name: one if isinstance(one, Measured) else str(one) for name, one in found.items()}


def _told(drawn: Records, battery: Battery) -> Measured | UnmeasurableError:
    told = told_by_trees if drawn.schema.of_kind(Image) else told_rows
    return tried(told, drawn, battery.held, seed=battery.seed)


def _guided(job: Job, folder: Path, battery: Battery) -> dict[str, Found]:
    """By weight of guidance how well conditions are obeyed, and how much of what is real is drawn."""
    out: dict[str, Found] = {}
    for weight in job.weights:
        path = folder / f"guided-{weight:g}.arrow"
        if not path.is_file():
            continue
        drawn, found = read_records(path, battery.train.schema), Errors()
        for name in job.given:
            found[f"condition {name}"] = tried(battery.condition, drawn, name)
        found["coverage"] = tried(_covered, drawn, battery)
        out[f"{weight:g}"] = in_words(found)
    return out


def _covered(drawn: Records, battery: Battery) -> Measured:
    import numpy as np

    n = min(len(drawn), len(battery.held))
    parts = [subset(part, n, battery.seed + i) for i, part in enumerate((drawn, battery.held))]
    ours, theirs = (np.concatenate([space(part) for space in battery.spaces], 1) for part in parts)
    return manifold(ours, theirs)["coverage"]


@contextmanager
def on_cores(threads: int) -> Iterator[None]:
    """Within, PyTorch and the judges of scikit-learn use so many cores; what they used before is put back."""
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def sensitive(cells: Mapping[Job, Cell]) -> dict[str, dict[str, Measured | str]]:
    """By model, and by factor on its learning rate, the accuracy with which draws are told."""
    out: dict[str, dict[str, Any]] = {}
    for job, cell in cells.items():
        answer = cell.failed or cell.found.get("two-sample")
        if answer is not None:
            out.setdefault(job.model, {})[f"{job.factor:g}"] = answer
    return out
