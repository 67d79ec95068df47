"""What measuring costs: all metrics of a table of the size of adult, and distances of all pairs of 30,000 rows.

    python benchmarks/metrics.py            # both; seconds, those of cores, and MiB beside what the process held before
    python benchmarks/metrics.py --controls moons
    python benchmarks/metrics.py --controls adult:train --rows 4000

With --controls nothing is timed: it prints what each metric says of each control, and which it cannot tell apart.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch

import pushforward as pf
from pushforward.metrics import CONTROLS, Battery, Measured, blind, controlled, greyed
from pushforward.metrics.nearest import GowerSpace

ROWS = 30_000


def memory() -> float:
    """The most that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def shown(found: Measured | pf.UnmeasurableError) -> str:
    """The number, its interval, and ! where it is evidence of copies."""
    if not isinstance(found, Measured):
        return "–"
    return f"{found.value:.3f} ({found.low:.3f} {found.high:.3f}){'!' if found.flag else ''}"


def closest(train: pf.Records) -> None:
    """Distances of 30,000 to 30,000 rows, in both directions."""
    drawn = CONTROLS["training with noise"](train, train, ROWS, 0)
    before, start, own = memory(), time.perf_counter(), time.process_time()
    found = GowerSpace(drawn, train[:ROWS]).nearest(0, 1)
    seconds, own = time.perf_counter() - start, time.process_time() - own
    print(f"{ROWS:,} × {ROWS:,} × {len(train.schema)}: {seconds:.1f} s ({own:.1f} of a core), "
          f"{memory():.0f} MiB at most ({before:.0f} before), mean {found.there.mean():.4f}", flush=True)  # fmt: skip


def whole(train: pf.Records, held: pf.Records) -> None:
    """All metrics of as many drawn rows as were learned from."""
    drawn = CONTROLS["training with noise"](train, held, len(train), 0)
    battery = Battery(train, held, given=("income",))
    before, start, own = memory(), time.perf_counter(), time.process_time()
    found = battery.measure(drawn)
    seconds, own = time.perf_counter() - start, time.process_time() - own
    print(f"all metrics of {len(drawn):,} rows × {len(train.schema)}, against {len(held):,} held out: {seconds:.1f} s "
          f"({own:.1f} of a core), {memory():.0f} MiB at most ({before:.0f} before)")  # fmt: skip
    for name, measured in found.items():
        print(f"    {name:22} {shown(measured)}")


def controls(name: str, rows: int | None, steps: int) -> None:
    """A line a metric, a column a control; then what it cannot tell."""
    records = pf.read(name)
    order = np.random.default_rng(0).permutation(len(records))[:rows]
    found = controlled(Battery(*records.take(order).split(0.5, seed=0), steps=steps))
    print(" | ".join(["", *found]))
    for metric in found["held-out reals"]:
        print(" | ".join([f"{metric:20}", *(f"{shown(part[metric]):24}" for part in found.values())]))
    for metric, whys in blind(found).items():
        print("\n".join(f"{metric} / {control}: {why}" for control, why in whys.items()))
    print("greyed:", greyed(found) or "none")


def main() -> int:
    """Time both, or show the controls."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controls", help="a data set")
    parser.add_argument("--rows", type=int, help="of it, chosen at random")
    parser.add_argument("--steps", type=int, default=600, help="of judges of pictures")
    options = parser.parse_args()
    if options.controls:
        controls(options.controls, options.rows, options.steps)
        return 0
    train, held = pf.read("adult:train"), pf.read("adult:test")
    print(f"{torch.get_num_threads()} threads")
    closest(train)
    whole(train, held)
    return 0


if __name__ == "__main__":
    sys.exit(main())
