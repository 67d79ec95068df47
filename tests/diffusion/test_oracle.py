"""A Gaussian mixture is a denoiser in closed form; samplers and likelihoods are held to it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from pushforward.data.encodings.cells import Cells
from pushforward.diffusion import edm, ode
from pushforward.diffusion.guidance import guided, observed
from pushforward.diffusion.samplers.heun import heun
from pushforward.mixtures.covariances import Full
from pushforward.mixtures.gaussian import Mixture

K, D = 3, 2


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    generator = torch.Generator().manual_seed(0)
    roots = 0.4 * torch.randn(K, D, D, generator=generator, dtype=torch.float64)
    covariances = roots @ roots.mT + 0.05 * torch.eye(D, dtype=torch.float64)
    means = 0.8 * torch.randn(K, D, generator=generator, dtype=torch.float64)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    none = torch.zeros(K, 0, dtype=torch.float64)
    means -= weights @ means  # as everywhere in diffusion, data has mean 0
    return Mixture(weights, means, Full(covariances), none, (), torch.zeros(D, dtype=torch.float64))


def cells(x: torch.Tensor) -> Cells:
    return Cells(x, torch.empty(len(x), 0, dtype=torch.int64), torch.empty(len(x), 0, dtype=torch.bool))


def denoiser_of(mixture: Mixture) -> edm.Denoiser:
    """E[y | y + σ ε = x], written with tensors that autograd follows."""

    def denoiser(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        eye = torch.eye(D, dtype=torch.float64)
        x64 = x.double()
        noisy = mixture.covariances.dense() + sigma[0].double() ** 2 * eye
        inverse = torch.linalg.inv(noisy)
        apart = x64[:, None] - mixture.means
        energy = torch.einsum("nki,kij,nkj->nk", apart, inverse, apart)
        weight = (mixture.weights.log() - 0.5 * noisy.logdet() - 0.5 * energy).softmax(1)
        mean = mixture.means + torch.einsum("kij,kjl,nkl->nki", mixture.covariances.dense(), inverse, apart)
        return (weight[..., None] * mean).sum(1).to(x.dtype)

    return denoiser


def test_the_mixture_denoises_as_its_posterior_mean(mixture):
    x = torch.randn(50, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for sigma in (0.1, 1.0, 10.0):
        expected = denoiser_of(mixture)(x, torch.full((50,), sigma, dtype=torch.float64))
        got = mixture.denoised(cells(x), torch.full((D,), sigma**2, dtype=torch.float64))
        assert torch.allclose(got, expected, atol=1e-9)


def errors(mixture: Mixture, sampler, counts) -> np.ndarray:
    """Mean distance of each sampler's end from that of a path with very many steps."""
    x = edm.SIGMA_MAX * torch.randn(200, D, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    denoiser = denoiser_of(mixture)

    # Up to a noise level at which the path is smooth: the last step, to 0, is Euler's in every sampler.
    def end(steps: int) -> torch.Tensor:
        sigmas = edm.schedule(steps).double()[:-1]
        *_, last = sampler(denoiser, x, sigmas)
        return last

    *_, truth = heun(denoiser, x, edm.schedule(3000).double()[:-1])
    return np.array([(end(n) - truth).norm(dim=1).mean().item() for n in counts])


def slope(counts, values) -> float:
    return -np.polyfit(np.log(counts), np.log(values), 1)[0]


def euler(denoiser, x, sigmas):
    """A twin of Heun's method without its second half."""
    for sigma, target in itertools.pairwise(sigmas):
        x = x + (target - sigma) * (x - denoiser(x, sigma.expand(len(x)))) / sigma
        yield x


def swapped(denoiser, x, sigmas):
    """A twin that corrects with the noise level it comes from instead of the one it goes to."""
    for sigma, target in itertools.pairwise(sigmas):
        slope = (x - denoiser(x, sigma.expand(len(x)))) / sigma
        ahead = x + (target - sigma) * slope
        x = x + (target - sigma) * (slope + (ahead - denoiser(ahead, sigma.expand(len(x)))) / sigma) / 2
        yield x


COUNTS = (40, 80, 160, 320)


def test_heun_is_of_second_order(mixture):
    assert slope(COUNTS, errors(mixture, heun, COUNTS)) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("broken", [euler, swapped])
def test_the_order_tells_broken_twins(mixture, broken):
    assert slope(COUNTS, errors(mixture, broken, COUNTS)) < 1.5


def test_likelihood_by_the_ode_is_the_closed_form(mixture):
    x = mixture.draw(cells(torch.full((100, D), torch.nan, dtype=torch.float64)), torch.Generator().manual_seed(3))
    blurred = x.numbers + edm.SIGMA_MIN * torch.randn(
        100, D, generator=torch.Generator().manual_seed(4), dtype=torch.float64
    )
    # the ODE ends at the least noise level, not at none
    ends = replace(mixture, covariances=mixture.covariances.plus(torch.full((D,), edm.SIGMA_MIN**2).double()))
    exact = ends.posterior(cells(blurred))[1]
    assert (ode.log_prob(denoiser_of(mixture), blurred, 64) - exact).abs().mean() < 1e-3


def test_the_probe_estimates_the_divergence(mixture):
    """Ten independent copies of the mixture side by side: 20 dimensions, whose trace is estimated with one probe."""

    def denoiser(x, sigma):
        return torch.cat([denoiser_of(mixture)(part, sigma) for part in x.split(D, 1)], 1)

    n = 400
    draws = mixture.draw(cells(torch.full((10 * n, D), torch.nan).double()), torch.Generator().manual_seed(5)).numbers
    x = draws.view(n, 10 * D)
    exact = mixture.posterior(cells(draws))[1].view(n, 10).sum(1)
    error = ode.log_prob(denoiser, x, 60) - exact
    assert error.mean().abs() < 5 * error.std() / n**0.5 + 0.05  # 5 sigma over n = 400 records, and the solver's own


def test_codes_are_standard_normal_and_invert(mixture):
    n = 4000
    x = mixture.draw(cells(torch.full((n, D), torch.nan).double()), torch.Generator().manual_seed(6)).numbers
    codes = ode.encode(denoiser_of(mixture), x, 60)
    assert (codes.mean(0).abs() < 5 / n**0.5).all()
    assert ((codes.var(0) - 1).abs() < 5 * (2 / n) ** 0.5 + 0.01).all()
    assert (ode.decode(denoiser_of(mixture), codes, 60) - x).abs().mean() < 5e-3


def test_samples_have_the_moments_of_the_mixture(mixture):
    n = 20_000
    x = edm.SIGMA_MAX * torch.randn(n, D, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    *_, x = heun(denoiser_of(mixture), x, edm.schedule(18).double())
    mean = mixture.weights @ mixture.means
    spread = mixture.weights[:, None, None] * (
        mixture.covariances.dense() + mixture.means[:, :, None] * mixture.means[:, None]
    )
    covariance = spread.sum(0) - mean[:, None] * mean
    deviation = covariance.diagonal().sqrt()
    assert ((x.mean(0) - mean).abs() < 5 * deviation / n**0.5 + 0.01).all()
    assert (torch.cov(x.T) - covariance).abs().max() < 5 * covariance.max() * (2 / n) ** 0.5 + 0.02


def test_guidance_of_weight_one_is_the_denoiser_itself(mixture):
    denoiser = denoiser_of(mixture)
    assert guided(denoiser, lambda x, s: x * 0, 1.0) is denoiser


def test_guidance_is_a_line_through_both(mixture):
    x, s = torch.ones(4, D), torch.ones(4)
    conditional, base = (lambda x, s: 3 * x), (lambda x, s: x)
    assert torch.equal(guided(conditional, base, 0.0)(x, s), x)
    assert torch.equal(guided(conditional, base, 2.0)(x, s), 5 * x)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_observed_coordinates_settle_the_others(correlation):
    """For a Gaussian the other coordinate is N(ρ v, 1 - ρ²); the method is approximate, here within a tenth."""
    covariance = torch.tensor([[1.0, correlation], [correlation, 1.0]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    n = 4000

    def denoiser(x, sigma):
        return x @ torch.linalg.solve(covariance + sigma[0] ** 2 * eye, covariance)

    known = torch.tensor([[True, False]]).expand(n, 2)
    values = torch.full((n, 2), 1.5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(8)
    x = edm.SIGMA_MAX * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    *_, x = heun(observed(denoiser, known, values), x, edm.schedule(32).double(), churn=0.5, generator=generator)
    assert torch.allclose(x[:, 0], values[:, 0], atol=1e-4)
    assert x[:, 1].mean().item() == pytest.approx(1.5 * correlation, abs=0.1)
    assert x[:, 1].std().item() == pytest.approx((1 - correlation**2) ** 0.5, rel=0.1)


def test_a_network_that_says_nothing_loses_one():
    """For data of mean 0 and deviation 1 the target of F has unit size at every noise level."""
    y = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(9))
    silent = lambda x, sigma: edm.precondition(x, sigma, lambda h, c: torch.zeros_like(h))  # noqa: E731
    losses = edm.loss(silent, y, torch.Generator().manual_seed(10))
    assert losses.mean().item() == pytest.approx(1, abs=5 * losses.std().item() / len(y) ** 0.5)


def test_what_goes_into_the_network_has_unit_size():
    y = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(11))
    for level in (0.01, 1.0, 100.0):
        seen = []
        sigma = torch.full((len(y),), level)
        noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(12))
        edm.precondition(y + level * noise, sigma, lambda h, c, seen=seen: (seen.append(h), h)[1])
        assert seen[0].std().item() == pytest.approx(1, abs=0.03)


def test_noise_levels_are_log_normal():
    logs = edm.levels(10_000, torch.Generator().manual_seed(13), torch.device("cpu")).log()
    assert logs.mean().item() == pytest.approx(edm.P_MEAN, abs=1e-2)
    assert logs.std().item() == pytest.approx(edm.P_STD, abs=1e-2)


def test_the_schedule_falls_to_nothing():
    sigmas = edm.schedule(18)
    assert len(sigmas) == 19 and sigmas[0].item() == pytest.approx(edm.SIGMA_MAX, rel=1e-3) and sigmas[-1] == 0
    assert (sigmas.diff() < 0).all() and sigmas[-2].item() == pytest.approx(edm.SIGMA_MIN, rel=1e-4)
    assert len(edm.schedule(1)) == 2
