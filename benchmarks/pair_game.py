"""How well words and pictures belong together in the game of `GAN` over captioned pictures.

python benchmarks/pair_game.py digits 6     # 8×8 digits under 30 captions, read by a support vector machine
python benchmarks/pair_game.py shapes 8     # F1 of attributes that are read from pixels, where they can be

By two: of pairs that are drawn, of pictures drawn for words, and of words drawn for pictures. Beside each the same with
another's words: what agrees by chance.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.svm import SVC

import pushforward as pf
from pushforward.data.builtin.shapes import relation
from pushforward.testing.shapes import attribute_f1, parse

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WAYS = ("a", "the digit", "someone wrote a")
Agree = Callable[[np.ndarray, Sequence[str]], float]


def digits() -> tuple[pf.Records, pf.Records, Agree]:
    """8×8 digits, each under one of three captions of its label; and how often words name what is seen."""
    data, rng = pf.read("digits"), np.random.default_rng(0)
    pixels, labels = data.to_numpy()["image"], [int(float(v)) for v in data.column("label").to_pylist()]
    said = [f"{WAYS[rng.integers(len(WAYS))]} {NAMES[label]}" for label in labels]
    train, test = pf.read({"image": pixels, "caption": said}, text=["caption"]).split(0.8, seed=0)

    def named(captions: Sequence[str]) -> np.ndarray:
        return np.array([next((NAMES.index(word) for word in c.split() if word in NAMES), -1) for c in captions])

    def flat(pictures: np.ndarray) -> np.ndarray:
        return pictures.reshape(len(pictures), -1) / 255

    judge = SVC(C=10).fit(flat(train.to_numpy()["image"]), named(train.column("caption").to_pylist()))
    return train, test, lambda pictures, said: float((judge.predict(flat(pictures)) == named(said)).mean())


def shapes() -> tuple[pf.Records, pf.Records, Agree]:
    """One thing or two, and the F1 of their attributes where a picture can be read."""

    def agree(pictures: np.ndarray, said: Sequence[str]) -> float:
        things = [parse(picture) for picture in pictures]
        seen = [f" {relation(*some)} ".join(t.name for t in some) if len(some) == 2 else some[0].name if some else ""
                for some in things]  # fmt: skip
        kept = [i for i, some in enumerate(things) if 0 < len(some) < 3]
        return attribute_f1([seen[i] for i in kept], [said[i] for i in kept]) if kept else 0.0

    train, test = (pf.read(f"shapes:{split}").select(["image", "caption"]) for split in ("train", "test"))
    return train, test, agree


def main() -> None:
    """Play, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["digits", "shapes"])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--asked", type=int, default=300, help="pictures and captions that are completed")
    parser.add_argument("--sheet", help="a PNG of pairs")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    train, test, agree = {"digits": digits, "shapes": shapes}[said.data]()
    test = test[: said.asked]
    model = pf.GAN().fit(train, minutes=said.minutes, seed=said.seed)
    known = set(train.column("caption").to_pylist())

    def tell(name: str, pictures: np.ndarray, captions: Sequence[str]) -> None:
        others = [*captions[1:], captions[0]]
        print(f"{name}: own words {agree(pictures, captions):.3f}, another's {agree(pictures, others):.3f}", flush=True)

    drawn = model.sample(1000, seed=1)
    captions = drawn.column("caption").to_pylist()
    shares = np.mean([text in known for text in captions]), len(known & set(captions)) / len(known)
    print(f"{model.measurements['steps']} steps; {shares[0]:.3f} of captions are known, {shares[1]:.3f} of those occur")
    tell("pairs", drawn.to_numpy()["image"], captions)
    asked = test.column("caption").to_pylist()
    tell("pictures of words", model.complete({"caption": asked}, seed=2).to_numpy()["image"], asked)
    pictures = test.to_numpy()["image"]
    tell("words of pictures", pictures, model.complete({"image": pictures}, seed=3).column("caption").to_pylist())
    if said.sheet:
        drawn[:40].sheet(8).save(said.sheet)


if __name__ == "__main__":
    main()
