"""One cell in a process of its own: ``python -m pushforward.compare.worker FOLDER`` fits, draws and scores.

What it does is in ``FOLDER/job.json``; what came of it in ``fit.json``, beside draws and the saved model. It tells how
it goes in lines of JSON.
"""

from __future__ import annotations

import errno
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.compare.controllability import controllability
from pushforward.compare.cost import peak_memory, size_of
from pushforward.compare.keep import DRAWS, FIT, JOB, MOST_SHOWN, SHOWN, Job, read_records, write_records
from pushforward.compare.peers import Peer, named
from pushforward.compare.plain import plain
from pushforward.compare.ranking import interval
from pushforward.compare.stability import oscillation, stopped
from pushforward.data import Records, Schema
from pushforward.errors import PushforwardError, UnmeasurableError
from pushforward.metrics import Measured
from pushforward.model import Model
from pushforward.saving import parameters_of
from pushforward.spec import model_of
from pushforward.training.display import in_words
from pushforward.training.progress import Progress

NO_ROOM = 74  # the exit code where the disk is full
EVERY = 0.25  # seconds between two lines
SECONDS = 60.0  # for draws, and for likelihoods, after the first
FIRST = 200  # records that are drawn and scored in any case
GUIDED = 1000  # records that are drawn for each weight of guidance
LEAP = 1_000_003  # from a seed to one that nobody else uses


def main(folder: Path) -> int:
    """Do the job of a folder, and say in `fit.json` how it went."""
    said = json.loads((folder / JOB).read_text(encoding="utf-8"))
    job = Job(**{**said, "given": tuple(said["given"]), "weights": tuple(said["weights"])})
    root = folder.parents[1]
    schema = Schema.from_json(json.loads((root / "schema.json").read_text(encoding="utf-8")))
    train, held = (read_records(root / f"{name}.arrow", schema) for name in ("train", "held"))
    try:
        out = done(job, folder, train, held)
    except BrokenPipeError:  # nobody reads what we say any more
        return 1
    except MemoryError:
        out = {"failed": "it ran out of memory"}
    except PushforwardError as error:
        out = {"failed": str(error)}
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return NO_ROOM
        out = {"failed": f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"}
    try:
        (folder / FIT).write_text(json.dumps(plain(out), ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        return NO_ROOM if error.errno == errno.ENOSPC else 1
    return 0


def done(job: Job, folder: Path, train: Records, held: Records) -> dict[str, Any]:
    """Fit, draw and score once; what a cell says of it but for what draws are measured by."""
    cost: dict[str, float] = {}
    facts: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as rung:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model = _fitted(job, train)
        cost["seconds to fit"] = time.perf_counter() - start
        tell(f"drawing {job.draws:,}")
        drawn, asked, seconds = draw(model, job, train)
    cost["seconds per 1,000"] = 1000 * seconds / len(drawn)
    write_records(folder / DRAWS, drawn)
    drawn[:MOST_SHOWN].save(folder / SHOWN)
    facts["alarms"] = sorted({str(w.message) for w in rung if w.category.__module__.startswith("pushforward")})
    out: dict[str, Any] = {"density": "none", "nats": None, "cost": cost, "facts": facts, "drawn": len(drawn)}
    if isinstance(model, Model):
        facts |= {"steps": model.measurements["steps"], "oscillation": oscillation(model)}
        facts["stopped"] = stopped(model, job.minutes)
        facts["alarms"] += [text for _, text in getattr(model, "history", _None).notes if text not in facts["alarms"]]
        cost["parameters"] = parameters_of(model._state())
        cost["saved, MB"] = size_of(model.save(folder / "model")) / 1e6
        facts |= controllability(model, train, drawn, asked, job.seed)
        tell("scoring")
        out["density"] = model.density
        out["nats"], facts["no nats"] = nats(model, held)
        _guide(model, job, folder, train)
    elif (size := model.parameters()) is not None:
        cost["parameters"] = size
    if (peak := peak_memory()) is not None:
        cost["peak memory, MB"] = peak / 1e6
    return out


class _None:
    """The history of a model that has none."""

    notes: tuple[tuple[int, str], ...] = ()


def _fitted(job: Job, train: Records) -> Model | Peer:
    if "peer" in job.spec:
        tell("fitting")
        peer = named(job.spec["peer"])()
        peer.fit(train, seed=job.seed, seconds=60 * job.minutes)
        return peer
    model: Any = model_of("families", job.spec, Model)
    if job.factor != 1:
        model.set_params(lr=model.lr * job.factor)
    budget = {"minutes": job.minutes} if "minutes" in model.budget() else {}  # counting has no bound to take
    last = 0.0
    for now in model.fitting(train, given=job.given, seed=job.seed, **budget):
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            tell(_brief(now))
    return model


def draw(model: Model | Peer, job: Job, train: Records) -> tuple[Records, Records | None, float]:
    """As many draws as the job wants, or as there is time for; what was asked of them, and the seconds it took.

    Conditions are those of training records at random, since held-out ones would make draws lie near to these.
    """
    asked = None
    if job.given:
        rows = np.random.default_rng(job.seed).integers(0, len(train), job.draws)
        asked = train.take(rows).select(job.given)
    first = min(FIRST, job.draws)
    start = time.perf_counter()
    drawn = model.sample(first, given=None if asked is None else asked[:first], seed=job.seed)
    seconds = time.perf_counter() - start
    more = min(job.draws - first, int(SECONDS * first / seconds))
    if more > 0:
        start = time.perf_counter()
        other = None if asked is None else asked[first : first + more]
        rest = model.sample(more, given=other, seed=job.seed + LEAP)
        drawn, seconds = drawn.concat(rest), seconds + time.perf_counter() - start
    return drawn, None if asked is None else asked[: len(drawn)], seconds


def nats(model: Model, held: Records) -> tuple[Measured | None, str | None]:
    """The mean of log p of held-out records, as many as there is time for; or why there is none."""
    if not hasattr(model, "log_prob"):
        return None, model.lacks("log_prob") or "this model has no likelihood"
    try:
        start = time.perf_counter()
        each = model.log_prob(held[:FIRST])
        more = int(SECONDS * len(each) / (time.perf_counter() - start))
        if len(held) > FIRST and more:
            each = np.concatenate([each, model.log_prob(held[FIRST : FIRST + more])])
        return Measured(*interval(each), "higher", float("inf"), detail={"n": len(each)}), None
    except UnmeasurableError:
        return None, f"{np.isinf(each).mean():.1%} of held-out records have no probability at all"
    except PushforwardError as error:
        return None, str(error)


def _guide(model: Model, job: Job, folder: Path, train: Records) -> None:
    """Draw with other weights of guidance, where the model can be guided."""
    if not (job.weights and job.given and "guidance" in model.options()):
        return
    rows = np.random.default_rng(job.seed).integers(0, len(train), min(job.draws, GUIDED))
    asked = train.take(rows).select(job.given)
    for weight in job.weights:
        tell(f"drawing with guidance {weight:g}")
        drawn = model.sample(len(asked), given=asked, seed=job.seed, guidance=weight)
        write_records(folder / f"guided-{weight:g}.arrow", drawn)


def tell(words: str) -> None:
    """A line for who watches."""
    print(json.dumps({"words": words}), flush=True)


def _brief(now: Progress) -> str:
    return in_words(Progress(now.phase, now.step, elapsed=now.elapsed, remaining=now.remaining))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
