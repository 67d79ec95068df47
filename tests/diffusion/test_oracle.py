"""A Gaussian mixture is a denoiser in closed form; paths, samplers, guidance and likelihoods are held to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pushforward.data.encodings.cells import Cells
from pushforward.diffusion import likelihood, matching
from pushforward.diffusion.closed_form import denoiser_of
from pushforward.diffusion.denoiser import (
    SIGMA_MAX,
    SIGMA_MIN,
    mean_of_noise,
    mean_of_score,
    noise_of,
    score_of,
)  # fmt: skip
from pushforward.diffusion.diffusion import last
from pushforward.diffusion.guidance.classified import classified
from pushforward.diffusion.guidance.guided import combined, guided
from pushforward.diffusion.guidance.measured import chosen, measured, shrunk
from pushforward.diffusion.paths import PATHS
from pushforward.diffusion.paths.cosine import Cosine
from pushforward.diffusion.paths.exploding import Exploding
from pushforward.diffusion.paths.straight import Straight
from pushforward.diffusion.samplers import SAMPLERS, Sampler, Stepper
from pushforward.diffusion.samplers.churn import Churn
from pushforward.diffusion.samplers.ddim import DDIM
from pushforward.diffusion.samplers.euler import Euler
from pushforward.diffusion.samplers.heun import Heun
from pushforward.diffusion.samplers.sampler import at
from pushforward.diffusion.schedule import along, schedule
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


def test_the_mixture_denoises_as_its_posterior_mean(mixture):
    x = torch.randn(50, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for sigma in (0.1, 1.0, 10.0):
        expected = denoiser_of(mixture)(x, torch.full((50,), sigma, dtype=torch.float64))
        got = mixture.denoised(cells(x), torch.full((D,), sigma**2, dtype=torch.float64))
        assert torch.allclose(got, expected, atol=1e-9)


@pytest.fixture(scope="module")
def errors(mixture):
    """From a sampler to its mean distances from where a path with very many steps ends, for each of some counts."""
    x = 10 * torch.randn(200, D, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    denoiser = denoiser_of(mixture)
    truth = last(Heun()(denoiser, x, even(2000)))

    def found(sampler: Sampler, counts) -> np.ndarray:
        ends = [last(sampler(denoiser, x, even(steps))) for steps in counts]
        return np.array([(end - truth).norm(dim=1).mean().item() for end in ends])

    return found


def even(steps: int) -> torch.Tensor:
    """Noise levels of even ratios, down to one at which the path is smooth: the last step, to 0, is always Euler's."""
    return torch.logspace(1, np.log10(0.05), steps + 1, dtype=torch.float64)


def slope(counts, values) -> float:
    return -np.polyfit(np.log(counts), np.log(values), 1)[0]


class Swapped(Stepper):
    """A twin of Heun's that corrects with the noise level it comes from instead of the one it goes to."""

    drawn = False

    def step(self, denoiser, x, sigma, target, source):
        slope = (x - at(denoiser, x, sigma)) / sigma
        ahead = x + (target - sigma) * slope
        return x + (target - sigma) * (slope + (ahead - at(denoiser, ahead, sigma)) / sigma) / 2

    @classmethod
    def examples(cls):
        return [cls()]


COUNTS = (40, 80, 160, 320)
WALKS = [sampler for cls in SAMPLERS.values() for sampler in cls.examples()]
SURE = [sampler for sampler in WALKS if not sampler.drawn]
DRAWN = [sampler for sampler in WALKS if sampler.drawn]


@pytest.mark.parametrize("sampler", SURE, ids=repr)
def test_the_error_of_a_path_falls_with_its_order(errors, sampler):
    assert slope(COUNTS, errors(sampler, COUNTS)) == pytest.approx(sampler.order, abs=0.2)


def test_the_order_tells_a_broken_twin(errors):
    assert slope(COUNTS, errors(Swapped(), COUNTS)) < Heun.order - 0.5


def variance(sampler, steps: int, spread: float, monkeypatch, size: float = 1.0) -> float:
    """What a sampler draws is distributed like, exactly: of Gaussian data all is linear in the noise.

    A batch holds a record for every draw of noise, each of which sees that draw alone.
    """
    count = iter(range(10_000))

    def normal(like, source):
        out = torch.zeros_like(like)
        out[next(count)] = size
        return out

    for name in ("ddim", "multistep", "churn", "langevin", "euler_maruyama"):
        monkeypatch.setattr(f"pushforward.diffusion.samplers.{name}.normal", normal)
    sigmas = even(steps)
    x = torch.zeros(3 * steps + 1, 1, dtype=torch.float64)
    x[-1] = (spread**2 + sigmas[0] ** 2).sqrt()  # the noise that all begins with
    denoiser = lambda x, sigma: x * spread**2 / (spread**2 + sigma[:, None] ** 2)  # noqa: E731
    return float(last(sampler(denoiser, x, sigmas, torch.Generator())).square().sum())


@pytest.mark.parametrize("sampler", DRAWN, ids=repr)
def test_the_error_of_what_is_drawn_falls_with_its_order(sampler, monkeypatch):
    counts, spread = (80, 160, 320, 640), 0.6
    truth = spread**2 + 0.05**2
    gaps = [abs(variance(sampler, steps, spread, monkeypatch) - truth) for steps in counts]
    assert slope(counts, gaps) == pytest.approx(sampler.order, abs=0.2)


def test_noise_that_is_half_as_strong_is_found_out(monkeypatch):
    gaps = [abs(variance(DDIM(eta=1.0), steps, 0.6, monkeypatch, size=0.5) - 0.3625) for steps in (80, 640)]
    assert gaps[1] > 0.5 * gaps[0] > 0.01  # it does not fall


@pytest.mark.parametrize("path", [p for cls in PATHS.values() for p in cls.examples()], ids=repr)
class TestPaths:
    """Every path, by what a path is."""

    t = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)

    def test_times_and_levels_are_inverse(self, path):
        a, s = path.coefficients(self.t)
        assert torch.allclose(path.time(s / a), self.t, atol=1e-9)
        assert bool((s / a).diff().gt(0).all())

    def test_rates_are_derivatives(self, path):
        t, h = self.t, 1e-6
        found = path.rates(t)
        for rate, low, high in zip(found, path.coefficients(t - h), path.coefficients(t + h), strict=True):
            assert torch.allclose(rate, (high - low) / (2 * h), rtol=1e-5, atol=1e-7)

    def test_a_velocity_says_what_the_mean_says(self, path):
        x = torch.randn(25, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        sigma = torch.logspace(-2, 1.5, 25, dtype=torch.float64)
        assert torch.allclose(path.mean_of(path.velocity(0.3 * x, x, sigma), x, sigma), 0.3 * x, atol=1e-8)

    def test_the_network_is_asked_for_what_is_left(self, path):
        """With c_skip and c_out as they are, F = (y - c_skip x) / c_out gives y back."""
        y, noise = torch.randn(2, 25, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        sigma = torch.logspace(-2, 1.5, 25, dtype=torch.float64)
        x = y + sigma[:, None] * noise
        skip, out = path.scalings(sigma)
        asked = (y - skip[:, None] * x) / out[:, None]
        assert torch.allclose(path.denoised(x, sigma, lambda h, c: asked), y, atol=1e-5)  # F is float32
        assert torch.allclose(path.weight(sigma) * out**2, torch.ones_like(sigma))

    def test_levels_are_its_quantiles(self, path):
        u = torch.linspace(0.001, 0.999, 50, dtype=torch.float64)
        assert bool(path.levels(u).diff().gt(0).all())
        found = path.bounded(torch.tensor([0.0, 1.0]))
        assert found[0] >= SIGMA_MIN / 2 and found[1] <= 2 * SIGMA_MAX

    def test_its_own_ode_leads_to_the_same_place(self, path, mixture):
        """The probability-flow ODE of every path goes through the same points y + σ ε."""
        denoiser = denoiser_of(mixture)
        x = SIGMA_MAX * torch.randn(50, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
        ends = [last(Heun(own)(denoiser, x, along(own, 2000).double()[:-1])) for own in (path, Cosine())]
        assert (ends[0] - ends[1]).norm(dim=1).max() < 2e-2


def test_straight_steps_on_straight_paths_are_ddim(mixture):
    """Euler's method where rates are constant, or where data stays, is DDIM to rounding."""
    denoiser, sigmas = denoiser_of(mixture), schedule(20).double()
    x = SIGMA_MAX * torch.randn(20, D, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    expected = last(DDIM()(denoiser, x, sigmas))
    for path in (Straight(), Exploding(rho=1.0)):
        assert torch.allclose(last(Euler(path)(denoiser, x, sigmas)), expected, atol=1e-8)


def test_noise_score_and_mean_are_one_another():
    x, mean = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    sigma = torch.linspace(0.1, 3, 9, dtype=torch.float64)
    assert torch.allclose(mean_of_noise(noise_of(mean, x, sigma), x, sigma), mean)
    assert torch.allclose(mean_of_score(score_of(mean, x, sigma), x, sigma), mean)
    assert torch.allclose(score_of(mean, x, sigma), -noise_of(mean, x, sigma) / sigma[:, None])


def test_likelihood_by_the_ode_is_the_closed_form(mixture):
    x = mixture.draw(cells(torch.full((100, D), torch.nan, dtype=torch.float64)), torch.Generator().manual_seed(3))
    blurred = x.numbers + SIGMA_MIN * torch.randn(
        100, D, generator=torch.Generator().manual_seed(4), dtype=torch.float64
    )
    # the ODE ends at the least noise level, not at none
    ends = replace(mixture, covariances=mixture.covariances.plus(torch.full((D,), SIGMA_MIN**2).double()))
    exact = ends.posterior(cells(blurred))[1]
    denoiser = denoiser_of(mixture)
    assert (likelihood.log_prob(lambda rows: denoiser, blurred, exact=True) - exact).abs().mean() < 1e-3


def test_the_probe_estimates_the_divergence(mixture):
    """Ten independent copies of the mixture side by side: 20 dimensions, whose trace is estimated with one probe."""
    of_two = denoiser_of(mixture)

    def denoiser(x, sigma):
        return torch.cat([of_two(part, sigma) for part in x.split(D, 1)], 1)

    n = 400
    draws = mixture.draw(cells(torch.full((10 * n, D), torch.nan).double()), torch.Generator().manual_seed(5)).numbers
    x = draws.view(n, 10 * D)
    exact = mixture.posterior(cells(draws))[1].view(n, 10).sum(1)
    error = likelihood.log_prob(lambda rows: denoiser, x, exact=False) - exact
    assert error.mean().abs() < 5 * error.std() / n**0.5 + 0.05  # 5 sigma over n = 400 records, and the solver's own
    others = likelihood.log_prob(lambda rows: denoiser, x, exact=False, draw=1) - exact
    assert not torch.equal(error, others) and abs(np.corrcoef(error, others)[0, 1]) < 0.25


def test_codes_are_standard_normal_and_invert(mixture):
    n = 4000
    denoiser = denoiser_of(mixture)
    x = mixture.draw(cells(torch.full((n, D), torch.nan).double()), torch.Generator().manual_seed(6)).numbers
    codes = likelihood.encode(lambda rows: denoiser, x)
    assert (codes.mean(0).abs() < 5 / n**0.5).all()
    assert ((codes.var(0) - 1).abs() < 5 * (2 / n) ** 0.5 + 0.01).all()
    assert (likelihood.decode(lambda rows: denoiser, codes) - x).abs().mean() < 5e-3


@pytest.mark.parametrize("sampler", WALKS, ids=repr)
def test_samples_have_the_moments_of_the_mixture(mixture, sampler):
    n, steps = 5000, 600 if sampler.order == 1 else 40
    x = SIGMA_MAX * torch.randn(n, D, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    sigmas = along(sampler.path, steps) if hasattr(sampler, "path") else schedule(steps)
    x = last(sampler(denoiser_of(mixture), x, sigmas.double(), torch.Generator().manual_seed(8)))
    mean = mixture.weights @ mixture.means
    spread = mixture.weights[:, None, None] * (
        mixture.covariances.dense() + mixture.means[:, :, None] * mixture.means[:, None]
    )
    covariance = spread.sum(0) - mean[:, None] * mean
    deviation = covariance.diagonal().sqrt()
    assert ((x.mean(0) - mean).abs() < 5 * deviation / n**0.5 + 0.01).all()
    assert (torch.cov(x.T) - covariance).abs().max() < 5 * covariance.max() * (2 / n) ** 0.5 + 0.03


def test_few_evaluations_are_nearly_as_good_as_many(mixture):
    """35 evaluations reach a Fréchet distance within 10 % of that of 200, at the size of a sample: n = 10,000."""
    denoiser = denoiser_of(mixture)
    real = mixture.draw(cells(torch.full((10_000, D), torch.nan).double()), torch.Generator().manual_seed(9)).numbers
    x = SIGMA_MAX * torch.randn(10_000, D, generator=torch.Generator().manual_seed(10), dtype=torch.float64)
    few, many = (frechet(last(Heun()(denoiser, x, schedule(steps).double())), real) for steps in (18, 100))
    assert few < 1.1 * many + 1e-4


def frechet(x: torch.Tensor, y: torch.Tensor) -> float:
    """|m - m'|² + tr(C + C' - 2 (C C')^½)."""
    c, d = torch.cov(x.T), torch.cov(y.T)
    values, vectors = torch.linalg.eigh(c)
    root = vectors @ torch.diag(values.sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ d @ root).clamp_min(0).sqrt().sum()
    return float((x.mean(0) - y.mean(0)).square().sum() + c.trace() + d.trace() - 2 * cross)


# Guidance


def test_guidance_of_weight_one_is_the_denoiser_itself(mixture):
    denoiser = denoiser_of(mixture)
    assert guided(denoiser, lambda x, s: x * 0, 1.0) is denoiser


def test_guidance_is_a_line_through_both():
    x, s = torch.ones(4, D), torch.ones(4)
    conditional, base = (lambda x, s: 3 * x), (lambda x, s: x)
    assert torch.equal(guided(conditional, base, 0.0)(x, s), x)
    assert torch.equal(guided(conditional, base, 2.0)(x, s), 5 * x)
    assert torch.equal(guided(conditional, base, 2.0, (0.1, 0.5))(x, s), 3 * x)  # beyond the interval: as it is


def test_conditions_that_are_combined_multiply():
    """Two Gaussian likelihoods of a standard normal: the posterior given both is that of the product."""

    def told(at, precision):  # N(0, 1) times a likelihood of this precision at `at`
        variance, mean = 1 / (1 + precision), precision * at / (1 + precision)
        return lambda x, s: mean + variance / (variance + s[:, None] ** 2) * (x - mean)

    x = SIGMA_MAX * torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    both = combined(told(0.0, 0.0), [(told(1.0, 2.0), 1.0), (told(-0.5, 1.0), 1.0)])
    out = last(Heun()(both, x, schedule(60).double()))
    # scores add up exactly at no noise only, so that this is near the product, not equal to it
    assert out.mean().item() == pytest.approx((2.0 - 0.5) / 4, abs=0.1)
    assert out.var().item() == pytest.approx(1 / 4, abs=0.1)


def test_a_predictor_leads_where_it_wants():
    """log p(c | y) = y of a standard normal tilts it: p(y | c) ∝ N(y; 0, 1) e^y = N(y; 1, 1)."""
    normal = lambda x, s: x / (1 + s[:, None] ** 2)  # noqa: E731
    x = SIGMA_MAX * torch.randn(20_000, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    out = last(Heun()(classified(normal, lambda y: y.sum(1)), x, schedule(60).double()))
    assert out.mean().item() == pytest.approx(1, abs=0.05) and out.var().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_coordinates_that_are_known_settle_the_others(correlation):
    """For a Gaussian the other coordinate is N(ρ v, 1 - ρ²); the method is approximate, here within a tenth."""
    denoiser, n = gaussian(torch.tensor([[1.0, correlation], [correlation, 1.0]]).double()), 4000
    known = torch.tensor([[True, False]]).expand(n, 2)
    seen, values = chosen(known), torch.full((n, 2), 1.5, dtype=torch.float64)
    x, source = start(n, 2, 8)
    x = last(Churn(32.0)(measured(denoiser, seen, seen.forward(values)), x, schedule(32).double(), source))
    assert torch.allclose(x[:, 0], values[:, 0], atol=1e-4)
    assert x[:, 1].mean().item() == pytest.approx(1.5 * correlation, abs=0.1)
    assert x[:, 1].std().item() == pytest.approx((1 - correlation**2) ** 0.5, rel=0.1)


def test_means_of_blocks_are_kept():
    """Super-resolution of four independent pixels from their mean: they have it, and the rest of their variance."""
    denoiser, n = gaussian(torch.eye(4).double()), 4000
    seen = shrunk((1, 2, 2), 2)
    x, source = start(n, 4, 9)
    value = torch.full((n, 1), 0.7, dtype=torch.float64)
    x = last(Churn(32.0)(measured(denoiser, seen, value), x, schedule(32).double(), source))
    assert torch.allclose(x.mean(1), value[:, 0], atol=1e-3)
    assert x.var(0).mean().item() == pytest.approx(0.75, abs=0.08)


def gaussian(covariance):
    """The denoiser of N(0, covariance)."""
    eye = torch.eye(len(covariance)).double()
    return lambda x, sigma: x @ torch.linalg.solve(covariance + sigma[0] ** 2 * eye, covariance)


def start(n, d, seed):
    """Noise to begin with, and a source of more."""
    source = torch.Generator().manual_seed(seed)
    return SIGMA_MAX * torch.randn(n, d, generator=source, dtype=torch.float64), source


# Learning


@pytest.mark.parametrize("path", [Cosine(), Exploding()], ids=repr)
def test_a_network_that_says_nothing_loses_one(path):
    """For data of mean 0 and deviation 1 the target of F has unit size at every noise level."""
    y = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(9))
    silent = lambda x, sigma: path.denoised(x, sigma, lambda h, c: torch.zeros_like(h))  # noqa: E731
    losses, _ = matching.losses(silent, path, y, torch.Generator().manual_seed(10))
    assert losses.mean().item() == pytest.approx(1, abs=5 * losses.std().item() / len(y) ** 0.5)


def test_what_goes_into_the_network_has_unit_size():
    y = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(11))
    for level in (0.01, 1.0, 100.0):
        seen = []
        sigma = torch.full((len(y),), level)
        noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(12))
        Straight().denoised(y + level * noise, sigma, lambda h, c, seen=seen: (seen.append(h), h)[1])
        assert seen[0].std().item() == pytest.approx(1, abs=0.03)


def test_the_schedule_falls_to_nothing():
    sigmas = schedule(18)
    assert len(sigmas) == 19 and sigmas[0].item() == pytest.approx(SIGMA_MAX, rel=1e-3) and sigmas[-1] == 0
    assert (sigmas.diff() < 0).all() and sigmas[-2].item() == pytest.approx(SIGMA_MIN, rel=1e-4)
    assert len(schedule(1)) == 2
