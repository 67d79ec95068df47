"""Which hashes were seen, in so many bits, without a list of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor, nn

SIZE = 1 << 16


@final
class Seen(nn.Module):
    """A set of hashes of which two bits each are kept (Bloom 1970): what was seen is known, and hardly anything else.

    Until something is kept, all counts as seen.

    >>> seen = Seen()
    >>> seen.keep([torch.tensor([1, 2])])
    >>> seen(torch.tensor([1, 2, 3])).tolist()
    [True, True, False]
    """

    bits: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bits", torch.ones(SIZE, dtype=torch.bool))

    def keep(self, hashes: Iterable[Tensor]) -> None:
        """Take these for all that was seen; 0 is none."""
        self.bits.zero_()
        for some in hashes:
            for bit in _bits(some[some > 0]):
                self.bits[bit.to(self.bits.device)] = True

    def forward(self, hashes: Tensor) -> Tensor:
        """(…) hashes → (…) bool, whether each was seen."""
        one, other = _bits(hashes.to(self.bits.device))
        return (self.bits[one] & self.bits[other]).to(hashes.device)


def _bits(hashes: Tensor) -> tuple[Tensor, Tensor]:
    return hashes.long() % SIZE, hashes.long() // SIZE * 40_503 % SIZE
