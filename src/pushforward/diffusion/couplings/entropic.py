"""Pairs of a Schrödinger bridge, as two batches tell them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Self, final

import torch
from torch import Tensor

from pushforward.diffusion.couplings.coupling import Coupling, check_shapes, squares
from pushforward.errors import ArgumentError

TOLERANCE = 0.01  # mean relative error of the shares of x at which the plan is good enough to draw from
ROUNDS = 50  # most rounds at the last ε
WITHIN = 10  # scalings between two passes in logarithms
FALL = 4.0  # by which ε falls from level to level
TINY = 1e-30


@final
class Entropic(Coupling):
    """Pairs drawn from the plan π ∝ exp(f_i + g_j - |x_i - y_j|² / 2ε) whose margins are even.

    It solves min_π E|x - y|²/2 + ε KL(π ‖ p ⊗ q), which is what the ends of a Schrödinger bridge with reference √ε dW
    solve (Léonard 2014, arXiv 1308.0215), by Sinkhorn's iteration in logarithms (Cuturi 2013, arXiv 1306.0895), with
    scalings in between that need no exponentials, and from large ε to small (Schmitzer 2016, arXiv 1610.06519).

    Args:
        epsilon: variance of the reference a unit of time, in squared units of x.

    Raises:
        ArgumentError: `epsilon` is not greater than 0.

    >>> x = torch.tensor([[0.0], [1.0]])
    >>> Entropic(0.01)(x, x.flip(0), torch.Generator().manual_seed(0))[1].tolist()
    [[0.0], [1.0]]
    """

    noisy = True

    def __init__(self, epsilon: float):
        if not 0 < epsilon < math.inf:
            raise ArgumentError(f"epsilon={epsilon!r} is out of range; it must be greater than 0")
        self.epsilon = epsilon

    @classmethod
    def of(cls, epsilon: float) -> Self:
        return cls(epsilon)

    def __call__(self, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        check_shapes(x, y)
        rows = torch.multinomial(plan(x, y, self.epsilon), 1, generator=generator)[:, 0]
        return x, y[rows]

    @classmethod
    def examples(cls) -> Sequence[Entropic]:
        return [cls(0.01), cls(1.0)]


def plan(x: Tensor, y: Tensor, epsilon: float, *, rounds: int = ROUNDS, tolerance: float = TOLERANCE) -> Tensor:
    """(n, m) the entropic plan of two batches; its rows sum to 1/n, its columns nearly to 1/m.

    Args:
        x, y: (n, d), (m, d).
        epsilon: the regularisation of the cost |x - y|²/2.
        rounds: most passes, each of which is 11 of Sinkhorn's iterations.
        tolerance: mean relative error of the margins at which it stops.
    """
    cost = squares(x, y) / 2
    f, g = cost.new_zeros(len(x)), cost.new_zeros(len(y))
    for level in _falling(float(cost.mean()), epsilon):
        f, g, _ = _round(cost, f, g, level)
    for _ in range(rounds):
        f, g, error = _round(cost, f, g, epsilon)
        if error < tolerance:
            break
    return ((g - cost) / epsilon).softmax(1) / len(x)


def reduced(cost: Tensor, rounds: int) -> Tensor:
    """(n, m) float64, a cost less potentials of rows and of columns: the same pairs are best, and stand out.

    Args:
        cost: (n, m).
        rounds: levels of ε, from the mean cost downwards.
    """
    f, g = cost.new_zeros(len(cost)), cost.new_zeros(cost.shape[1])
    for level in itertools.islice(_falling(float(cost.mean()), 0.0), rounds):
        f, g, _ = _round(cost, f, g, level)
    return cost.double() - f[:, None] - g


def _falling(start: float, end: float) -> Iterator[float]:
    """start, start / 4, … as long as it is above `end`."""
    return itertools.takewhile(lambda level: level > end, (start / FALL**k for k in itertools.count()))


def _round(cost: Tensor, f: Tensor, g: Tensor, epsilon: float) -> tuple[Tensor, Tensor, float]:
    """Potentials, in units of the cost, after one iteration in logarithms and ten scalings.

    The third is how far the shares of x were off, on average, before the scalings.
    """
    n, m = cost.shape
    f = -epsilon * (((g - cost) / epsilon).logsumexp(1) + math.log(n))
    g = -epsilon * (((f[:, None] - cost) / epsilon).logsumexp(0) + math.log(m))
    kernel = ((f[:, None] + g - cost) / epsilon).exp()
    error = float((n * kernel.sum(1) - 1).abs().mean())
    v = torch.ones_like(g)
    for _ in range(WITHIN):
        u = 1 / (n * (kernel @ v)).clamp_min(TINY)
        v = 1 / (m * (u @ kernel)).clamp_min(TINY)
    return f + epsilon * u.log(), g + epsilon * v.log(), error
