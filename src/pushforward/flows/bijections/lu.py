"""Any linear map with a determinant that costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.linalg import solve_triangular

from pushforward.flows.bijections.bijection import Bijection


@final
class LU(Bijection):
    """y = L U P x + b with L unit lower and U upper triangular, diagonal e^s, P an order: log |det| = Σ s.

    (Oliva et al. 2018, arXiv 1801.09819; Kingma, Dhariwal 2018, arXiv 1807.03039.) It begins as P.

    Args:
        size: d.
        order: (d,) of the coordinates, which stays; as they come if not said.
    """

    order: Tensor
    back: Tensor

    def __init__(self, size: int, order: Tensor | None = None):
        super().__init__()
        self.shape = (size,)
        order = torch.arange(size) if order is None else order
        self.register_buffer("order", order)
        self.register_buffer("back", order.argsort())
        self.lower, self.upper = (nn.Parameter(torch.zeros(size, size)) for _ in range(2))
        self.log_diagonal, self.shift = (nn.Parameter(torch.zeros(size)) for _ in range(2))

    def factors(self) -> tuple[Tensor, Tensor]:
        """(d, d) L and U."""
        one = torch.eye(len(self.shift), dtype=self.lower.dtype, device=self.lower.device)
        return self.lower.tril(-1) + one, self.upper.triu(1) + self.log_diagonal.exp().diag()

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        with torch.autocast(x.device.type, enabled=False):  # half precision would move the points themselves
            lower, upper = self.factors()
            y = torch.addmm(self.shift, x, (lower @ upper)[:, self.back].T)
        return y, self.log_diagonal.sum().expand(len(x))

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        lower, upper = self.factors()
        x = solve_triangular(lower, (y - self.shift).T, upper=False, unitriangular=True)
        return solve_triangular(upper, x, upper=True)[self.back].T, -self.log_diagonal.sum().expand(len(y))

    @classmethod
    def examples(cls) -> Sequence[LU]:
        return [cls(4), cls(3, torch.tensor([2, 0, 1])), cls(1)]
