"""Couplings by their laws: shares kept, least cost, the entropic plan; and twins that break one of them."""

import itertools

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.diffusion.couplings import COUPLINGS
from pushforward.diffusion.couplings.entropic import Entropic, plan
from pushforward.diffusion.couplings.independent import Independent
from pushforward.diffusion.couplings.optimal import Optimal
from pushforward.diffusion.couplings.paired import Paired
from pushforward.testing import GaussianBridge

EXAMPLES = [(f"{name}-{i}", c) for name, cls in COUPLINGS.items() for i, c in enumerate(cls.examples())]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batches(n=40, m=40, d=3, seed=0):
    source = generator(seed)
    return torch.randn(n, d, generator=source), 0.7 * torch.randn(m, d, generator=source) + 1.5


def rows_of(y, rows):
    """Which row of y each of the rows is."""
    found = (rows[:, None] == y).all(2)
    assert (found.sum(1) == 1).all(), "a row is none of y"
    return found.float().argmax(1)


def cost(x, y):
    return (x - y).square().sum(1).mean().item()


def test_the_folder_holds_four():
    assert list(COUPLINGS) == ["entropic", "independent", "optimal", "paired"]
    assert all(cls.examples() for cls in COUPLINGS.values())
    assert [name for name, cls in COUPLINGS.items() if cls.together] == ["paired"]


@pytest.mark.parametrize(("name", "coupling"), EXAMPLES)
def test_what_every_coupling_owes(name, coupling):
    """x as it is, rows of y beside it, the same for the same generator, wherever the batches lie."""
    x, y = batches()
    one, rows = coupling(x, y, generator(1))
    assert torch.equal(one, x) and rows.shape == y.shape and rows.dtype == y.dtype
    at = rows_of(y, rows)
    assert torch.equal(coupling(x, y, generator(1))[1], rows)
    moved = rows_of(y + 100, coupling(x - 50, y + 100, generator(1))[1])
    assert (at == moved).float().mean() > 0.9  # but for rounding
    if not isinstance(coupling, Entropic):
        assert sorted(at.tolist()) == list(range(len(y)))
    with pytest.raises(pf.ArgumentError, match="shapes"):
        coupling(x, y[:, :2], generator())
    with pytest.raises(pf.ArgumentError, match="shapes"):
        coupling(x[:0], y[:0], generator())


@pytest.mark.parametrize("coupling", [Independent(), Optimal()])
@pytest.mark.parametrize(("n", "m"), [(10, 4), (4, 10), (9, 3)])
def test_batches_of_other_lengths_keep_even_shares(coupling, n, m):
    x, y = batches(n, m)
    _, rows = coupling(x, y, generator())
    counts = torch.bincount(rows_of(y, rows), minlength=m)
    assert len(rows) == n and counts.max() - counts.min() <= 1


def test_pairs_that_are_given_need_as_many_of_each():
    x, y = batches(4, 5)
    with pytest.raises(pf.ArgumentError, match="4 rows cannot be paired with 5"):
        Paired()(x, y, generator())


def test_independent_pairs_are_independent():
    x, _ = batches(4000, d=1)
    _, rows = Independent()(x, x, generator())
    assert abs(np.corrcoef(x[:, 0], rows[:, 0])[0, 1]) < 5 / 4000**0.5  # 5 sigma over n = 4000


def greedy(x, y):
    """A twin that gives each row in turn the nearest that is left."""
    left = list(range(len(y)))
    return x, y[[left.pop(int((y[left] - row).square().sum(1).argmin())) for row in x]]


def test_optimal_pairs_cost_least_of_all_permutations():
    worse = 0
    for seed in range(5):
        x, y = batches(6, 6, seed=seed)
        least = min(cost(x, y[list(order)]) for order in itertools.permutations(range(6)))
        assert cost(*Optimal()(x, y, generator())) == pytest.approx(least, rel=1e-5)
        worse += cost(*greedy(x, y)) > least * (1 + 1e-5)
    assert worse >= 3  # the twin is caught


def test_optimal_pairs_on_a_line_are_sorted():
    x, y = batches(300, 300, d=1)
    _, rows = Optimal()(x, y, generator())
    assert torch.equal(rows[x[:, 0].argsort()], y[y[:, 0].argsort()])


def sinkhorn(x, y, epsilon, iterations=5000):
    """The plan by the plainest iteration, in double precision."""
    kernel = np.exp(-np.square(x[:, None] - y[None]).sum(2) / (2 * epsilon))
    v = np.ones(len(y))
    for _ in range(iterations):
        u = 1 / len(x) / (kernel @ v)
        v = 1 / len(y) / (u @ kernel)
    return u[:, None] * kernel * v


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("m", [30, 45])
def test_the_entropic_plan_is_the_one_of_sinkhorn(epsilon, m):
    x, y = batches(30, m)
    found = plan(x, y, epsilon, rounds=200, tolerance=1e-5).double().numpy()
    wanted = sinkhorn(x.double().numpy(), y.double().numpy() - 1.5, epsilon)
    assert np.abs(found - wanted).sum() < 1e-3
    assert np.abs(found.sum(1) * 30 - 1).max() < 1e-5 and np.abs(found.sum(0) * m - 1).max() < 1e-3


def lines(n=800):
    """Two normal columns of deviation 1 and 2 by their quantiles, whose plan has no noise of sampling."""
    z = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)[:, None]
    return z, 2 * z + 3


def covariance(x, y, pi):
    return float((pi.double() * ((x - x.mean()) * (y - y.mean()).T)).sum())


@pytest.mark.parametrize("epsilon", [0.3, 2.0])
def test_the_entropic_plan_of_gaussians_is_the_closed_form(epsilon):
    x, y = lines()
    known = GaussianBridge(np.zeros((2, 1)), np.array([[[1.0]], [[4.0]]]), epsilon).cross.item()
    assert covariance(x, y, plan(x, y, epsilon, tolerance=1e-4)) == pytest.approx(known, rel=0.01)
    # a twin that takes ε for the regularisation of |x - y|² and not of half of it
    assert covariance(x, y, plan(x, y, epsilon / 2, tolerance=1e-4)) != pytest.approx(known, rel=0.02)


def test_entropic_pairs_are_drawn_from_the_plan():
    """Counts of every pair among n = 600 draws, at 5 sigma."""
    x, y = batches(3, 4)
    pi, draws = plan(x, y, 0.5, tolerance=1e-5), 600
    counts = torch.zeros(3, 4)
    source = generator()
    for _ in range(draws):
        counts[torch.arange(3), rows_of(y, Entropic(0.5)(x, y, source)[1])] += 1
    expected = 3 * pi * draws
    assert ((counts - expected).abs() < 5 * (expected * (1 - 3 * pi)).sqrt() + 0.02 * expected).all()


def test_entropic_pairs_keep_the_shares_of_y_on_average():
    """Each of 50 rows is drawn once a batch: over 200 batches at 5 sigma, beside the tolerance of the plan."""
    x, y = batches(50, 50)
    counts, source = torch.zeros(50), generator()
    for _ in range(200):
        counts += torch.bincount(rows_of(y, Entropic(0.3)(x, y, source)[1]), minlength=50)
    assert ((counts / 200 - 1).abs() < 5 / 200**0.5 + 0.05).all()


def test_little_noise_leaves_the_optimal_pairs():
    x, y = batches(60, 60)
    least = cost(*Optimal()(x, y, generator()))
    assert cost(*Entropic(1e-4)(x, y, generator())) == pytest.approx(least, rel=0.02)
    assert cost(*Entropic(10.0)(x, y, generator())) > 1.2 * least


def test_numbers_far_apart_and_points_alike_are_no_trouble():
    x = torch.zeros(5, 2)
    for epsilon in (1e-3, 1.0):
        assert torch.allclose(plan(x, x, epsilon), torch.full((5, 5), 1 / 25))
        assert plan(1e4 * batches()[0], batches()[1], epsilon).isfinite().all()


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf"), float("nan")])
def test_epsilon_must_be_greater_than_0(epsilon):
    with pytest.raises(pf.ArgumentError, match=r"epsilon=.* is out of range; it must be greater than 0"):
        Entropic(epsilon)
