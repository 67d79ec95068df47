"""Monotone rational-quadratic splines, with the identity beyond them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import softplus

from pushforward.flows.kernels.kernel import Kernel

LEAST = 1e-3  # share of a bin and slope at a knot
_UNIT = math.log(math.expm1(1 - LEAST))  # what softplus makes slope 1 of


@final
class SplineKernel(Kernel):
    """A ratio of quadratics in each of K bins of [-B, B], smooth at the knots; y = x beyond.

        y = y_k + h (s ξ² + d₀ ξ(1-ξ)) / (s + (d₀ + d₁ - 2s) ξ(1-ξ)),  ξ = (x - x_k) / w,  s = h / w

    with widths w, heights h and slopes d at the knots (Durkan, Bekasov, Murray, Papamakarios 2019, arXiv 1906.04032).
    The first K of 3K - 1 parameters are widths, the next K heights, the rest slopes.

    Args:
        bins: K.
        bound: B.

    >>> import torch
    >>> kernel = SplineKernel(bins=4)
    >>> x = torch.tensor([-1.5, 0.3, 9.0])
    >>> y, ladj = kernel.forward(x, torch.zeros(kernel.parameters, 3))
    >>> torch.allclose(y, x, atol=1e-5), torch.allclose(ladj, torch.zeros(3), atol=1e-5)
    (True, True)
    """

    def __init__(self, bins: int = 8, bound: float = 5.0):
        self.bins, self.bound = bins, bound
        self.parameters = 3 * bins - 1

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (3K - 1, m) parameters → (m,) values, (m,) log dy/dx."""
        u, inside = self._unit(x)
        x0, w, y0, h, d0, d1 = self._bin(u, theta, 0)
        xi = (u - x0) / w
        y, ladj = _ratio(xi, w, y0, h, d0, d1)
        return torch.where(inside, (2 * y - 1) * self.bound, x), torch.where(inside, ladj, 0.0)

    def inverse(self, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (3K - 1, m) parameters → (m,) values, (m,) log dx/dy."""
        v, inside = self._unit(y)
        x0, w, y0, h, d0, d1 = self._bin(v, theta, 1)
        s, t = h / w, v - y0
        bend = t * (d0 + d1 - 2 * s)
        # a ξ² + b ξ + c = 0, in the form that does not cancel
        a, b, c = h * (s - d0) + bend, h * d0 - bend, -s * t
        xi = 2 * c / (-b - (b * b - 4 * a * c).clamp_min(0).sqrt())
        xi = xi.clamp(0, 1)
        found, ladj = _ratio(xi, w, y0, h, d0, d1)
        x = x0 + w * xi - (found - v) * (-ladj).exp()  # a step of Newton's against what rounding left
        x = x + (torch.minimum(torch.maximum(x, x0), x0 + w) - x).detach()
        return torch.where(inside, (2 * x - 1) * self.bound, y), torch.where(inside, -ladj, 0.0)

    def _unit(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Values as places in [0, 1], and which of them were within the bound."""
        inside = x.abs() < self.bound
        return (x * (0.5 / self.bound) + 0.5).clamp(0, 1), inside

    def _bin(self, u: Tensor, theta: Tensor, side: int) -> tuple[Tensor, ...]:
        """The corner (x₀, y₀), size (w, h) and slopes of the bin in which u lies on one of its sides."""
        k = self.bins
        shares = theta[:k].softmax(0), theta[k : 2 * k].softmax(0)
        x0, w, y0, h, d0, d1 = _Found.apply(u, *shares, theta[2 * k :], side)
        return x0, w, y0, h, LEAST + softplus(d0 + _UNIT), LEAST + softplus(d1 + _UNIT)

    @classmethod
    def examples(cls) -> Sequence[SplineKernel]:
        return [cls(bins=5, bound=3.0), cls(bins=1)]


class _Found(torch.autograd.Function):
    """Corner, size and raw slopes of the bin of each value.

    Knots are sums of shares before them, so that the slope by a share is a step, not a scatter of many: six gathers
    forward and two masks backward are all.
    """

    @staticmethod
    def forward(ctx, u: Tensor, widths: Tensor, heights: Tensor, slopes: Tensor, side: int):  # type: ignore[no-untyped-def]
        k = len(widths)
        x, y = _knots(widths), _knots(heights)
        at = ((x, y)[side][1:-1] <= u).sum(0, keepdim=True)
        x0, y0 = x.gather(0, at)[0], y.gather(0, at)[0]
        w, h = x.gather(0, at + 1)[0] - x0, y.gather(0, at + 1)[0] - y0
        if k > 1:
            d0 = torch.where(at > 0, slopes.gather(0, (at - 1).clamp_min(0)), 0.0)[0]
            d1 = torch.where(at < k - 1, slopes.gather(0, at.clamp_max(k - 2)), 0.0)[0]
        else:
            d0 = d1 = torch.zeros_like(x0)
        ctx.save_for_backward(at)
        ctx.bins = k
        return x0, w, y0, h, d0, d1

    @staticmethod
    def backward(ctx, gx0: Tensor, gw: Tensor, gy0: Tensor, gh: Tensor, gd0: Tensor, gd1: Tensor):  # type: ignore[no-untyped-def]
        (at,) = ctx.saved_tensors
        k = ctx.bins
        rows = torch.arange(k, device=at.device)[:, None]
        before, here = (rows < at).to(gw.dtype), (rows == at).to(gw.dtype)
        scale = 1 - k * LEAST
        widths = scale * (before * gx0 + here * gw)
        heights = scale * (before * gy0 + here * gh)
        slopes = here[1:] * gd0 + here[:-1] * gd1 if k > 1 else before[1:]
        return None, widths, heights, slopes, None


def _knots(shares: Tensor) -> Tensor:
    """(K, m) shares of bins → (K + 1, m) places of knots in [0, 1]."""
    k = len(shares)
    order = torch.arange(k + 1, dtype=shares.dtype, device=shares.device)[:, None]
    below = (order.T[:, :-1] < order).to(shares.dtype) * (1 - k * LEAST)
    with torch.autocast(shares.device.type, enabled=False):  # bins may be narrower than half precision tells apart
        return torch.addmm(order * LEAST, below, shares)


def _ratio(xi: Tensor, w: Tensor, y0: Tensor, h: Tensor, d0: Tensor, d1: Tensor) -> tuple[Tensor, Tensor]:
    """The rational quadratic at ξ, and the log of its slope."""
    s, rest = h / w, 1 - xi
    a = xi * rest
    below = s + (d0 + d1 - 2 * s) * a
    y = y0 + h * (s * xi * xi + d0 * a) / below
    slope = s * s * (d1 * xi * xi + 2 * s * a + d0 * rest * rest)
    return y, slope.log() - 2 * below.log()
