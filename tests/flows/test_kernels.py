"""Maps of one number: increasing, smooth where they say so, linear beyond, and near the identity at zero."""

from __future__ import annotations

import pytest
import torch

from pushforward.flows.kernels import KERNELS
from pushforward.flows.kernels.logistics import LogisticsKernel
from pushforward.flows.kernels.spline import SplineKernel

EXAMPLES = [
    pytest.param(one, id=f"{name}-{i}") for name, cls in KERNELS.items() for i, one in enumerate(cls.examples())
]


def drawn(kernel, n=2000, size=2.0):
    source = torch.Generator().manual_seed(0)
    return size * torch.randn(kernel.parameters, 1, generator=source, dtype=torch.float64).expand(-1, n)


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_a_kernel_increases(kernel):
    x = torch.linspace(-9, 9, 2000, dtype=torch.float64)
    y, ladj = kernel.forward(x, drawn(kernel))
    assert bool((y.diff() > 0).all()) and bool(ladj.isfinite().all())


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_a_kernel_has_the_slope_it_says(kernel):
    x = torch.linspace(-7, 7, 501, dtype=torch.float64).requires_grad_()
    y, ladj = kernel.forward(x, drawn(kernel, 501))
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(slope.log(), ladj, atol=1e-10)


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_gradients_by_parameters_are_those_of_differences(kernel):
    source = torch.Generator().manual_seed(3)
    x = torch.linspace(-2.5, 2.5, 7, dtype=torch.float64) + 0.01
    theta = torch.randn(kernel.parameters, 7, generator=source, dtype=torch.float64)
    for way in (kernel.forward, kernel.inverse):
        assert torch.autograd.gradcheck(way, (x.requires_grad_(), theta.requires_grad_()), atol=1e-6)


@pytest.mark.parametrize("kernel", EXAMPLES)
def test_slopes_can_be_differentiated_again(kernel):
    x = torch.linspace(-2.5, 2.5, 5, dtype=torch.float64) + 0.01
    theta = torch.randn(kernel.parameters, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert torch.autograd.gradgradcheck(
        lambda a, b: kernel.forward(a, b)[0], (x.requires_grad_(), theta.requires_grad_()), atol=1e-5
    )


def test_a_spline_is_the_identity_beyond_its_bound_and_meets_it_smoothly():
    kernel = SplineKernel(bins=6, bound=2.0)
    x = torch.tensor([-50.0, -2.0 - 1e-12, -2.0 + 1e-12, 2.0 - 1e-12, 2.0 + 1e-12, 1e6], dtype=torch.float64)
    y, ladj = kernel.forward(x, drawn(kernel, 6))
    assert torch.allclose(y, x, atol=1e-7) and torch.allclose(ladj, torch.zeros_like(x), atol=1e-5)


def test_a_spline_survives_extreme_parameters():
    kernel = SplineKernel(bins=8)
    source = torch.Generator().manual_seed(0)
    theta = 200 * torch.randn(kernel.parameters, 5000, generator=source)
    x = 2 * torch.randn(5000, generator=source)
    y, ladj = kernel.forward(x, theta)
    back, _ = kernel.inverse(y, theta)
    assert bool(y.isfinite().all() and ladj.isfinite().all() and back.isfinite().all())


def test_a_mixture_of_logistics_is_that_of_scipy():
    from scipy.stats import logistic

    kernel = LogisticsKernel(components=2)
    x = torch.linspace(-4, 4, 9, dtype=torch.float64)
    theta = torch.tensor([0.3, -0.2, 0.5, 0.1, -0.4, 0.2], dtype=torch.float64)[:, None].expand(-1, 9)
    share = torch.tensor([0.3, -0.2], dtype=torch.float64).softmax(0).numpy()
    centres, scales = [0.5 - 2.0, 0.1 + 2.0], [torch.tensor(v).exp().item() for v in (-0.4, 0.2)]
    cdf = sum(p * logistic.cdf(x.numpy(), m, s) for p, m, s in zip(share, centres, scales, strict=True))
    assert torch.allclose(kernel.forward(x, theta)[0], torch.from_numpy(cdf).logit(), atol=1e-7)
