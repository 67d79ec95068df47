"""The distribution function of a mixture of logistics, on the scale of log odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from pushforward.flows.kernels.kernel import Kernel

REACH = 2.0  # of the centres of components, before anything is learned
NARROWEST = -7.0  # of log s
ITERATIONS = 100  # at most, of an inverse


@final
class LogisticsKernel(Kernel):
    """y = logit Σ π_i σ((x - μ_i) / s_i): as many steps and gaps as there are components, and linear tails.

    (Ho, Chen, Srinivas, Duan, Abbeel 2019, "Flow++", arXiv 1902.00275.) There is no closed inverse: it is between the
    least and the largest of the components' own, and found by Newton steps that are kept within.

    Args:
        components: M, of 3M parameters: logits of π, μ, log s.

    >>> import torch
    >>> kernel = LogisticsKernel(components=1)
    >>> kernel.forward(torch.tensor([-3.0, 0.5]), torch.zeros(3, 2))[0].tolist()
    [-3.0, 0.5]
    """

    def __init__(self, components: int = 8):
        self.components = components
        self.parameters = 3 * components

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (3M, m) parameters → (m,) values, (m,) log dy/dx."""
        return _log_odds(x, *self._parts(theta))

    def inverse(self, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """(m,) values, (3M, m) parameters → (m,) values, (m,) log dx/dy."""
        parts = self._parts(theta)
        with torch.no_grad():
            root = _solved(y, *parts)
        if not (torch.is_grad_enabled() and (y.requires_grad or theta.requires_grad)):
            return root, -_log_odds(root, *parts)[1]
        # one step of Newton's from the root moves nothing, and carries the slopes of the inverse
        found, ladj = _log_odds(root, *parts)
        x = root - (found - y) * (-ladj.detach()).exp()
        return x, -_log_odds(x, *parts)[1]

    def _parts(self, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log π, μ and log s of the components."""
        log_pi, mu, log_s = theta.split(self.components)
        spread = torch.linspace(-REACH, REACH, self.components, dtype=theta.dtype, device=theta.device)
        if self.components == 1:
            spread = spread * 0
        return log_pi.log_softmax(0), mu + spread[:, None], log_s.clamp_min(NARROWEST)

    @classmethod
    def examples(cls) -> Sequence[LogisticsKernel]:
        return [cls(components=4), cls(components=1)]


def _log_odds(x: Tensor, log_pi: Tensor, mu: Tensor, log_s: Tensor) -> tuple[Tensor, Tensor]:
    """logit F(x), and the log of its slope f / (F (1 - F))."""
    z = (x - mu) * (-log_s).exp()
    below, above = logsigmoid(z), logsigmoid(-z)
    log_cdf, log_rest = (log_pi + below).logsumexp(0), (log_pi + above).logsumexp(0)
    log_pdf = (log_pi + below + above - log_s).logsumexp(0)
    return log_cdf - log_rest, log_pdf - log_cdf - log_rest


def _solved(y: Tensor, log_pi: Tensor, mu: Tensor, log_s: Tensor) -> Tensor:
    """Where logit F is y."""
    each = mu + log_s.exp() * y
    low, high = each.amin(0), each.amax(0)
    x = (log_pi.exp() * each).sum(0)
    width = torch.finfo(y.dtype).eps
    for _ in range(ITERATIONS):
        found, ladj = _log_odds(x, log_pi, mu, log_s)
        over = found > y
        low, high = torch.where(over, low, x), torch.where(over, x, high)
        step = x - (found - y) * (-ladj).exp()
        ahead = torch.where((step >= low) & (step <= high), step, (low + high) / 2)
        still = (ahead - x).abs() <= 2 * width * (1 + x.abs())
        x = ahead
        if bool(still.all()):
            break
    return x
