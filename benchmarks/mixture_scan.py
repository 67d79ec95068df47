"""Fitting a mixture from `pf.scan` of a Parquet file four times as large as the memory that it may take.

Run with ``python benchmarks/mixture_scan.py``. A process of its own fits under an imposed limit (RLIMIT_DATA: what
goes beyond cannot be allocated) while its resident size is watched; another one fits the same data in memory.
It exits with 1 where the resident size grows from pass to pass, or where the parameters differ.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MIB = 2**20
COLUMNS = 8
FLAT = 1.05  # the last pass may stand this much above the second one


def write(path: Path, rows: int) -> None:
    """Floats of three clusters, a row group at a time."""
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(COLUMNS)]
    centres, shape = 4 * rng.standard_normal((3, COLUMNS)), rng.standard_normal((3, COLUMNS, COLUMNS))
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, 131_072):
            k = rng.integers(0, 3, min(131_072, rows - start))
            x = centres[k] + np.einsum("nij,nj->ni", shape[k], rng.standard_normal((len(k), COLUMNS)))
            writer.write_table(pa.table(dict(zip(names, x.T.copy(), strict=True)), schema=schema))


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def data_size() -> int:
    """Bytes that this process has allocated, as RLIMIT_DATA counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmData")).split()[1])


class Watch(threading.Thread):
    """The resident size, twenty times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, int]] = []
        self.start()

    def run(self) -> None:
        while True:
            self.seen.append((time.monotonic(), resident()))
            time.sleep(0.05)


def fit(path: Path, out: Path, steps: int, limit: int | None) -> None:
    """Fit once, from a scan under a limit or in memory without one, and write the parameters."""
    import pushforward as pf

    model = pf.GaussianMixture(components=3)
    model.fit(pf.scan({f"x{i}": np.random.default_rng(i).standard_normal(70_000) for i in range(COLUMNS)}), steps=1)
    watch, before = Watch(), resident()
    if limit is not None:
        ceiling = data_size() + limit
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
    begun = time.monotonic()
    data = pf.read(path) if limit is None else pf.scan(path)
    passes = [time.monotonic()]
    for progress in model.fitting(data, steps=steps):
        passes.append(time.monotonic())
        assert progress.step == len(passes) - 1
    np.savez(out, **{name: tensor.numpy() for name, tensor in model._state().items()})
    took = passes[-1] - begun
    peak = (max(size for _, size in watch.seen) - before) / MIB
    print(
        f"{'in memory' if limit is None else 'from the scan':14} {took:6.1f} s, resident size + {peak:7.1f} MiB at most"
    )
    if limit is None:
        return
    sizes = [statistics.median(size for at, size in watch.seen if a <= at < b) for a, b in pairwise(passes)]
    print("resident size above the start, pass by pass (MiB):", *(f"{(size - before) / MIB:.0f}" for size in sizes))
    if peak * MIB > limit or sizes[-1] > FLAT * sizes[1]:
        sys.exit("the resident size is not flat, or beyond the limit")


def main() -> int:
    """Write the data, fit twice in processes of their own, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=256, help="MiB above what an imported library takes")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--fit", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--unlimited", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit(*options.fit, options.steps, None if options.unlimited else options.limit * MIB)
        return 0
    rows = 4 * options.limit * MIB // (8 * COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        path, outs = Path(folder) / "data.parquet", [Path(folder) / f"{name}.npz" for name in ("scan", "memory")]
        write(path, rows)
        size = rows * COLUMNS * 8 // MIB
        print(f"{rows:,} rows × {COLUMNS} floats, {size:,} MiB in memory; limit {options.limit} MiB", flush=True)
        for out, more in zip(outs, ([], ["--unlimited"]), strict=True):
            words = ["--limit", str(options.limit), "--steps", str(options.steps), "--fit", str(path), str(out), *more]
            if subprocess.run([sys.executable, __file__, *words]).returncode:
                return 1
        one, two = (np.load(out) for out in outs)
        worst = max(np.abs(one[name] - two[name]).max(initial=0.0) for name in one.files)
        print(f"largest difference of a parameter: {worst:.3g}")
    return 0 if worst == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
