"""How many of the digits that `make demo` draws are recognised as what they were asked to be.

Run after `make demo`, or alone: without a model it fits one as the demo does.

    python benchmarks/demo.py [folder of the model]
"""

from __future__ import annotations

import sys
import time

import numpy as np
from sklearn.svm import SVC

import pushforward as pf


def pixels(records: pf.Records) -> np.ndarray:
    """(n, 64) grey levels from 0 to 1."""
    return records.to_numpy()["image"].reshape(len(records), -1) / 255


def main() -> None:
    """Fit or load, draw 2,000, judge."""
    train, test = pf.read("digits").split(0.8, seed=0)
    if len(sys.argv) > 1:
        model = pf.load(sys.argv[1])
    else:
        model = pf.Diffusion().fit("digits", given="label", minutes=1.5, seed=0)
    start = time.perf_counter()
    drawn = model.sample(2000, given={"label": np.repeat(np.arange(10), 200)}, seed=1)
    seconds = time.perf_counter() - start
    judge = SVC(C=10).fit(pixels(train), train.to_numpy()["label"])
    print(f"model               {model.measurements['steps']} steps in {model.measurements['seconds']} s")
    print(f"2,000 drawn in      {seconds:.1f} s")
    print(f"judge on real test  {judge.score(pixels(test), test.to_numpy()['label']):.3f}")
    print(f"judge on drawn      {judge.score(pixels(drawn), drawn.to_numpy()['label']):.3f}")


if __name__ == "__main__":
    main()
