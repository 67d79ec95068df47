"""Bases and what is pushed from them: densities that integrate to one, draws that follow them, tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch

from pushforward.flows.bases import BASES
from pushforward.flows.bases.normal import Normal
from pushforward.flows.bases.student import Student
from pushforward.flows.bijections.autoregressive import Autoregressive
from pushforward.flows.bijections.coupling import Coupling
from pushforward.flows.bijections.lu import LU
from pushforward.flows.bijections.planar import Planar
from pushforward.flows.bijections.radial import Radial
from pushforward.flows.kernels.affine import AffineKernel
from pushforward.flows.kernels.logistics import LogisticsKernel
from pushforward.flows.kernels.spline import SplineKernel
from pushforward.flows.pushed import Pushed

SMALL_BASES = [pytest.param(one, id=name) for name, cls in BASES.items() for one in cls.examples() if one.size == 1]


def plane(reach: float = 16.0, points: int = 1601) -> tuple[torch.Tensor, float]:
    """Points of a square, and the area of a cell."""
    line = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return torch.cartesian_prod(line, line), float(line[1] - line[0]) ** 2


@pytest.mark.parametrize("base", SMALL_BASES)
def test_draws_of_a_base_follow_its_density(base):
    base = base.double()
    z = base.sample(20_000, torch.Generator().manual_seed(0)).double()[:, 0].detach()
    line = torch.linspace(-60, 60, 240_001, dtype=torch.float64)
    density = base.log_prob(line[:, None]).detach().exp()
    cdf = density.cumsum(0) * float(line[1] - line[0])
    at = np.interp(z.numpy(), line.numpy(), cdf.numpy())
    assert scipy.stats.kstest(at, "uniform").pvalue > 1e-6


def test_student_is_that_of_scipy():
    base = Student(1).double()
    z = torch.linspace(-30, 30, 61, dtype=torch.float64)
    wanted = scipy.stats.t.logpdf(z.numpy(), float(base.nu.detach()[0]))
    assert np.allclose(base.log_prob(z[:, None]).detach().numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "bijection",
    [
        Coupling(2, SplineKernel(5), hidden=(8,)),
        Coupling(2, AffineKernel(), hidden=(8,)),
        Coupling(2, LogisticsKernel(3), hidden=(8,)),
        Autoregressive(2, SplineKernel(5), hidden=(8, 8)),
        LU(2) >> Coupling(2, SplineKernel(5), hidden=(8,), flip=True),
        Planar(2),
        Radial(2),
    ],
    ids=lambda b: type(b).__name__,
)
def test_a_density_in_the_plane_integrates_to_one(bijection):
    source = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in bijection.parameters():
            weight.copy_(0.4 * torch.randn(weight.shape, generator=source))
    flow = Pushed(bijection, Normal(2)).double()
    at, area = plane()
    with torch.no_grad():
        total = sum(float(flow.log_prob(part).exp().sum()) for part in at.split(200_000)) * area
    assert abs(total - 1) < 1e-3


def test_a_flow_is_a_distribution_of_pytorch():
    flow = Pushed(LU(2) >> Coupling(2, SplineKernel(4), condition=1, hidden=(8,)), Normal(2))
    c = torch.tensor([0.5])
    given = flow.given(c)
    x = given.sample((3, 2))
    assert x.shape == (3, 2, 2) and given.log_prob(x).shape == (3, 2)
    assert torch.allclose(given.log_prob(x).flatten(), flow.log_prob(x.view(6, 2), c.expand(6, 1)))


def test_temperature_zero_is_the_centre():
    flow = Pushed(LU(3), Normal(3))
    x = flow.sample(5, torch.Generator().manual_seed(0), temperature=0)
    assert torch.equal(x, x[:1].expand(5, 3))


def test_a_normal_has_its_closed_form():
    flow = Pushed(LU(2), Normal(2)).double()
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.copy_(torch.randn(weight.shape, generator=source))
    lower, upper = flow.bijection.factors()
    back = torch.linalg.inv((lower @ upper).detach())
    wanted = torch.distributions.MultivariateNormal(-back @ flow.bijection.shift.detach(), back @ back.T)
    x = torch.randn(20, 2, generator=source, dtype=torch.float64)
    assert torch.allclose(flow.log_prob(x), wanted.log_prob(x))
    assert math.isfinite(float(flow.log_prob(1e6 * x).detach().sum()))
