"""How often a family diverges: ten seeds of four data sets in full and in half precision.

python benchmarks/stability.py [--family diffusion] [--steps 300] [--seeds 10] [--data moons,grid,digits,adult:train]

A run has failed if its loss was not finite, if a number that is drawn is none where the data has no holes, or, where
the family says what its error is, if that is not below the error of a network that says nothing.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

import pushforward as pf
from pushforward.spec import model_of


def failed(data: pf.Records, words: str, **run: object) -> str:
    """Why a run has failed; nothing where it has not."""
    model = model_of("--family", words, pf.Model)
    try:
        model.fit(data, **run)
    except pf.DivergedError as error:
        return str(error)
    error = model.measurements.get("error")
    if error is not None and not error < 1:
        return f"error {error:.2f} of that of silence"
    drawn = model.sample(500, seed=0)
    for field in data.schema.of_kind(pf.Number):
        column = drawn.column(field.name)
        if column.null_count and not data.column(field.name).null_count:
            return f"holes in {field.name}"
        if not np.isfinite(column.drop_null().to_numpy(zero_copy_only=False).astype(float)).all():
            return f"{field.name} is not finite"
    return ""


def main() -> None:
    """A line a data set and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", default="diffusion")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", default="moons,grid,digits,adult:train")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in said.data.split(","):
        data = pf.read(name)
        for precision in ("float32", "bfloat16"):
            start = time.monotonic()
            seeds = range(said.seeds)
            found = [failed(data, said.family, steps=said.steps, seed=s, precision=precision) for s in seeds]
            bad = [why for why in found if why]
            seconds = time.monotonic() - start
            print(
                f"{name:12} {precision:9} {len(bad)} of {said.seeds} failed, {seconds:4.0f} s  {bad[:2] or ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
