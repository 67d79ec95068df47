"""Particles bring draws given a measurement to the posterior, where a guess of it alone does not."""

from __future__ import annotations

import pytest
import torch

from pushforward.diffusion.closed_form import denoiser_of
from pushforward.diffusion.guidance.measured import chosen, telling
from pushforward.diffusion.guidance.twisted import _again, twisted
from pushforward.diffusion.schedule import schedule
from pushforward.mixtures.covariances import Full
from pushforward.mixtures.gaussian import Mixture

N = 3000


@pytest.fixture(scope="module")
def mixture():
    """Two narrow ridges; where the first number is 0.4 the second is high or low, with probabilities that are known."""
    d = 2
    means = torch.tensor([[0.0, -0.9], [0.4, 0.9]], dtype=torch.float64)
    covariances = torch.diag_embed(torch.tensor([[1.0, 0.02], [0.02, 0.02]], dtype=torch.float64))
    weights = torch.tensor([0.9, 0.1], dtype=torch.float64)
    zero = torch.zeros(d, dtype=torch.float64)
    return Mixture(weights, means, Full(covariances), torch.zeros(2, 0, dtype=torch.float64), (), zero)


def drawn(mixture, particles, n=N):
    source = torch.Generator().manual_seed(0)
    known = torch.tensor([True, False]).expand(n * particles, 2)
    value = torch.tensor([0.4, 0.0]).expand(n * particles, 2)
    sigmas = schedule(32)
    told = telling(denoiser_of(mixture), chosen(known), value)
    x = sigmas[0] * torch.randn(n * particles, 2, generator=source)
    return twisted(told, x, sigmas, particles, source)


def posterior(mixture):
    """Probability of the high ridge."""
    variance = torch.tensor([1.0, 0.02], dtype=torch.float64)
    like = mixture.weights * torch.exp(-((0.4 - mixture.means[:, 0]) ** 2) / (2 * variance)) / variance.sqrt()
    return float(like[1] / like.sum())


def test_particles_find_the_posterior_that_a_guess_misses(mixture):
    truth = posterior(mixture)
    off = {k: abs(float((drawn(mixture, k)[:, 1] > 0).float().mean()) - truth) for k in (1, 8, 32)}
    assert off[1] > 0.2 and off[8] < 0.5 * off[1] and off[32] < 0.06


def test_what_is_drawn_on_each_ridge_has_its_width(mixture):
    y = drawn(mixture, 8)[:, 1]
    assert float(y[y > 0].std()) == pytest.approx(0.02**0.5, rel=0.15)


def test_of_particles_that_weigh_alike_all_go_on():
    rows, weight = _again(torch.zeros(4, 6), torch.Generator().manual_seed(0))
    assert rows.tolist() == list(range(24)) and float(weight.abs().max()) == 0


def test_particles_without_weight_are_replaced_within_their_record():
    weight = torch.full((3, 4), -1e9)
    weight[torch.arange(3), torch.tensor([2, 0, 3])] = 0.0
    rows, after = _again(weight, torch.Generator().manual_seed(0))
    assert rows.view(3, 4).tolist() == [[2] * 4, [4] * 4, [11] * 4]
    assert float(after.abs().max()) == 0
