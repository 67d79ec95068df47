"""One map after another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import final

import torch
from torch import Tensor, nn

from pushforward.errors import ArgumentError
from pushforward.flows.bijections.affine import Affine
from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.bijections.permutation import Permutation


@final
class Chain(Bijection):
    """x → f_k(… f_1(x)); the logarithms of the stretches add up.

    Args:
        parts: the maps, at least one; chains among them are unrolled.

    >>> import torch
    >>> flow = Affine(2) >> Permutation.reversed(2)
    >>> flow(torch.tensor([[1.0, 2.0]]))[0].tolist()
    [[2.0, 1.0]]
    """

    parts: nn.ModuleList

    def __init__(self, parts: Iterable[Bijection]):
        super().__init__()
        flat: list[Bijection] = []
        for part in parts:
            flat += part.parts if isinstance(part, Chain) else [part]  # type: ignore[arg-type]
        if not flat:
            raise ArgumentError("parts=[] is empty; a chain needs at least one map")
        for before, after in itertools.pairwise(flat):
            if before.out != after.shape:
                raise ArgumentError(
                    f"parts: {type(before).__name__} gives records of shape {before.out}, and "
                    f"{type(after).__name__} takes {after.shape}; they must agree"
                )
        self.parts = nn.ModuleList(flat)
        self.shape, self.condition = flat[0].shape, max(part.condition for part in flat)

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of a record that comes out."""
        return self.parts[-1].out  # type: ignore[return-value]

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, *out), (n,)."""
        total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for part in self.parts:
            x, ladj = part(x, c)
            total = total + ladj
        return x, total

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *out), (n, condition) → (n, *shape), (n,)."""
        total = torch.zeros(len(y), dtype=y.dtype, device=y.device)
        for part in reversed(self.parts):
            y, ladj = part.inverse(y, c)  # type: ignore[operator]
            total = total + ladj
        return y, total

    def prepare(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Every part takes what it needs from what reaches it."""
        for part in self.parts:
            x = part.prepare(x, c)  # type: ignore[operator]
        return x

    @classmethod
    def examples(cls) -> Sequence[Chain]:
        return [Affine(3) >> Permutation.reversed(3) >> Affine(3)]
