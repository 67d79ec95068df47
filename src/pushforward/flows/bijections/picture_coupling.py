"""One half of the channels of a picture moved as the other half says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.conditioner import shrunk
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.kernel import Kernel
from pushforward.flows.kernels.spline import SplineKernel
from pushforward.nets.conv import Residual


@final
class PictureCoupling(Bijection):
    """`Coupling` of channels, by residual convolutions.

    Args:
        shape: (channels, height, width), at least two channels.
        kernel: what moves a number.
        condition: numbers of c.
        width: channels of the convolutions.
        layers: residual blocks.
    """

    def __init__(
        self, shape: tuple[int, int, int], kernel: Kernel, *, condition: int = 0, width: int = 32, layers: int = 1
    ):
        super().__init__()
        self.shape, self.condition, self.kernel = shape, condition, kernel
        half = shape[0] // 2
        self._sizes = [half, shape[0] - half]
        self.first = nn.Conv2d(half, width, 3, padding=1)
        self.told = nn.Linear(condition, width) if condition else None
        self.body = nn.Sequential(*(Residual(width) for _ in range(layers)), nn.SiLU())
        self.last = shrunk(nn.Conv2d(width, kernel.parameters * self._sizes[1], 3, padding=1))

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, *shape), (n,)."""
        return self._moved(x, c, self.kernel.forward)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, *shape), (n, condition) → (n, *shape), (n,)."""
        return self._moved(y, c, self.kernel.inverse)

    def _moved(self, x: Tensor, c: Tensor | None, way) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
        still, moved = x.split(self._sizes, 1)
        h = self.first(still)
        if self.told is not None and c is not None:
            h = h + self.told(c)[:, :, None, None]
        theta = self.last(self.body(h)).to(x.dtype).transpose(0, 1).reshape(self.kernel.parameters, -1)
        moved = moved.transpose(0, 1)
        out, ladj = way(moved.reshape(-1), theta)
        out, ladj = out.view(moved.shape), ladj.view(moved.shape)
        return torch.cat([still, out.transpose(0, 1)], 1), ladj.sum((0, 2, 3))

    @classmethod
    def examples(cls) -> Sequence[PictureCoupling]:
        return [
            cls((4, 2, 2), AffineKernel(), width=4),
            cls((3, 2, 3), SplineKernel(bins=4, bound=3.0), condition=2, width=4),
        ]
