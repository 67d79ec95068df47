"""How many captions of `shapes` are met by pictures that any family draws given the caption.

    python benchmarks/captions_met.py diffusion:absent=0.2 12
    python benchmarks/captions_met.py latent 12 --coder vq:codes=2000 --prior diffusion:absent=0.2 --share 0.25

As in `joint.py`, a tenth of the training pairs is held out (`seen`), `unseen` has combinations of colour, shape and
size that were not learned from, and a deterministic parser reads 300 drawings of each. Of a `Latent` it also says how
many captions are met by the real pictures once they were brought to codes and back: no draw can be expected to do more.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

import pushforward as pf
from pushforward.spec import model_of
from pushforward.testing.shapes import met


def share(records: pf.Records, pictures: np.ndarray) -> float:
    """Of captions that are met."""
    said = records.column("caption").to_pylist()
    return float(np.mean([met(caption, picture) for caption, picture in zip(said, pictures, strict=True)]))


def main() -> None:
    """Fit, draw and count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", help="in words, or latent")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--coder", default="vq:codes=2000")
    parser.add_argument("--prior", default="diffusion:absent=0.2")
    parser.add_argument("--share", type=float, default=0.25, help="of the minutes, what the coder gets")
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train, seen = pf.read("shapes:train").select(["image", "caption"]).split(0.9, seed=0)
    splits = {"seen": seen[:300], "unseen": pf.read("shapes:test").select(["image", "caption"])[:300]}
    if said.model == "latent":
        model = pf.Latent(said.coder, prior=said.prior, share=said.share)
    else:
        model = model_of("model", said.model, pf.Model)
    start = time.monotonic()
    model.fit(train, given="caption", minutes=said.minutes, seed=said.seed, device="cpu")
    parts = {name: model.measurements[name]["steps"] for name in ("model", "prior") if name in model.measurements}
    print(f"{parts or model.measurements['steps']} steps, {time.monotonic() - start:.0f} s", flush=True)
    if said.model == "latent":
        back = {n: share(r, model.reconstruct(r).to_numpy()["image"]) for n, r in splits.items()}
        print("real ones as codes:", {name: round(value, 3) for name, value in back.items()}, flush=True)
    for guidance in (1.0, 2.0):
        found = {}
        for name, records in splits.items():
            captions = {"caption": records.column("caption").to_pylist()}
            drawn = model.sample(len(records), given=captions, seed=1, guidance=guidance)
            found[name] = round(share(records, drawn.to_numpy()["image"]), 3)
        print(f"guidance {guidance:g}:", found, flush=True)


if __name__ == "__main__":
    main()
