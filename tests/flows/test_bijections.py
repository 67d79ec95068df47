"""Every bijection that is found: its inverse, its stretch, and twins that are broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pushforward.errors import ArgumentError
from pushforward.flows.bijections import BIJECTIONS, Bijection
from pushforward.flows.bijections.affine import Affine
from pushforward.flows.bijections.autoregressive import Autoregressive
from pushforward.flows.bijections.chain import Chain
from pushforward.flows.bijections.coupling import Coupling
from pushforward.flows.bijections.lu import LU
from pushforward.flows.bijections.permutation import Permutation
from pushforward.flows.bijections.squeeze import Squeeze
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.spline import SplineKernel
from pushforward.testing.bijection import check_bijection

EXAMPLES = [
    pytest.param(cls, i, id=f"{name}-{i}") for name, cls in BIJECTIONS.items() for i in range(len(cls.examples()))
]

LEARNED = [
    example for example in EXAMPLES if any(True for _ in example.values[0].examples()[example.values[1]].parameters())
]


def stirred(bijection: Bijection, size: float = 1.0) -> Bijection:
    """The bijection in double precision, with parameters by chance."""
    source = torch.Generator().manual_seed(0)
    bijection = bijection.double()
    with torch.no_grad():
        for weight in bijection.parameters():
            scale = size * max(1, weight.shape[-1]) ** -0.5 if weight.ndim > 1 else size
            weight.copy_(scale * torch.randn(weight.shape, generator=source, dtype=torch.float64))
    return bijection


def noise(bijection: Bijection, n: int = 40) -> tuple[Tensor, Tensor | None]:
    """What comes out of a bijection, and what it is told."""
    source = torch.Generator().manual_seed(1)
    y = 1.5 * torch.randn(n, *bijection.out, generator=source, dtype=torch.float64)
    c = torch.randn(n, bijection.condition, generator=source, dtype=torch.float64) if bijection.condition else None
    return y, c


@pytest.mark.parametrize(("cls", "i"), EXAMPLES)
def test_a_bijection_holds_its_contract(cls, i):
    bijection = stirred(cls.examples()[i])
    y, c = noise(bijection)
    with torch.no_grad():
        x, _ = bijection.inverse(y, c)  # within its domain
    check_bijection(bijection, x, c)


@pytest.mark.parametrize(("cls", "i"), LEARNED)
def test_what_is_known_reaches_the_parameters(cls, i):
    bijection = stirred(cls.examples()[i])
    y, c = noise(bijection)
    with torch.no_grad():
        x, _ = bijection.inverse(y, c)
    out, ladj = bijection(x, c)
    (out.square().sum() + ladj.sum()).backward()
    assert all(weight.grad is not None for weight in bijection.parameters() if weight.numel())


class WrongSign(Bijection):
    """A scale that tells the logarithm of its stretch with the other sign."""

    def __init__(self):
        super().__init__()
        self.shape = (2,)

    def forward(self, x, c=None):
        return 2 * x, torch.full((len(x),), -2 * math.log(2), dtype=x.dtype)

    def inverse(self, y, c=None):
        return y / 2, torch.full((len(y),), 2 * math.log(2), dtype=y.dtype)

    @classmethod
    def examples(cls):
        return [cls()]


class NoInverse(WrongSign):
    """A map whose inverse forgets the shift."""

    def forward(self, x, c=None):
        return x + 1, x.new_zeros(len(x))

    def inverse(self, y, c=None):
        return y, y.new_zeros(len(y))


class Mingled(WrongSign):
    """A map that centres the batch: a record depends on the others."""

    def forward(self, x, c=None):
        return x - x.mean(0), x.new_zeros(len(x))

    def inverse(self, y, c=None):
        return y, y.new_zeros(len(y))


@pytest.mark.parametrize(
    ("broken", "words"),
    [(WrongSign, "automatic differentiation"), (NoInverse, "is not x"), (Mingled, "is not x")],
)
def test_a_broken_twin_is_caught(broken, words):
    with pytest.raises(AssertionError, match=words):
        check_bijection(broken(), torch.randn(8, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))


def deep(d: int = 4) -> Chain:
    """Couplings, linear maps and an autoregressive map, all of them splines."""
    parts: list[Bijection] = []
    for i in range(3):
        parts += [Coupling(d, SplineKernel(8), hidden=(16, 16), flip=bool(i % 2)), LU(d, torch.arange(d).roll(1))]
    return Chain([*parts, Autoregressive(d, SplineKernel(8), hidden=(16, 16))])


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("size", [0.3, 1.0])
def test_a_million_draws_come_back(dtype, bound, size):
    kernel, n = SplineKernel(8), 1_000_000
    source = torch.Generator().manual_seed(0)
    theta = size * torch.randn(kernel.parameters, n, generator=source, dtype=dtype)
    x = 3 * torch.randn(n, generator=source, dtype=dtype)
    y, ladj = kernel.forward(x, theta)
    back, _ = kernel.inverse(y, theta)
    # what rounding does to y moves x as many times as far as the map is flat there, and the other way where it is steep
    steep = ladj.exp()
    assert float(((back - x).abs() / steep.reciprocal().clamp_min(1)).max()) <= bound
    assert float(((kernel.forward(back, theta)[0] - y).abs() / steep.clamp_min(1)).max()) <= bound
    if size < 1:  # slopes from 1/25 to 8
        assert float((back - x).abs().max()) <= bound


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_deep_flow_comes_back(dtype, bound):
    flow = stirred(deep(), 0.3).to(dtype)
    z = torch.randn(250_000, 4, generator=torch.Generator().manual_seed(2), dtype=dtype)
    with torch.no_grad():
        x, _ = flow.inverse(z)
        gap = (flow(x)[0] - z).abs()
    assert float(gap.mean()) <= bound / 10 and float(gap.amax(1).quantile(0.99)) <= bound


def test_quick_and_slow_inverse_agree():
    flow = stirred(Autoregressive(5, SplineKernel(6), condition=2, hidden=(16, 12)))
    y, c = noise(flow)
    slow, ladj = flow.inverse(y, c)
    with torch.no_grad():
        quick, other = flow.inverse(y, c)
    assert torch.allclose(slow, quick, atol=1e-12) and torch.allclose(ladj, other, atol=1e-12)


def test_an_autoregressive_map_looks_back_only():
    flow = stirred(Autoregressive(5, AffineKernel(), hidden=(16, 16)))
    x = torch.randn(200, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y, _ = flow(x)
    for j in range(5):
        (slope,) = torch.autograd.grad(y[:, j].sum(), x, retain_graph=True)
        assert bool((slope[:, j + 1 :] == 0).all())
        assert bool((slope[:, : j + 1] != 0).any(0).all()), f"coordinate {j} does not see all before it"


def test_operators_compose_and_invert():
    one, two = stirred(Affine(2)), stirred(LU(2))
    x = torch.randn(4, 2, dtype=torch.float64)
    y, ladj = (one >> two)(x)
    assert torch.equal(y, two(one(x)[0])[0])
    back, other = (~(one >> two))(y)
    assert torch.allclose(back, x) and torch.allclose(other, -ladj)


def test_shapes_that_do_not_meet_are_refused():
    with pytest.raises(ArgumentError, match=r"LU gives records of shape \(2,\), and Affine takes \(3,\)"):
        Chain([LU(2), Affine(3)])
    with pytest.raises(ArgumentError, match="empty"):
        Chain([])
    with pytest.raises(ArgumentError, match="odd"):
        Squeeze((1, 3, 4))
    with pytest.raises(ArgumentError, match="permutation"):
        Permutation([0, 0])
