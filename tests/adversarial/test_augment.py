"""Changes of pictures: how often, the same each time, with slopes, and alike for data and draws."""

import pytest
import torch

from pushforward.adversarial.augment import HOLE, SHIFT, Augment

SHAPES = [(1, 8, 8), (3, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 5, 9), (1, 4, 64)]


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n, shape, seed=9):
    return torch.randn(n, shape[0] * shape[1] * shape[2], generator=source(seed))


def changed(shape, p, n=2000, seed=0, x=None, **kinds):
    x = pictures(n, shape) if x is None else x
    return x, Augment(shape, **kinds).drawn(n, torch.tensor(p), source(seed))(x)


@pytest.mark.parametrize("shape", SHAPES)
def test_at_0_nothing_changes(shape):
    x, y = changed(shape, 0.0, n=20, colour=True, flips=True)
    assert torch.equal(x, y)


@pytest.mark.parametrize("shape", SHAPES)
def test_at_1_every_picture_changes_and_keeps_its_shape(shape):
    x, y = changed(shape, 1.0, n=50, colour=True, flips=True)
    assert y.shape == x.shape and y.isfinite().all() and (x != y).any(1).all()


def test_it_is_the_same_each_time():
    shape, n = (3, 8, 8), 10
    change = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.7), source())
    x = pictures(n, shape)
    assert torch.equal(change(x), change(x))
    again = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.7), source())
    assert torch.equal(change(x), again(x))
    other = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.7), source(1))
    assert not torch.equal(change(x), other(x))


def near(count, n, p):
    """Whether a count of n coins of probability p is within 5 sigma."""
    return abs(count - n * p) <= 5 * (n * p * (1 - p)) ** 0.5


def parts(p, n=4000, shape=(1, 16, 16)):
    """One change at a time, each from a function of its own."""
    augment, p = Augment(shape), torch.tensor(p)
    return {name: getattr(augment, f"_{name}")(n, p, source()) for name in ("shifts", "holes", "shades", "mirrors")}


@pytest.mark.parametrize("p", [0.2, 0.8, 1.0])
def test_each_change_is_as_frequent_as_it_is_said_to_be(p):
    n, side = 4000, 16
    x = torch.randn(n, 1, side, side, generator=source(3))
    most = round(side * SHIFT)
    still = 1 / (2 * most + 1) ** 2  # a shift by nothing at all
    wanted = {"shifts": p * (1 - still), "holes": p, "shades": p, "mirrors": p / 2}
    for name, change in parts(p, n).items():
        moved = int((change(x) != x).flatten(1).any(1).sum())
        assert near(moved, n, wanted[name]), name


def test_shifts_go_as_far_as_they_may_and_all_ways_alike():
    n, side = 9000, 16
    ramp = torch.arange(side).float().expand(n, 1, side, side)
    by = (parts(1.0, n)["shifts"](ramp) - ramp)[:, 0, side // 2, side // 2]
    most = round(side * SHIFT)
    assert by.min() == -most and by.max() == most
    for step in range(-most, most + 1):
        assert near(int((by == step).sum()), n, 1 / (2 * most + 1))


def test_what_a_shift_lays_open_is_what_stood_at_the_border():
    _, y = changed((1, 8, 8), 1.0, n=200, x=torch.full((200, 64), 3.0))
    inside = y[(y != 0)]  # 0 is what a hole leaves
    assert (inside == 3.0).all() and len(inside)


def test_holes_are_squares_of_half_a_side_anywhere():
    n, side = 4000, 16
    gone = parts(1.0, n)["holes"](torch.ones(n, 1, side, side))[:, 0] == 0
    rows, columns = gone.any(2).sum(1), gone.any(1).sum(1)
    assert torch.equal(gone.flatten(1).sum(1), rows * columns)  # a rectangle
    assert rows.max() == side * HOLE and rows.min() >= side * HOLE / 2 - 1
    # a pixel in the middle is covered where the middle is within a quarter of a side, both ways
    assert near(int(gone[:, side // 2, side // 2].sum()), n, HOLE**2)


def test_colour_and_mirrors_only_where_asked_for():
    """A picture of one colour is shifted and mirrored into itself; a shade is what is left."""
    n, flat = 500, torch.full((500, 3 * 64), 2.0)
    kinds = {}
    for colour in (False, True):
        _, y = changed((3, 8, 8), 1.0, n=n, x=flat, colour=colour)
        kinds[colour] = set(y.unique().tolist()) <= {0.0, 2.0}
    assert kinds == {False: True, True: False}
    # a ramp that only grows to the right is never mirrored unless it may be
    ramp = torch.arange(8.0).expand(n, 1, 8, 8).flatten(1) + 1
    for flips in (False, True):
        _, y = changed((1, 8, 8), 1.0, n=n, x=ramp, flips=flips)
        falls = [bool((row[row != 0].diff() < 0).any()) for row in y.view(n, 8, 8)[:, 0]]
        assert any(falls) == flips


def test_shades_are_brightness_and_contrast():
    """x → a x + b, the same for all pixels of a picture."""
    n, x = 300, torch.randn(300, 1, 16, 16, generator=source(4))
    y = parts(1.0, n)["shades"](x)
    for one, other in zip(x.flatten(1)[:20], y.flatten(1)[:20], strict=True):
        design = torch.stack([one, torch.ones_like(one)], 1)
        a, b = torch.linalg.lstsq(design, other[:, None]).solution[:, 0]
        torch.testing.assert_close(design @ torch.stack([a, b]), other, atol=1e-5, rtol=1e-5)
        assert 0.5 <= a <= 1.5 and -0.5 <= b <= 0.5


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 5, 6)])
def test_slopes_are_real_ones_also_the_second_time(shape):
    n = 3
    change = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.8), source())
    x = pictures(n, shape).double().requires_grad_()
    assert torch.autograd.gradcheck(change, (x,))
    assert torch.autograd.gradgradcheck(lambda x: change(x).square(), (x,))


def test_a_penalty_on_slopes_has_slopes_through_the_changes():
    n, shape = 4, (1, 8, 8)
    change = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.8), source())
    w = torch.randn(64, generator=source(2), requires_grad=True)
    x = pictures(n, shape).requires_grad_()
    (slope,) = torch.autograd.grad((change(x) @ w).sin().sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert w.grad.isfinite().all() and w.grad.abs().max() > 0


def test_what_is_changed_does_not_depend_on_the_picture():
    """Data and draws meet changes of the same distribution: which they are is drawn without a look at the pictures."""
    shape, n = (1, 8, 8), 200
    change = Augment(shape, colour=True, flips=True).drawn(n, torch.tensor(0.6), source())
    zero, x, y = change(torch.zeros(n, 64)), pictures(n, shape), pictures(n, shape, 10)
    # affine, so what it does to pictures is one map for each place in the batch
    torch.testing.assert_close(change(x + y) - zero, (change(x) - zero) + (change(y) - zero), atol=1e-5, rtol=1e-5)


def test_nothing_leaks():
    """The map from a picture to the mean of what it is changed to has an inverse, so changed means tell it."""
    n, x = 20_000, torch.eye(16)
    change = Augment((1, 4, 4), flips=True).drawn(n, torch.tensor(0.5), source())
    columns = [change(x[i].expand(n, -1)).mean(0) for i in range(16)]
    # sampling adds a matrix of entries with deviation below 1 / (2 √n), of norm about 2 √16 / (2 √n) = 0.03
    assert torch.linalg.svdvals(torch.stack(columns, 1)).min() > 0.06


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_each_picture_is_changed_on_its_own(p):
    """A broken twin with one coin for a batch would change all of them or none."""
    _, y = changed((1, 8, 8), p, n=1000, x=torch.arange(64.0).expand(1000, -1).contiguous())
    assert len(y.unique(dim=0)) > 50
