"""Finite scalar quantisation: every number of a vector is bounded and rounded, and there is no codebook to learn."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from pushforward.autoencoders.quantisers.quantiser import Quantised, Quantiser

# The sizes that Mentzer et al. give levels for (table 1): wide enough at 5, and as few numbers as will do.
TABLE = {
    2**8: (8, 6, 5),
    2**10: (8, 5, 5, 5),
    2**12: (7, 5, 5, 5, 5),
    2**14: (8, 8, 8, 6, 5),
    2**16: (8, 8, 8, 5, 5, 5),
}
FEW, SOME = 25, 200  # codes, below which products of at least 5 levels leave gaps too wide
SLACK = 1e-3  # how far beyond the outermost level the bound lies, so that the level is reached


def levels_of(codes: int) -> tuple[int, ...]:
    """The levels of each number whose product is nearest to so many codes.

    Args:
        codes: at least 2.

    >>> levels_of(256), levels_of(16), levels_of(2000)
    ((8, 6, 5), (4, 4), (8, 7, 6, 6))
    """
    if codes in TABLE:
        return TABLE[codes]
    least, most = (2, 2) if codes < FEW else (4, 3) if codes < SOME else (5, 7)
    each = range(8, least - 1, -1)
    able = [levels for n in range(1, most + 1) for levels in itertools.combinations_with_replacement(each, n)]
    return min(able, key=lambda levels: (abs(math.log(math.prod(levels) / codes)), len(levels), max(levels)))


class FSQ(Quantiser):
    """z → round(bound(z)), number by number; the code counts through the levels like the digits of a number.

    bound(z) = h tanh(z + s) - o with h = (L - 1)(1 + ε) / 2; for an even number L of levels o = ½, and s is such that
    0 stays 0, else both are 0. Gradients pass the rounding as if it were not there. Mentzer, Minnen, Agustsson,
    Tschannen 2023, "Finite scalar quantization: VQ-VAE made simple", arXiv 2309.15505.

    Args:
        levels: of each number, at least 2.

    >>> quantiser = FSQ((8, 6, 5))
    >>> quantiser(torch.zeros(1, 1, 3)).codes, quantiser.values(torch.tensor([[0]]))
    (tensor([[124]]), tensor([[[-1., -1., -1.]]]))
    """

    reach: Tensor
    offset: Tensor
    shift: Tensor
    middle: Tensor
    basis: Tensor

    def __init__(self, levels: tuple[int, ...]):
        super().__init__()
        self.levels, self.width, self.size = tuple(levels), len(levels), math.prod(levels)
        halves = [(n - 1) * (1 + SLACK) / 2 for n in levels]
        offsets = [0.5 if n % 2 == 0 else 0.0 for n in levels]
        # of two levels, 0 is the middle between them: s would have to be infinite for it to stay 0
        shifts = [0.0 if n == 2 else math.atanh(o / h) for n, o, h in zip(levels, offsets, halves, strict=True)]
        basis = [math.prod(levels[:i]) for i in range(self.width)]
        facts = {"reach": halves, "offset": offsets, "shift": shifts, "middle": [n // 2 for n in levels]}
        for name, values in facts.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32), persistent=False)
        self.register_buffer("basis", torch.tensor(basis), persistent=False)

    def bound(self, z: Tensor) -> Tensor:
        """(…, width) real numbers → within reach of the levels -⌊L/2⌋ … ⌈L/2⌉ - 1."""
        return self.reach * torch.tanh(z.float() + self.shift) - self.offset

    def forward(self, h: Tensor) -> Quantised:
        bounded = self.bound(h)
        rounded = bounded + (bounded.round() - bounded).detach()
        codes = self.codes(bounded.detach().round())
        return Quantised(rounded / self.middle, codes, torch.zeros(len(h), device=h.device))

    def codes(self, rounded: Tensor) -> Tensor:
        """(…, width) whole numbers from -⌊L/2⌋ → (…) codes."""
        return ((rounded + self.middle).long() * self.basis).sum(-1)

    def digits(self, values: Tensor) -> Tensor:
        """(…, width) values → the levels they stand on, counted from 0, as real numbers that slopes pass through."""
        return values * self.middle + self.middle

    def values(self, codes: Tensor) -> Tensor:
        levels = torch.tensor(self.levels, device=codes.device)
        return (codes[..., None] // self.basis % levels - self.middle) / self.middle
