"""Rows per second of every family that is exact about evidence, and what evidence of one row in ten thousand costs.

Run with ``python benchmarks/sampling.py``. It exits with 1 where a family draws fewer than 100,000 rows of adult a
second, where 1,000 rows given rare evidence take more than twice as long as 1,000 rows given none, or where a row
that was drawn does not fit its evidence.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pushforward as pf
from pushforward.families import FAMILIES, family
from pushforward.limits import Among, Between

RATE, RATIO = 100_000, 2.0  # the bars

# What is held fixed: the training rows that fit it are counted, and are few
EVIDENCE: dict[str, dict[str, Any]] = {
    "a country of one row": {"native_country": "Holand-Netherlands"},
    "three values": {"native_country": "Cuba", "education": "Masters", "income": ">50K"},
    "two values": {"occupation": "Priv-house-serv", "income": ">50K"},
    "a value and a range": {"education": "Doctorate", "age": pf.between(None, 27)},
    "two ranges and a set": {
        "age": pf.between(20, 22),
        "hours_per_week": pf.between(70, None),
        "marital_status": pf.among("Divorced", "Married-civ-spouse"),
    },
}


def fits(records: pf.Records, evidence: dict[str, Any]) -> np.ndarray:
    """(n,) whether each record is as the evidence says."""
    out = np.ones(len(records), dtype=bool)
    for name, said in evidence.items():
        values = records.to_numpy()[name]
        if isinstance(said, Between):
            low = -np.inf if said.low is None else said.low
            high = np.inf if said.high is None else said.high
            out &= (values >= low) & (values <= high)
        else:
            out &= np.isin(values, said.values if isinstance(said, Among) else [said])
    return out


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(name: str, train: pf.Records, minutes: float, rows: int, repeats: int) -> dict[str, Any]:
    """Fit a family and time its draws, without evidence and with each of `EVIDENCE`."""
    kind = family(name)
    model = kind().fit(train, seed=0, **({"minutes": minutes} if "minutes" in kind.budget() else {}))
    model.sample(1000, seed=0)  # what is made once is made here
    rate = rows / seconds(lambda: model.sample(rows, seed=1), repeats)
    free = seconds(lambda: model.sample(1000, seed=1), 3 * repeats)
    print(f"\n{name}: {rate:,.0f} rows a second (bar {RATE:,}); 1,000 rows {1000 * free:.1f} ms")
    cases = {}
    for what, evidence in EVIDENCE.items():
        try:
            drawn = model.sample(1000, given=evidence, seed=1)
        except pf.PushforwardError as error:
            print(f"    {what:22} failed: {error}")
            cases[what] = {"prevalence": float(fits(train, evidence).mean()), "ratio": None, "failures": 1000}
            continue
        took = seconds(lambda evidence=evidence: model.sample(1000, given=evidence, seed=1), 3 * repeats)
        cases[what] = {
            "prevalence": float(fits(train, evidence).mean()),
            "milliseconds": 1000 * took,
            "ratio": took / free,
            "failures": int((~fits(drawn, evidence)).sum()),
        }
        print(
            f"    {what:22} {cases[what]['prevalence']:7.4%} of the training rows   {1000 * took:7.1f} ms   "
            f"ratio {took / free:5.2f} (bar {RATIO:g})   failures {cases[what]['failures']}"
        )
    return {"rows per second": rate, "milliseconds": 1000 * free, "evidence": cases}


def passes(found: dict[str, Any]) -> bool:
    """Whether a family is above the bars."""
    cases = found["evidence"].values()
    quick = all(case["ratio"] is not None and case["ratio"] <= RATIO for case in cases)
    return found["rows per second"] >= RATE and quick and not any(case["failures"] for case in cases)


def main() -> int:
    """Every exact family on adult."""
    exact = [name for name in FAMILIES if hasattr(family(name), "_log_rest") and name != "ngram"]  # which needs text
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=lambda text: text.split(","), default=exact, help=", ".join(exact))
    parser.add_argument("--minutes", type=float, default=0.5, help="a fit")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="a file for all numbers")
    options = parser.parse_args()
    train = pf.read("adult:train")
    found = {n: measure(n, train, options.minutes, options.rows, options.repeats) for n in options.families}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0 if all(passes(one) for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
