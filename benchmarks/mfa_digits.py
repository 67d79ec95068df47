"""A mixture of factor analysers on 28×28 digits: nats of held-out pictures, and a sheet of drawn ones to look at.

python benchmarks/mfa_digits.py DIGITS.parquet [SHEET.png]

DIGITS is any table with a column ``image`` of 28×28 pictures. K components with q factors each: see the options.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import pushforward as pf


def main() -> None:
    """Fit, score, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("digits")
    parser.add_argument("sheet", nargs="?", type=Path)
    parser.add_argument("--components", type=int, default=30)
    parser.add_argument("--factors", type=int, default=10)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--ridge", type=float, default=2e-2)
    options = parser.parse_args()
    digits = pf.read(options.digits)
    train, test = digits.select(["image"]).split(0.9, seed=0)
    model = pf.GaussianMixture(
        components=options.components, covariance="factors", factors=options.factors, ridge=options.ridge
    )
    begun = time.monotonic()
    model.fit(train, steps=options.steps, seed=0)
    took = time.monotonic() - begun
    bits = [-score / (784 * 0.6931471805599453) for score in (model.score(train), model.score(test))]
    print(
        f"{len(train):,} pictures, K={options.components}, q={options.factors}: {options.steps} steps in {took:.0f} s"
    )
    print(
        f"nats a picture: {model.score(train):.0f} seen, {model.score(test):.0f} held out; {bits[1]:.2f} bits a pixel"
    )
    diagonal = pf.GaussianMixture(components=options.components, covariance="diagonal", ridge=options.ridge)
    print(f"diagonal, the same K: {diagonal.fit(train, steps=options.steps, seed=0).score(test):.0f} held out")
    if options.sheet:
        rng = np.random.default_rng(1)  # what the factors say, without the noise that each pixel has of its own
        which = np.sort(rng.choice(options.components, 100, p=model.mixture.weights.numpy()))
        codes = np.column_stack([which, 0.8 * rng.standard_normal((100, options.factors))])
        model.decode(codes).save(options.sheet)
        print(f"Look at {options.sheet}")


if __name__ == "__main__":
    main()
