"""The closed form is held to what makes a coupling a Schrödinger bridge."""

import numpy as np
import pytest

from pushforward.testing import GaussianBridge


def problem(d=4, epsilon=0.7):
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((2, d, d))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(d)
    return GaussianBridge(rng.standard_normal((2, d)), covariances, epsilon)


def test_both_ends_are_as_they_should_be():
    bridge = problem()
    for t in (0, 1):
        assert np.allclose(bridge.mean(t), bridge.means[t]) and np.allclose(bridge.covariance(t), bridge.covariances[t])
    assert np.linalg.eigvalsh(bridge.joint()).min() > 0


@pytest.mark.parametrize("epsilon", [0.05, 0.7, 20.0])
def test_the_density_of_both_ends_is_a_product_but_for_the_reference(epsilon):
    """Schrödinger's system asks for π(x, y) = u(x) v(y) exp(x·y / ε): the precision has -I/ε off its diagonal."""
    joint = problem(epsilon=epsilon).joint()
    d = len(joint) // 2
    assert np.allclose(np.linalg.inv(joint)[:d, d:], -np.eye(d) / epsilon, atol=1e-6 / epsilon)


def test_without_noise_it_is_the_optimal_map():
    """E|x - y|² is the Bures-Wasserstein distance (Dowson, Landau 1982)."""
    bridge = problem(epsilon=1e-6)
    a, b = bridge.covariances
    values = np.linalg.eigvals(a @ b).real.clip(0)
    assert np.trace(bridge.cross) == pytest.approx(np.sqrt(values).sum(), rel=1e-4)


def test_the_drift_carries_the_moments():
    """d Σ_t / dt = J Σ + Σ Jᵀ + ε I with J the slope of the drift."""
    bridge, step = problem(), 1e-5
    d = bridge.means.shape[1]
    for t in (0.1, 0.5, 0.9):
        slope = (bridge.drift(np.eye(d), t) - bridge.drift(np.zeros((1, d)), t)).T
        sigma = bridge.covariance(t)
        rate = (bridge.covariance(t + step) - bridge.covariance(t - step)) / (2 * step)
        assert np.allclose(rate, slope @ sigma + sigma @ slope.T + bridge.epsilon * np.eye(d), atol=1e-6)
        velocity = bridge.drift(bridge.mean(t)[None], t)[0]
        assert np.allclose(velocity, bridge.means[1] - bridge.means[0])
