"""Pictures that a `VQ` and a `CLIP` find for captions of emoji, judged by another CLIP, beside other roads.

    python benchmarks/clip.py --minutes 10 --fields caption,tags,tone --encoder minilm --seed 1 --out judge
    python benchmarks/steering.py judge [--joint FOLDER] [--minutes 6] [--steps 60] [--sheet path.png]

Captions are those of `emoji:test`, persons in tones of skin that no road has seen them in. A picture is found if a CLIP
says that of a hundred captions its own is most like it.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from clip import top1
from joint import TONE, captions

import pushforward as pf

AMONG, RANDOM = 100, 400


def found(judge: pf.CLIP, pictures: np.ndarray, said: list[str]) -> float:
    """How often a picture is found by its own caption among a hundred."""
    concepts = np.array([TONE.sub("", caption) for caption in said])
    return top1(np.asarray(judge.similarity({"image": pictures}, said)), concepts, AMONG)


def main() -> None:
    """Fit who leads, and print how often each road's pictures are found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judge", help="folder of a CLIP that nothing is led by")
    parser.add_argument("--joint", help="folder of a Joint of emoji")
    parser.add_argument("--minutes", type=float, default=6.0, help="of the CLIP; two thirds of them of the VQ")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--sheet", help="a PNG of the pictures that were found")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train = pf.read("emoji:train")
    rows = np.random.default_rng(0).permutation(len(pf.read("emoji:test")))[:AMONG]
    test = pf.read("emoji:test").select(["image", "caption"]).take(rows)
    vq = pf.VQ(codes=1024, local=True, width=64).fit(train.select(["image"]), minutes=said.minutes * 2 / 3, seed=0)
    leader = pf.CLIP().fit(train.select(["image", "caption", "tone"]), minutes=said.minutes, seed=said.seed)
    judge = pf.load(said.judge)

    def tell(name: str, pictures: np.ndarray) -> None:
        shares = [found(each, pictures, captions(test)) for each in (leader, judge)]
        print(f"{name}: found by the leader in {shares[0]:.2f}, by the judge in {shares[1]:.2f}", flush=True)

    tell("real", test.to_numpy()["image"])
    tell("real, as the codes of the VQ", vq.reconstruct(test.select(["image"])).to_numpy()["image"])
    start = time.monotonic()
    ways = [pf.steer(vq, leader, text, steps=said.steps, restarts=2, seed=1).records[:1] for text in captions(test)]
    steered = ways[0].concat(*ways[1:])
    tell(f"steered, {(time.monotonic() - start) / AMONG:.1f} s each", steered.to_numpy()["image"])
    some = vq.sample(RANDOM, seed=1)
    tell(f"best of {RANDOM} random", some.take(leader.similarity(some, captions(test)).argmax(0)).to_numpy()["image"])
    if said.joint:
        drawn = pf.load(said.joint).sample(AMONG, given={"caption": captions(test)}, guidance=2.0, seed=1)
        tell("Joint", drawn.to_numpy()["image"])
    if said.sheet:
        shown = pf.read({"image": steered.to_numpy()["image"], "caption": captions(test)}, text=["caption"])
        order = [i for pair in zip(range(24), range(AMONG, AMONG + 24), strict=True) for i in pair]
        test.concat(shown).take(order).select(["image"]).save(said.sheet)


if __name__ == "__main__":
    main()
