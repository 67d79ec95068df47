"""Which hashes were seen, in so many bits, without a list of them."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

SIZE = 1 << 20  # bits, a byte for eight
SPREAD = 1_640_531_527  # 2³² over the square of the golden ratio: its multiples lie far apart (Knuth 1973)


@final
class Seen(nn.Module):
    """A set of hashes of which two bits each are kept (Bloom 1970): what was seen is known, and hardly anything else.

    Of 50,000 hashes that are kept, one in a hundred others is mistaken for one of them. Until something is kept, all
    counts as seen.

    >>> seen = Seen()
    >>> seen.keep(torch.tensor([1, 2]))
    >>> seen(torch.tensor([1, 2, 3])).tolist()
    [True, True, False]
    """

    bits: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bits", torch.zeros(SIZE // 8, dtype=torch.uint8))

    def keep(self, hashes: Tensor) -> None:
        """Add hashes to what was seen; 0 is none."""
        for bit in _bits(hashes[hashes > 0].to(self.bits.device)):
            for i in range(8):
                where = bit[bit % 8 == i] // 8
                self.bits[where] = self.bits[where] | 1 << i

    def forward(self, hashes: Tensor) -> Tensor:
        """(…) hashes → (…) bool, whether each was seen."""
        one, other = _bits(hashes.to(self.bits.device))
        there = self.bits[one // 8] >> (one % 8) & self.bits[other // 8] >> (other % 8) & 1
        return (there.bool() | ~self.bits.bool().any()).to(hashes.device)


def _bits(hashes: Tensor) -> tuple[Tensor, Tensor]:
    return hashes.long() % SIZE, (hashes.long() * SPREAD >> 11) % SIZE
