"""Reading a CSV of a million rows: `pf.read` beside PyArrow's own reader, which infers no schema.

Run with ``python benchmarks/read_csv.py``; it exits with 1 where `pf.read` takes more than 1.5 times as long.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

import pushforward as pf

BAR = 1.5


def make(rows: int) -> pa.Table:
    """Ten columns such as files have: whole numbers, prices, measurements, words, dates and truths, with holes."""
    rng = np.random.default_rng(0)

    def holed(values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=rng.random(rows) < 0.05)

    towns = np.array(["Ulm", "Bonn", "Kiel", "Trier", "Jena", "Gera", "Lahr", "Celle"])
    states = np.array([f"state {i:02d}" for i in range(50)])
    days = np.datetime64("2020-01-01") + rng.integers(0, 1500, rows)
    return pa.table(
        {
            "age": rng.integers(17, 91, rows),
            "visits": holed(rng.poisson(3, rows)),
            "income": rng.integers(0, 10**6, rows),
            "price": np.round(rng.gamma(2.0, 20.0, rows), 2),
            "discount": holed(np.round(rng.random(rows) * 10, 2)),
            "signal": rng.standard_normal(rows),
            "town": towns[rng.integers(0, len(towns), rows)],
            "state": holed(states[rng.integers(0, len(states), rows)]),
            "day": days,
            "member": rng.random(rows) < 0.4,
        }
    )


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> int:
    """Time both readers in turn, so that what else the machine does meets both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        pa.csv.write_csv(make(options.rows), path)
        pf.read(path)  # imports, and the file into the page cache
        pairs = [
            (seconds(lambda: pa.csv.read_csv(path)), seconds(lambda: pf.read(path))) for _ in range(options.repeats)
        ]
        size = path.stat().st_size
    theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{options.rows:,} rows × 10 columns, {size / 2**20:.0f} MiB, median of {options.repeats} runs each")
    print(f"pyarrow.csv.read_csv  {theirs:.3f} s")
    print(f"pf.read               {ours:.3f} s")
    print(f"ratio                 {ours / theirs:.2f} (bar {BAR})")
    return 0 if ours <= BAR * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
