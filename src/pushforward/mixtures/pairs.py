"""Two ranges of a Gaussian: their probability by quadrature, and draws by a table of the first number's distribution.

With Σ = L Lᵀ, x = μ + L e and u the share of the first range that lies below x_1,

    P(low < x < high) = P(low_1 < x_1 < high_1) ∫₀¹ P(low_2 < x_2 < high_2 | x_1(u)) du

(Genz, Bretz 2009, Computation of multivariate normal and t probabilities, chapter 4). With u = t² (3 - 2 t), which is
flat where u is 0 or 1, the integrand is smooth there too, though x_1 may be infinite. The integral over t is Gauss and
Legendre's rule of two nodes on PANELS panels, whose error falls as PANELS⁻⁴. Within a panel the integrand is drawn
from as the line through its two nodes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.mixtures import truncated

PANELS = 256
NODE = 0.5 / math.sqrt(3)  # from the middle of a panel to its nodes


def log_pair(means: Tensor, root: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(…) log P(low < x < high).

    Args:
        means: (…, 2).
        root: (…, 2, 2) Cholesky factors.
        low, high: (2,).
    """
    first, second = _nodes(means, root, low, high)
    return first + second.logsumexp((-2, -1)) - math.log(2 * PANELS)


def draw_pairs(means: Tensor, root: Tensor, chosen: Tensor, low: Tensor, high: Tensor, u: Tensor) -> Tensor:
    """(n, 2) draws of x given that low < x < high.

    Args:
        means: (K, 2).
        root: (K, 2, 2) Cholesky factors.
        chosen: (n,) the Gaussian of each draw.
        low, high: (2,).
        u: (n, 2) uniform draws that they are made of.
    """
    _, second = _nodes(means, root, low, high)
    density = (second - second.amax((-2, -1), keepdim=True)).exp()  # (K, PANELS, 2)
    ladder = density.sum(2).cumsum(1)
    ladder = ladder / ladder[:, -1:]
    steps = torch.arange(len(means), device=u.device)[:, None]
    found = torch.searchsorted((ladder + steps).flatten(), u[:, 0] + chosen, right=True) - PANELS * chosen
    panel = found.clamp(0, PANELS - 1)
    here = ladder[chosen, panel]
    below = torch.where(panel > 0, ladder[chosen, (panel - 1).clamp_min(0)], 0.0)
    within = ((u[:, 0] - below) / (here - below).clamp_min(1e-300)).clamp(0, 1)
    share = _share((panel + _on_line(density[chosen, panel], within)) / PANELS)
    return _placed(means[chosen], root[chosen], low, high, share.clamp(1e-12, 1 - 1e-12), u[:, 1])


def _nodes(means: Tensor, root: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """(…) log probability of the first range, and (…, PANELS, 2) those of the second given the first number, per t."""
    centre = torch.arange(PANELS, dtype=means.dtype, device=means.device)[:, None] + 0.5
    t = torch.cat([centre - NODE, centre + NODE], 1) / PANELS
    a, b = ((bound[0] - means[..., 0]) / root[..., 0, 0] for bound in (low, high))
    e = truncated.draw(*torch.broadcast_tensors(a[..., None, None], b[..., None, None], _share(t)))
    middle = means[..., 1, None, None] + root[..., 1, 0, None, None] * e
    c, d = ((bound[1] - middle) / root[..., 1, 1, None, None] for bound in (low, high))
    return truncated.log_interval(a, b), truncated.log_interval(c, d) + (6 * t * (1 - t)).log()


def _share(t: Tensor) -> Tensor:
    return t.square() * (3 - 2 * t)


def _on_line(density: Tensor, u: Tensor) -> Tensor:
    """(n,) quantiles of u within a panel from 0 to 1, on which the density is a line through its nodes (n, 2)."""
    mean = density.mean(1).clamp_min(1e-300)
    slope = (density[:, 1] - density[:, 0]) / (2 * NODE) / mean
    start = 1 - slope.clamp(-2, 2) / 2  # of a density of mean 1, which nowhere is below 0
    return 2 * u / (start + (start.square() + 4 * (1 - start) * u).sqrt()).clamp_min(1e-300)


def _placed(means: Tensor, root: Tensor, low: Tensor, high: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """(n, 2) numbers that stand at these shares of their ranges, the second given the first."""
    a, b = ((bound[0] - means[:, 0]) / root[:, 0, 0] for bound in (low, high))
    e = truncated.draw(a, b, first)
    middle = means[:, 1] + root[:, 1, 0] * e
    c, d = ((bound[1] - middle) / root[:, 1, 1] for bound in (low, high))
    return torch.stack([means[:, 0] + root[:, 0, 0] * e, middle + root[:, 1, 1] * truncated.draw(c, d, second)], 1)
