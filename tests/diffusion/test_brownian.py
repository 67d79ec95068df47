"""Brownian bridges: their moments, the drift that mixes them, and the order of the walk, against Gaussians."""

import itertools

import numpy as np
import pytest
import torch

from pushforward.diffusion.bridges.brownian import between, matching, walk
from pushforward.testing import GaussianBridge

D, EPSILON = 2, 0.5


@pytest.fixture(scope="module")
def bridge():
    covariances = np.array([[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.2], [-0.2, 1.5]]])
    return GaussianBridge(np.array([[0.0, 1.0], [3.0, -1.0]]), covariances, EPSILON)


def drift_of(bridge):
    """The drift of the closed form, up to just before the end, where it is a limit."""

    def drift(x, t):
        time = min(float(t[0]), 1 - 1e-6)
        return torch.from_numpy(bridge.drift(x.double().numpy(), time)).to(x)

    return drift


def ends(bridge, n, seed=0):
    """(n, d) twice: paired ends of the bridge."""
    both = np.random.default_rng(seed).multivariate_normal(np.concatenate(bridge.means), bridge.joint(), n)
    return torch.from_numpy(both[:, :D]), torch.from_numpy(both[:, D:])


def test_a_bridge_has_the_moments_of_the_closed_form(bridge):
    n, t = 20_000, 0.3
    x, y = ends(bridge, n)
    z = torch.randn(n, D, generator=torch.Generator().manual_seed(0)).double()
    point, velocity = between(x, y, torch.full((n,), t, dtype=torch.float64), EPSILON, z)
    assert torch.allclose(point + (1 - t) * velocity, y)
    found = np.cov(point.numpy().T)
    # 5 sigma over n = 20,000
    assert np.abs(found - bridge.covariance(t)).max() < 5 * (2 / n) ** 0.5 * bridge.covariance(t).max()
    assert np.abs(point.numpy().mean(0) - bridge.mean(t)).max() < 5 * (bridge.covariance(t).max() / n) ** 0.5


def test_the_drift_of_the_closed_form_matches_best(bridge):
    """Any other drift has a larger error, by its squared distance: the least is the projection."""
    x, y = (end.float() for end in ends(bridge, 20_000))
    exact = drift_of(bridge)

    def by_record(change):
        def drift(point, t):
            return torch.cat([exact(point[i : i + 1], t[i : i + 1]) for i in range(len(point))]) * (1 + change) + change

        return drift

    x, y = x[:2000], y[:2000]
    errors = {
        change: matching(by_record(change), x, y, EPSILON, torch.Generator().manual_seed(1))
        for change in (-0.1, 0.0, 0.1)
    }
    for change in (-0.1, 0.1):
        gap = errors[change] - errors[0.0]
        assert gap.mean() > 5 * gap.std() / len(gap) ** 0.5


def moments(bridge, n, steps, method, seed=0):
    """The covariance of both ends of ways that a method goes, without the noise of where they begin."""
    x, _ = ends(bridge, n, seed)
    *_, (_, y) = method(drift_of(bridge), x, steps, EPSILON, torch.Generator().manual_seed(seed))
    return np.cov(np.hstack([x.numpy(), y.numpy()]).T)


def test_a_walk_along_the_exact_drift_has_the_coupling_of_the_bridge(bridge):
    found = moments(bridge, 100_000, 20, walk)
    assert np.linalg.norm(found - bridge.joint()) / np.linalg.norm(bridge.joint()) < 0.01


def propagated(bridge, steps, method):
    """How far the covariance of the end is off: the walk is linear, so that its moments are found without noise.

    Unit vectors and the noise of each step are walked through by themselves, one at a time.
    """
    a = bridge.covariances[0]
    centred = GaussianBridge(np.zeros((2, D)), bridge.covariances, EPSILON)
    drift, base = drift_of(centred), torch.eye(D, dtype=torch.float64)
    *_, (_, through) = method(drift, base, steps, 0.0, torch.Generator())
    total = through.T.numpy() @ a @ through.numpy()
    for step in range(steps):
        total += sum(np.outer(v, v) for v in kicked(drift, steps, step, method))
    return np.abs(total - bridge.covariances[1]).max()


def kicked(drift, steps, step, method):
    """(d, d) where a unit of noise in each coordinate at one step ends."""
    noise = iter(torch.eye(D, dtype=torch.float64) if k == step else torch.zeros(D, D).double() for k in range(steps))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", lambda *_, **__: next(noise))
        *_, (_, x) = method(drift, torch.zeros(D, D, dtype=torch.float64), steps, EPSILON, torch.Generator())
    return x.numpy()


def euler(drift, x, steps, epsilon, generator):
    """A twin without the second half of the step."""
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    for now, then in itertools.pairwise((u * (2 - u)).tolist()):
        noise = ((then - now) * epsilon) ** 0.5 * torch.randn(x.shape) if epsilon else 0.0
        x = x + (then - now) * drift(x, x.new_full((len(x),), now)) + noise
        yield then, x


def fresh(drift, x, steps, epsilon, generator):
    """A twin that draws other noise for the second half."""
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    for now, then in itertools.pairwise((u * (2 - u)).tolist()):
        noise = ((then - now) * epsilon) ** 0.5 * torch.randn(x.shape) if epsilon else 0.0
        slope = drift(x, x.new_full((len(x),), now))
        ahead = x + (then - now) * slope
        x = x + (then - now) / 2 * (slope + drift(ahead, x.new_full((len(x),), then))) + noise
        yield then, x


def slope(errors, counts):
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


COUNTS = (10, 20, 40)


def test_the_walk_is_of_second_order(bridge):
    assert slope([propagated(bridge, n, walk) for n in COUNTS], COUNTS) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("broken", [euler, fresh])
def test_the_order_tells_broken_twins(bridge, broken):
    assert slope([propagated(bridge, n, broken) for n in COUNTS], COUNTS) < 1.5


def test_without_noise_a_walk_there_and_back_ends_where_it_began():
    def field(x, t):
        return torch.stack([x[:, 1] + t, -x[:, 0]], 1)

    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    *_, (_, there) = walk(field, x, 40, 0.0, torch.Generator())
    *_, (time, back) = walk(lambda x, t: -field(x, 1 - t), there, 40, 0.0, torch.Generator())
    assert time == 1 and (back - x).abs().max() < 1e-3
