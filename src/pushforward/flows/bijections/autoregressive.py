"""Every coordinate moved as those before it say."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from pushforward.errors import ArgumentError
from pushforward.flows.bijections.bijection import Bijection
from pushforward.flows.conditioner import last
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.kernel import Kernel
from pushforward.flows.kernels.spline import SplineKernel


@final
class Autoregressive(Bijection):
    """y_i = k(x_i; θ_i(x_1 … x_{i-1}, c)) with a kernel k and one masked network for all θ.

    (Papamakarios, Pavlakou, Murray 2017, arXiv 1705.07057; Germain, Gregor, Murray, Larochelle 2015, arXiv
    1502.03509.) Forward takes one pass. The inverse takes d, in each of which only those hidden units are computed
    that have just become known, so that all of them together cost no more than one pass does.

    Args:
        size: d.
        kernel: what moves a number.
        condition: numbers of c.
        hidden: widths of the hidden layers, at least one; each is d at least.

    >>> import torch
    >>> flow = Autoregressive(3, AffineKernel(), hidden=(16,))
    >>> x = torch.randn(4, 3)
    >>> torch.allclose(flow.inverse(flow(x)[0])[0], x, atol=1e-5)
    True
    """

    mask: Tensor
    mask0: Tensor

    def __init__(self, size: int, kernel: Kernel, *, condition: int = 0, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        if not hidden:
            raise ArgumentError("hidden=() leaves nothing between what is known and what is said; name a width")
        self.shape, self.condition, self.kernel = (size,), condition, kernel
        hidden = [max(width, size) for width in hidden]  # or some coordinates would be seen by no unit
        least = 0 if condition or size == 1 else 1
        # a unit of degree j sees x_1 … x_j; units stand in the order of their degrees
        at = [[least + unit * (size - least) // width for unit in range(width)] for width in hidden]
        degrees = [torch.tensor(layer) for layer in at]
        inputs = torch.arange(1, size + 1)
        self.first = nn.Linear(size, hidden[0])
        self.told = nn.Linear(condition, hidden[0], bias=False) if condition else None
        self.between = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(hidden))
        self.weight, self.bias = last(hidden[-1], kernel.parameters * size)
        layers = [inputs, *degrees]
        for i, (before, after) in enumerate(itertools.pairwise(layers)):
            self.register_buffer(f"mask{i}", (before <= after[:, None]).float(), persistent=False)
        seen = (degrees[-1] < inputs[:, None]).float().repeat(kernel.parameters, 1)
        self.register_buffer("mask", seen, persistent=False)
        # how many units of each layer are known once j coordinates are
        self._ends = [[bisect_right(layer, j) for j in range(size + 1)] for layer in at]

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d), (n, condition) → (n, d), (n,)."""
        theta = self._theta(x, c).reshape(self.kernel.parameters, -1)
        y, ladj = self.kernel.forward(x.T.reshape(-1), theta)
        return y.view(-1, len(x)).T, ladj.view(-1, len(x)).sum(0)

    def inverse(self, y: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d), (n, condition) → (n, d), (n,)."""
        return self._slow(y, c) if torch.is_grad_enabled() else self._quick(y, c)

    def _theta(self, x: Tensor, c: Tensor | None) -> Tensor:
        """(P d, n) of all coordinates."""
        h = torch.nn.functional.linear(x, self.first.weight * self.mask0, self.first.bias)
        if self.told is not None and c is not None:
            h = h + self.told(c)
        for i, layer in enumerate(self.between, 1):
            assert isinstance(layer, nn.Linear)
            h = torch.nn.functional.linear(relu(h), layer.weight * getattr(self, f"mask{i}"), layer.bias)
        return torch.addmm(self.bias[:, None], self.weight * self.mask, relu(h).T).to(x.dtype)

    def _slow(self, y: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        """d passes through everything, by which gradients find their way."""
        n, d = y.shape
        columns: list[Tensor] = []
        total = y.new_zeros(n)
        for j in range(d):
            x = torch.stack([*columns, *[torch.zeros_like(total)] * (d - j)], 1)
            theta = self._theta(x, c).view(self.kernel.parameters, d, n)[:, j]
            value, ladj = self.kernel.inverse(y[:, j], theta)
            columns.append(value)
            total = total + ladj
        return torch.stack(columns, 1), total

    def _quick(self, y: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        """What is known is kept on the first axis, where the rows of units of one degree are one block."""
        n, d = y.shape
        goal = y.T.contiguous()
        x = torch.empty_like(goal)
        first = self.first.bias[:, None].expand(-1, n)
        if self.told is not None and c is not None:
            first = first + self.told.weight @ c.T
        layers = [self.first, *self.between]
        units = [y.new_empty(len(ends_layer.weight), n) for ends_layer in layers]
        weight, bias = self.weight.view(-1, d, self.weight.shape[1]), self.bias.view(-1, d)
        starts, total = [0] * len(layers), y.new_zeros(n)
        for j in range(d):
            below, known = x, j
            for i, layer in enumerate(layers):
                a, b = starts[i], self._ends[i][j]
                if b > a:
                    offset = first[a:b] if i == 0 else layer.bias[a:b, None]
                    fresh = torch.addmm(offset, layer.weight[a:b, :known], below[:known])
                    units[i][a:b] = fresh.relu_()
                    starts[i] = b
                below, known = units[i], b
            theta = torch.addmm(bias[:, j, None], weight[:, j, :known], below[:known])
            x[j], ladj = self.kernel.inverse(goal[j], theta)
            total += ladj
        return x.T, total

    @classmethod
    def examples(cls) -> Sequence[Autoregressive]:
        return [
            cls(4, AffineKernel(), hidden=(8, 8)),
            cls(3, SplineKernel(bins=4, bound=3.0), condition=2, hidden=(8, 8)),
            cls(1, SplineKernel(bins=4), hidden=(4,)),
        ]
