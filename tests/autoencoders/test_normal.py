"""The likelihood: masses that are exact, sum to one, and a variance that is the best one."""

import numpy as np
import pytest
import torch
from scipy.special import log_ndtr
from scipy.stats import norm

from pushforward.autoencoders.normal import Spread, log_mass
from pushforward.autoencoders.picture import Picture


def test_masses_of_intervals():
    low = np.array([-1.0, 0.3, -3.0, 5.0, -40.0, -np.inf, 2.0])
    high = np.array([1.0, 0.9, -2.0, 7.0, -39.0, -1.0, np.inf])
    found = log_mass(torch.from_numpy(low), torch.from_numpy(high)).numpy()
    left = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    wanted = log_ndtr(left[1]) + np.log1p(-np.exp(log_ndtr(left[0]) - log_ndtr(left[1])))
    assert np.allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_masses_of_narrow_intervals_are_densities(kind):
    middle = torch.tensor([-6.0, -1.0, 0.0, 2.0, 6.0], dtype=kind)
    for width in (1e-6, 1e-3, 0.049, 0.051):
        found = log_mass(middle - width / 2, middle + width / 2).double().numpy()
        wanted = norm.logpdf(middle.numpy().astype(float)) + np.log(width)
        assert np.allclose(found, wanted, atol=5e-3 if kind == torch.float64 else 0.2)


def test_grey_levels_have_masses_that_sum_to_one():
    picture = Picture((1, 1, 1))
    levels = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1)
    for mean in (-1.3, -1.0, 0.1, 0.998, 4.0):
        for variance in (1e-4, 0.01, 1.0):
            picture.spread.variance.fill_(variance)
            total = picture.log_prob(torch.full((256, 1, 1, 1), mean), levels).exp().sum()
            assert total.item() == pytest.approx(1, abs=1e-4)


def test_the_variance_is_the_one_that_makes_the_errors_most_probable():
    errors = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 1.0, 3.0])
    spread = Spread(3, shared=False)
    spread.settle(errors**2, torch.ones_like(errors), None)
    spread.eval()
    best = spread(errors**2, torch.ones_like(errors)).mean()
    for factor in (0.9, 1.1):
        other = Spread(3, shared=False).eval()
        other.variance.copy_(spread.variance * factor)
        assert other(errors**2, torch.ones_like(errors)).mean() > best


def test_weights_count_records_for_the_variance():
    errors = torch.tensor([[1.0], [3.0]])
    spread = Spread(1, shared=True)
    spread.settle(errors**2, torch.ones_like(errors), torch.tensor([3.0, 1.0]))
    assert spread.variance.item() == pytest.approx((3 * 1 + 9) / 4)


def test_a_mean_beyond_black_or_white_is_no_error_where_the_pixel_is():
    picture = Picture((1, 1, 4))
    x = torch.tensor([-1.0, -1.0, 1.0, 0.0]).view(1, 1, 1, 4)
    mean = torch.tensor([-1.5, -0.5, 1.5, 2.0]).view(1, 1, 1, 4)
    squares, counted = picture.errors(mean, x)
    assert squares.tolist() == [[0, 0.25, 0, 4]] and counted.tolist() == [[0, 1, 0, 1]]
    picture.spread.variance.fill_(0.01)
    each = [picture.log_prob(torch.full((1, 1, 1, 4), m), torch.zeros(1, 1, 4, 1, dtype=torch.uint8)) for m in (-2, -1)]
    assert each[0].item() > -1e-6 > each[1].item()  # black for certain, where the mean lies far beyond it
