"""`VQ` against vector-quantize-pytorch: one trunk, one loop, the same seeds and batches; only the quantiser differs.

    OMP_NUM_THREADS=1 python benchmarks/vq.py DIGITS.parquet --steps 1000 --seeds 2

Of each quantiser: the root of the mean squared error of a pixel on held-out pictures (of 255), the share of codes that
occur, and bits a picture. Weights are taken as they are after the last step for all, since the averages that `fit`
would else leave do not reach into the codebook of the other package.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

import pushforward as pf
from pushforward.autoencoders.quantisers.codebook import COMMITMENT, WIDTH
from pushforward.autoencoders.quantisers.fsq import levels_of
from pushforward.autoencoders.quantisers.quantiser import Quantised, Quantiser
from pushforward.training.player import Player


class TheirFSQ(Quantiser):
    """Finite scalar quantisation of the other package."""

    def __init__(self, codes: int):
        from vector_quantize_pytorch import FSQ

        super().__init__()
        self.inner = FSQ(list(levels_of(codes)))
        self.size, self.width = int(np.prod(levels_of(codes))), len(levels_of(codes))

    def forward(self, h: Tensor) -> Quantised:
        values, codes = self.inner(h)
        return Quantised(values, codes.long(), torch.zeros(len(h)))

    def values(self, codes: Tensor) -> Tensor:
        return self.inner.indices_to_codes(codes)


class TheirCodebook(Quantiser):
    """The learned codebook of the other package, as it advises: rotation, k-means start, dead codes replaced."""

    def __init__(self, codes: int):
        from vector_quantize_pytorch import VectorQuantize

        super().__init__()
        more = {"kmeans_init": True, "threshold_ema_dead_code": 2, "rotation_trick": True, "commitment_weight": 1.0}
        self.inner = VectorQuantize(dim=WIDTH, codebook_size=codes, **more)
        self.size, self.width = codes, WIDTH

    def forward(self, h: Tensor) -> Quantised:
        values, codes, distance = self.inner(h)
        variance = self.inner.codebook.var(0, unbiased=False).mean().clamp_min(1e-6).detach()
        cost = COMMITMENT * distance.sum() * h[0].numel() / variance
        return Quantised(values, codes, cost.expand(len(h)))

    def values(self, codes: Tensor) -> Tensor:
        return self.inner.get_codes_from_indices(codes)


@dataclass(kw_only=True, eq=False)
class Compared(pf.VQ):
    """`VQ` whose quantiser may be another one, and whose weights are not averaged."""

    other: ClassVar[type[Quantiser] | None] = None

    def _quantiser(self) -> Quantiser:
        return super()._quantiser() if self.other is None else self.other(self.codes)

    def players(self) -> list[Player]:
        return [replace(player, average=0.0) for player in super().players()]


@dataclass(kw_only=True, eq=False)
class WithTheirFSQ(Compared):
    other: ClassVar = TheirFSQ


@dataclass(kw_only=True, eq=False)
class WithTheirCodebook(Compared):
    other: ClassVar = TheirCodebook


ROWS = {
    "fsq, ours": (Compared, {}),
    "fsq, theirs": (WithTheirFSQ, {}),
    "learned, ours": (Compared, {"codebook": "learned"}),
    "learned, theirs": (WithTheirCodebook, {"codebook": "learned"}),
}


def error(model: pf.Model, held_out: pf.Records) -> float:
    """The root of the mean squared error of a pixel."""
    made, real = (r.to_numpy()["image"].astype(float) for r in (model.reconstruct(held_out), held_out))
    return float(np.sqrt(np.mean((made - real) ** 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--codes", type=int, default=256)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    options = parser.parse_args()
    data = pf.read(options.data)
    data = data.select([field.name for field in data.schema.of_kind(pf.Image)])
    train, held_out = data.split(0.8, seed=0)
    errors: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        for name, (cls, more) in ROWS.items():
            if options.only not in name:
                continue
            start = time.monotonic()
            model = cls(codes=options.codes, width=options.width, **more)
            model.fit(train, steps=options.steps, seed=seed, device="cpu")
            errors.setdefault(name, []).append(error(model, held_out))
            facts = model.measurements
            print(
                f"{name:16} seed {seed}: error {errors[name][-1]:.3f}, used {facts['used']:.1%} of {facts['codes']}, "
                f"{facts['bits']:g} bits, {model.score(held_out):.1f} nats, {time.monotonic() - start:.0f} s",
                flush=True,
            )
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    for kind in ("fsq", "learned"):
        if f"{kind}, ours" in means and f"{kind}, theirs" in means:
            print(f"{kind}: ours / theirs = {means[f'{kind}, ours'] / means[f'{kind}, theirs']:.4f}")


if __name__ == "__main__":
    main()
