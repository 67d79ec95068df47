"""Space stretched and squeezed around a point, for teaching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from pushforward.flows.bijections.bijection import Bijection

_ONE = torch.tensor(1.0).expm1().log().item()  # what softplus makes 1 of


@final
class Radial(Bijection):
    """y = x + β (x - x₀) / (α + r), r = |x - x₀|, with β > -α (Rezende, Mohamed 2015, arXiv 1505.05770).

    The distance from x₀ becomes R = r + β r / (α + r), a quadratic equation in r for the inverse.

    Args:
        size: d.
    """

    def __init__(self, size: int):
        super().__init__()
        self.shape = (size,)
        self.center = nn.Parameter(torch.zeros(size))
        self.raw_alpha, self.raw_beta = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        away = x - self.center
        alpha, beta = self._sizes()
        r = away.square().sum(1).clamp_min(torch.finfo(x.dtype).tiny).sqrt()
        return x + (beta / (alpha + r))[:, None] * away, self._ladj(r)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) → (n, d), (n,)."""
        away = y - self.center
        alpha, beta = self._sizes()
        far = away.square().sum(1).clamp_min(torch.finfo(y.dtype).tiny).sqrt()
        b = alpha + beta - far
        root = (b * b + 4 * alpha * far).sqrt()
        r = torch.where(b > 0, 2 * alpha * far / (b + root), (root - b) / 2)  # whichever does not cancel
        return self.center + away / (1 + beta / (alpha + r))[:, None], -self._ladj(r)

    def _sizes(self) -> tuple[Tensor, Tensor]:
        alpha = softplus(self.raw_alpha)
        return alpha, softplus(self.raw_beta + _ONE) * alpha - alpha

    def _ladj(self, r: Tensor) -> Tensor:
        alpha, beta = self._sizes()
        h = beta / (alpha + r)
        return (self.shape[0] - 1) * h.log1p() + (h - h * r / (alpha + r)).log1p()

    @classmethod
    def examples(cls) -> Sequence[Radial]:
        return [cls(3), cls(1)]
