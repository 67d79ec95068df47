"""Any family that is told the label draws digits: judged by networks trained on real ones, draw by draw.

python benchmarks/pictures.py digits 0.5 --model diffusion [--seeds 3] [--sheet path.png]
python benchmarks/pictures.py path/to/mnist5k.parquet 5 --model diffusion:path=exploding
python benchmarks/pictures.py digits 0.5 --model diffusion --draw steps=4 --draw steps=18,guidance=2

Numbers are those of `judges.py`; with several ways to draw (options of `sample`) each fit is judged by all of them.
Seconds are those of a fit, and of drawing as many pictures as were learned from.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
from judges import Court

import pushforward as pf
from pushforward.spec import model_of


def arrays(records: pf.Records) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, and labels as whole numbers."""
    return records.to_numpy()["image"], np.array([int(v) for v in records.column("label").to_pylist()])


def options(model: pf.Model, words: str) -> dict[str, Any]:
    """``steps=4,guidance=2`` as `sample` takes it."""
    known = model.options()
    pairs = dict(pair.split("=", 1) for pair in words.split(",") if pair)
    return {name: known[name].read(value) for name, value in pairs.items()}


def main() -> None:
    """A row a seed and way to draw, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--model", default="diffusion", help="family:option=value,…")
    parser.add_argument("--draw", action="append", help="options of sample; may be said several times")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--sheet", help="a PNG of a hundred draws of the first seed")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train, held = pf.read(said.data).split(0.8, seed=0)
    truth = arrays(held)
    court = Court(arrays(train), truth, 10)
    levels, asked = list(train.schema["label"].values), np.arange(len(train)) % 10
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for seed in range(said.first, said.first + said.seeds):
        model = model_of("--model", said.model, pf.Model)
        start = time.monotonic()
        model.fit(train, given="label", minutes=said.minutes, seed=seed, precision=said.precision)
        fitted = time.monotonic() - start
        for words in said.draw or [""]:
            start = time.monotonic()
            given = {"label": [levels[i] for i in asked]}
            drawn = model.sample(len(train), given=given, seed=1, **options(model, words))
            seconds = time.monotonic() - start
            found = court.verdict(drawn.to_numpy()["image"], asked)
            rows[words].append({**found, "draw": seconds})
            facts = ", ".join(f"{name} {value:.3f}" for name, value in rows[words][-1].items())
            print(f"seed {seed}, {model.measurements['steps']:,} steps, {fitted:.0f} s; {words}: {facts}", flush=True)
            if said.sheet and seed == said.first and words == (said.draw or [""])[0]:
                drawn[:100].save(said.sheet)
    for words, found in rows.items():
        print(f"mean {words}:", {name: round(float(np.mean([row[name] for row in found])), 4) for name in found[0]})


if __name__ == "__main__":
    main()
