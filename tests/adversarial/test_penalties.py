"""Penalties: against known slopes, through the changes of pictures, and under their names."""

import pytest
import torch

from pushforward.adversarial.augment import Augment
from pushforward.adversarial.moves import _Same
from pushforward.adversarial.penalties import PENALTIES, Judged
from pushforward.adversarial.penalties.nearby import Nearby


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def judged(function, real, fake):
    """What a discriminator that is a function says; `fake` draws get the same."""
    real, fake = (points.clone().requires_grad_() for points in (real, fake))
    return Judged(lambda points, fake=False: function(points), real, fake, function(real), function(fake))


def points(n=64, d=5):
    g = source()
    return torch.randn(n, d, generator=g, dtype=torch.float64), torch.randn(n, d, generator=g, dtype=torch.float64) + 1


def curved(x):
    """Σ x³ / 3 + x₀ x₁, whose gradient is x² + (x₁, x₀, 0, …)."""
    return (x**3).sum(1) / 3 + x[:, 0] * x[:, 1]


def gradient(x):
    out = x**2
    out[:, 0] += x[:, 1]
    out[:, 1] += x[:, 0]
    return out


@pytest.mark.parametrize("name, sides", [("r1", ["real"]), ("r2", ["drawn"]), ("zero-centred", ["real", "drawn"])])
def test_exact_ones_are_the_squared_slope(name, sides):
    real, fake = points()
    said = PENALTIES[name]()(judged(curved, real, fake), source())
    wanted = {"real": gradient(real).square().sum(1), "drawn": gradient(fake).square().sum(1)}
    assert list(said) == sides
    for side in sides:
        torch.testing.assert_close(said[side], wanted[side])


@pytest.mark.parametrize("name", ["r1", "r2", "zero-centred", "nearby", "interpolated"])
def test_they_have_slopes_in_the_weights(name):
    """d/dw of what is w · x: |w|² has slope 2w; the differences and 2(|w| - 1)² have theirs."""
    real, fake = points(n=4000)
    w = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.0], dtype=torch.float64, requires_grad=True)
    terms = PENALTIES[name]()(judged(lambda x: x @ w, real, fake), source())
    (slope,) = torch.autograd.grad(sum(each.mean() for each in terms.values()), w)
    norm = w.detach().norm()
    if name == "interpolated":
        torch.testing.assert_close(slope, 4 * (norm - 1) * w.detach() / norm)
    else:
        wanted = 2 * len(terms) * w.detach()
        # (ε·w)² has slope 2 (ε·w) ε, whose deviation is at most 2 √2 |w| a coordinate
        bound = 5 * 2 * 2**0.5 * float(norm) * (len(terms) / len(real)) ** 0.5 if name == "nearby" else 1e-9
        torch.testing.assert_close(slope, wanted, atol=bound, rtol=0)


def test_differences_are_the_slope_on_average():
    """(ε·w)² has mean |w|² and deviation √2 |w|², whatever the length of the step."""
    w = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    real, fake = points(n=20_000, d=3)
    said = Nearby()(judged(lambda x: x @ w + 7, real, fake), source(1))
    wanted = float(w.square().sum())
    for side in ("real", "drawn"):
        assert said[side].shape == (20_000,)
        assert abs(said[side].mean().item() - wanted) < 5 * 2**0.5 * wanted / 20_000**0.5


def test_differences_are_taken_in_directions_of_their_own():
    """A broken twin with one direction for all records would be as far off as one draw is."""
    real, fake = points(n=500, d=3)
    said = Nearby()(judged(lambda x: x @ torch.ones(3).double(), real, fake), source())
    assert len(set(said["real"].tolist())) == 500 and not torch.equal(said["real"], said["drawn"])


@pytest.mark.parametrize("slope, wanted", [(1.0, 0.0), (3.0, 8.0), (0.5, 0.5)])
def test_interpolated_asks_for_slope_one(slope, wanted):
    real, fake = points()
    direction = torch.nn.functional.normalize(torch.randn(5, generator=source(), dtype=torch.float64), dim=0)
    (terms,) = PENALTIES["interpolated"]()(judged(lambda x: slope * (x @ direction), real, fake), source()).values()
    torch.testing.assert_close(terms, torch.full_like(terms, wanted), atol=1e-5, rtol=0)


def test_interpolated_looks_between_data_and_draws():
    seen = []

    def critic(x, fake=False):
        seen.append(x.detach())
        return x.sum(1)

    real, fake = torch.zeros(1000, 2), torch.tensor([[1.0, 3.0]]).expand(1000, 2)
    PENALTIES["interpolated"]()(Judged(critic, real, fake, real.sum(1), fake.sum(1)), source())
    (between,) = seen
    torch.testing.assert_close(between[:, 1], 3 * between[:, 0])  # on the line
    u = between[:, 0]
    assert u.min() >= 0 and u.max() <= 1 and abs(float(u.mean()) - 0.5) < 5 * (1 / 12 / 1000) ** 0.5


def test_a_flat_discriminator_has_a_slope_that_is_a_number():
    """|∇D| has no slope of its own where it is 0."""
    w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    real, fake = points()
    for name in sorted(PENALTIES):
        terms = PENALTIES[name]()(judged(lambda x: x @ w, real, fake), source())
        if terms:
            (slope,) = torch.autograd.grad(sum(each.mean() for each in terms.values()), w)
            assert slope.isfinite().all(), name


def test_none_adds_nothing():
    assert PENALTIES["none"]()(judged(curved, *points()), source()) == {}


SHAPE = (1, 8, 8)


class Summed(torch.nn.Module):
    """D(x) = w · x."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(64, generator=source(3)))

    def forward(self, points, given):
        return points @ self.w


def changed_slopes(w, change, n):
    """(n,) |∂ D(change(x)) / ∂x|² of the linear D, from the matrix of the (affine) change, picture by picture."""
    x = torch.zeros(n, 64, requires_grad=True)
    (slope,) = torch.autograd.grad((change(x) @ w).sum(), x)
    return slope.square().sum(1).detach()


@pytest.mark.parametrize("name", ["r1", "r2", "zero-centred", "nearby"])
def test_they_pass_through_the_changes_of_pictures(name):
    n, d = 4000, Summed()
    augment = Augment(SHAPE, colour=True, flips=True)
    one, two = (augment.drawn(n, torch.tensor(0.8), source(i)) for i in range(2))
    real, fake = (torch.randn(n, 64, generator=source(i)).requires_grad_() for i in (5, 6))
    same = _Same(d, one, two, None)
    said = PENALTIES[name]()(Judged(same, real, fake, same(real), same(fake, True)), source(7))
    wanted = {
        "real": changed_slopes(d.w.detach(), one, n),
        "drawn": changed_slopes(d.w.detach(), two, n),
    }
    for side, terms in said.items():
        assert (wanted[side].mean() - d.w.detach().square().sum()).abs() > 1  # the changes matter
        if name == "nearby":
            assert (terms - wanted[side]).mean().abs() < 5 * (2 * wanted[side].square().mean() / n).sqrt()
        else:
            torch.testing.assert_close(terms, wanted[side], rtol=1e-4, atol=1e-4)


def test_real_and_drawn_neighbours_are_changed_as_their_own_side_was():
    """A broken twin that changed draws as data were changed would show large differences."""
    n, d = 50, Summed()
    augment = Augment(SHAPE)
    one, two = (augment.drawn(n, torch.tensor(1.0), source(i)) for i in range(2))
    x = torch.randn(n, 64, generator=source(5))
    same = _Same(d, one, two, None)
    torch.testing.assert_close(same(x), d(one(x), None))
    torch.testing.assert_close(same(x, True), d(two(x), None))
    assert not torch.allclose(same(x), same(x, True))


def test_every_penalty_is_named_by_its_side():
    for name in sorted(PENALTIES):
        terms = PENALTIES[name]()(judged(curved, *points()), source())
        assert set(terms) <= {"real", "drawn", "between"}
        assert all(each.shape == (64,) for each in terms.values())
    assert set(PENALTIES) == {"none", "r1", "r2", "zero-centred", "nearby", "interpolated"}
