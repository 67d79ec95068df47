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


def compare(path: Path, repeats: int) -> float:
    """Print the medians of both readers, timed in turn so that what else the machine does meets both; their ratio."""
    pf.read(path)  # imports, and the file into the page cache
    pairs = [(seconds(lambda: pa.csv.read_csv(path)), seconds(lambda: pf.read(path))) for _ in range(repeats)]
    theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = ours / theirs
    print(
        f"{path.name:14} {path.stat().st_size / 2**20:3.0f} MiB   pyarrow {theirs:.3f} s   "
        f"pf.read {ours:.3f} s   ratio {ratio:.2f} (bar {BAR})"
    )
    return ratio


def main() -> int:
    """Time both readers on a file that quotes words, as PyArrow and R write it, and on one that does not, as pandas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    table = make(options.rows)
    print(f"{options.rows:,} rows × {table.num_columns} columns, median of {options.repeats} runs each")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for name, style in (("quoted.csv", "needed"), ("unquoted.csv", "none")):
            path = Path(folder) / name
            pa.csv.write_csv(table, path, pa.csv.WriteOptions(quoting_style=style))
            ratios.append(compare(path, options.repeats))
    return 0 if max(ratios) <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
