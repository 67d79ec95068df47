"""Naive Bayes beside scikit-learn's, in one process: time to learn and to predict, equality, and time to draw.

Run with ``python benchmarks/naive_bayes.py``. It prints a table of medians of interleaved runs, and exits with 1
where a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.naive_bayes import CategoricalNB

import pushforward as pf
from pushforward.counts.bayes import tables

COLUMNS, LEVELS, CLASSES = 20, 10, 5


def seconds(call: Callable[[], Any]) -> float:
    """Wall-clock time of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def interleaved(calls: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Medians of calls that take turns, so that what else the machine does meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            taken[name].append(seconds(call))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    rng, n = np.random.default_rng(0), options.rows
    y = rng.integers(0, CLASSES, n)
    codes = (y[:, None] + rng.integers(0, LEVELS - 2, (n, COLUMNS))) % LEVELS
    c, k, levels = torch.from_numpy(codes), torch.from_numpy(y), [LEVELS] * COLUMNS

    def learn() -> tuple[torch.Tensor, torch.Tensor]:
        prior = torch.bincount(k, minlength=CLASSES).double()
        return (prior / prior.sum()).log()[None], tables.log_tables(tables.count(c, k, levels, CLASSES), levels, 1.0)

    prior, table = learn()
    peer = CategoricalNB(alpha=1.0).fit(codes, y)
    ours = {
        "fit": learn,
        "predict": lambda: tables.posterior(tables.scores(c, table, levels).add_(prior), prior),
    }
    theirs = {"fit": lambda: peer.fit(codes, y), "predict": lambda: peer.predict_proba(codes)}
    bars, missed = {"fit": 0.05, "predict": 0.15}, []
    print(f"{n:,} rows × {COLUMNS} columns of {LEVELS} levels, {CLASSES} classes; median of {options.runs}")
    for what, bar in bars.items():
        found = interleaved({"ours": ours[what], "theirs": theirs[what]}, options.runs)
        ratio = found["ours"] / found["theirs"]
        print(f"{what:8} {1e3 * found['ours']:8.0f} ms, scikit-learn {1e3 * found['theirs']:6.0f} ms: {ratio:.3f} ×")
        missed += [what] if ratio > bar else []
    worst = float(np.abs(ours["predict"]().numpy() - peer.predict_proba(codes)).max())  # type: ignore[union-attr]
    print(f"largest difference of a probability: {worst:.2g}")
    missed += ["equality"] if worst > 1e-9 else []

    words = np.array([f"v{level}" for level in range(LEVELS)])
    columns = {f"c{j}": words[codes[:, j]] for j in range(COLUMNS)} | {"y": words[y]}
    records = pf.read({name: column[: n // 4] for name, column in columns.items()})
    model = pf.NaiveBayes(field="y")
    whole = interleaved(
        {"fit": lambda: model.fit(records), "predict": lambda: model.predict_proba(records, "y")}, options.runs
    )
    print(f"the family on {n // 4:,} records: fit {whole['fit']:.2f} s, predict_proba {whole['predict']:.2f} s")

    adult = pf.NaiveBayes(field="income").fit("adult:train")
    many = interleaved({"all": lambda: adult.sample(100_000)}, options.runs)["all"]
    print(f"adult: {100_000 / many:,.0f} records a second")
    missed += ["draws"] if many > 1 else []
    rare = {"capital_gain": pf.between(90_000, None), "age": pf.between(85, None), "occupation": "Armed-Forces"}
    print(f"log probability of the rare evidence: {adult.log_prob(rare)[0]:.1f}")
    few = interleaved(
        {"free": lambda: adult.sample(1000), "rare": lambda: adult.sample(1000, given=rare)}, 3 * options.runs
    )
    print(f"1,000 records: {1e3 * few['free']:.1f} ms, given rare evidence {1e3 * few['rare']:.1f} ms")
    missed += ["rare evidence"] if few["rare"] > 2 * few["free"] else []
    print(f"missed: {', '.join(missed)}" if missed else "all bars are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
