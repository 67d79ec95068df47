"""One half of a record moved as the other half says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.conditioner import Conditioner
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.kernel import Kernel
from pushforward.flows.kernels.logistics import LogisticsKernel
from pushforward.flows.kernels.spline import SplineKernel


@final
class Coupling(Bijection):
    """y = (x_a, k(x_b; θ(x_a, c))) with a kernel k: quick both ways (Dinh et al. 2016, arXiv 1605.08803).

    Args:
        size: d; a is the first half, b the rest, of one column b is all.
        kernel: what moves a number, such as `AffineKernel` or `SplineKernel`.
        condition: numbers of c.
        hidden: widths of the hidden layers of θ.
        flip: whether the rest says how the first half moves instead.

    >>> import torch
    >>> coupling = Coupling(3, SplineKernel(bins=4))
    >>> y, ladj = coupling(torch.zeros(2, 3))
    >>> y.shape, ladj.shape
    (torch.Size([2, 3]), torch.Size([2]))
    """

    def __init__(
        self, size: int, kernel: Kernel, *, condition: int = 0, hidden: Sequence[int] = (128, 128), flip: bool = False
    ):
        super().__init__()
        self.shape, self.condition, self.kernel = (size,), condition, kernel
        half = size // 2
        self._flip = flip and half > 0
        self._sizes = [half, size - half]
        said, moved = self._sizes[::-1] if self._flip else self._sizes
        self.theta = Conditioner(said + condition, kernel.parameters * moved, hidden)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d), (n, condition) → (n, d), (n,)."""
        return self._moved(x, c, self.kernel.forward)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d), (n, condition) → (n, d), (n,)."""
        return self._moved(y, c, self.kernel.inverse)

    def _moved(self, x: Tensor, c: Tensor | None, way) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
        first, rest = x.split(self._sizes, 1)
        still, moved = (rest, first) if self._flip else (first, rest)
        known = torch.cat([still, c], 1) if self.condition and c is not None else still
        theta = self.theta(known).to(x.dtype).reshape(self.kernel.parameters, -1)
        out, ladj = way(moved.T.reshape(-1), theta)
        out = out.view(-1, len(x)).T
        return torch.cat([out, still] if self._flip else [still, out], 1), ladj.view(-1, len(x)).sum(0)

    @classmethod
    def examples(cls) -> Sequence[Coupling]:
        return [
            cls(5, AffineKernel(), hidden=(8,)),
            cls(4, SplineKernel(bins=5, bound=3.0), condition=2, hidden=(8, 8), flip=True),
            cls(3, LogisticsKernel(components=3), hidden=(8,)),
            cls(1, SplineKernel(bins=4)),
            cls(1, AffineKernel(), condition=2, hidden=(8,)),
        ]
