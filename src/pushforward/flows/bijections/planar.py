"""Space stretched and squeezed across planes: the simplest flow there is, for teaching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from pushforward.flows.bijections.bijection import Bijection

ITERATIONS = 200  # at most, of an inverse


@final
class Planar(Bijection):
    """y = x + u tanh(wᵀx + b), with u kept so that wᵀu > -1 (Rezende, Mohamed 2015, arXiv 1505.05770).

        log |det| = log(1 + (1 - tanh²) wᵀu)

    The inverse solves one equation in wᵀx, by Newton steps kept within a bracket.

    Args:
        size: d.
    """

    def __init__(self, size: int):
        super().__init__()
        self.shape = (size,)
        self.u, self.w = nn.Parameter(torch.zeros(size)), nn.Parameter(torch.full((size,), size**-0.5))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        u, pull = self._pushed()
        bend = (x @ self.w + self.b).tanh()
        return x + bend[:, None] * u, torch.log1p((1 - bend**2) * pull)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        u, pull = self._pushed()
        goal = y @ self.w + self.b
        with torch.no_grad():
            root = _solved(goal, pull)
        slope = 1 + (1 - root.tanh() ** 2) * pull
        # a step of Newton's that moves nothing and carries the slopes of the inverse
        t = root - (root + pull * root.tanh() - goal) / slope.detach()
        bend = t.tanh()
        return y - bend[:, None] * u, -torch.log1p((1 - bend**2) * pull)

    def _pushed(self) -> tuple[Tensor, Tensor]:
        """u with wᵀu > -1, and wᵀu."""
        raw = self.w @ self.u
        pull = softplus(raw + _ONE) - 1
        return self.u + (pull - raw) * self.w / self.w.square().sum(), pull

    @classmethod
    def examples(cls) -> Sequence[Planar]:
        return [cls(3), cls(1)]


_ONE = torch.tensor(1.0).expm1().log().item()  # what softplus makes 1 of


def _solved(goal: Tensor, pull: Tensor) -> Tensor:
    """t with t + pull tanh t = goal."""
    low, high = goal - pull.abs(), goal + pull.abs()
    t = goal
    for _ in range(ITERATIONS):
        bend = t.tanh()
        gap = t + pull * bend - goal
        low, high = torch.where(gap > 0, low, t), torch.where(gap > 0, t, high)
        step = t - gap / (1 + (1 - bend**2) * pull)
        ahead = torch.where((step >= low) & (step <= high), step, (low + high) / 2)
        still = (ahead - t).abs() <= 2 * torch.finfo(t.dtype).eps * (1 + t.abs())
        t = ahead
        if bool(still.all()):
            break
    return t
