"""Any family that is told the label draws digits: judged by networks trained on real ones, draw by draw.

python benchmarks/pictures.py digits 0.5 --model diffusion [--seeds 3] [--sheet path.png]
python benchmarks/pictures.py path/to/mnist5k.parquet 5 --model diffusion:along=exploding
python benchmarks/pictures.py digits 0.5 --model diffusion --draw steps=4 --draw steps=18,guidance=2

Numbers are those of `judges.py`; with several ways to draw (options of `sample`) each fit is judged by all of them.
Seconds are those of a fit, and of drawing as many pictures as were learned from. With --halves each half of
held-out pictures is hidden and completed, with and without the label: how often judges see the class that
the whole picture has, and whether known pixels stay.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from judges import Court, accuracy, as_tensor

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


def halves(model: pf.Model, held: pf.Records, court: Court) -> None:
    """Complete each half of held-out pictures, and say whether they keep their class."""
    whole, labels = arrays(held)
    height, width = whole.shape[1:3]
    blind = held.to_numpy()["label"].astype(object)
    blind[:] = None
    for side, part in {
        "left": np.s_[:, : width // 2],
        "right": np.s_[:, width // 2 :],
        "upper": np.s_[: height // 2],
        "lower": np.s_[height // 2 :],
    }.items():
        mask = np.zeros((height, width), bool)
        mask[part] = True
        seen = np.where(mask.reshape(height, width, *[1] * (whole.ndim - 3)), 0, whole)
        rates = []
        for told in (held.column("label"), pa.array(blind, held.column("label").type)):
            columns = {"image": pf.read({"image": seen}).column("image"), "label": told}
            records = pf.Records(held.schema, pa.table(columns, schema=held.schema.arrow))
            out = model.complete(records, mask=mask, seed=0).to_numpy()["image"]
            assert (out[:, ~mask] == whole[:, ~mask]).all(), "known pixels were touched"
            x, y = as_tensor(out), torch.from_numpy(labels)
            rates.append(float(np.mean([accuracy(judge, x, y) for judge in court.judges])))
        print(f"  {side} half hidden: class kept {rates[0]:.3f} with the label, {rates[1]:.3f} without", flush=True)


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
    parser.add_argument("--halves", action="store_true", help="complete halves of held-out pictures too")
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
        if said.halves:
            halves(model, held, court)
    for words, found in rows.items():
        print(f"mean {words}:", {name: round(float(np.mean([row[name] for row in found])), 4) for name in found[0]})


if __name__ == "__main__":
    main()
