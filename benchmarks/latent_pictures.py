"""A mixture over the codes of a VAE draws digits on demand: judged by networks trained on the real ones.

python benchmarks/latent_pictures.py digits 1 [--seeds 3] [--model …] [--prior …] [--sheet path.png]
python benchmarks/latent_pictures.py path/to/mnist5k.parquet 5
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from judges import Court

import pushforward as pf

MODEL = "vae:latent=16,beta=0.3"
PRIOR = "gaussian-mixture:components=40,smoothing=0.1"


def arrays(records: pf.Records) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, and labels as whole numbers."""
    return records.to_numpy()["image"], np.array([int(v) for v in records.column("label").to_pylist()])


def main() -> None:
    """One row a seed, and their means."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--prior", default=PRIOR)
    parser.add_argument("--told", action="store_true", help="the auto-encoder is told the label too")
    parser.add_argument("--sheet")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train, held = pf.read(said.data).split(0.8, seed=0)
    real, truth = arrays(train), arrays(held)
    court = Court(real, truth, 10)
    levels = list(train.schema["label"].values)
    asked = np.arange(len(train)) % 10
    rows = []
    for seed in range(said.first, said.first + said.seeds):
        model = pf.Latent(said.model, prior=said.prior, told=said.told, share=0.97)
        start = time.monotonic()
        model.fit(train, given="label", minutes=said.minutes, seed=seed)
        fitted = time.monotonic() - start
        drawn = model.sample(len(train), given={"label": [levels[i] for i in asked]}, seed=1)
        found = court.verdict(drawn.to_numpy()["image"], asked)
        back = model.reconstruct(held).to_numpy()["image"]
        found["error"] = float(((back / 255.0 - truth[0] / 255.0) ** 2).mean())
        rows.append(found)
        print(f"seed {seed}, {fitted:.0f} s:", {name: round(value, 4) for name, value in found.items()}, flush=True)
        if said.sheet and seed == said.first:
            drawn[:100].save(said.sheet)
    print("mean:", {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]})


if __name__ == "__main__":
    main()
