"""Losses: closed forms, the best discriminator between two Gaussians, and a new file that is found."""

import functools
import math
import types

import pytest
import torch
from torch.nn.functional import softplus

import pushforward as pf
from pushforward.adversarial import losses
from pushforward.adversarial.losses import LOSSES, AdversarialLoss
from pushforward.adversarial.losses.non_saturating import NonSaturating
from pushforward.adversarial.moves import Moves
from pushforward.adversarial.network import Game
from pushforward.adversarial.penalties import PENALTIES
from pushforward.discovery import found

CELLS = torch.linspace(-5, 5, 81, dtype=torch.float64)
APART = 1.0  # means of the two Gaussians are ± this, their deviation 1


def normal(mean):
    density = (-0.5 * (CELLS - mean).square()).exp()
    return density / density.sum()


P, Q = normal(APART), normal(-APART)
RATIO = P / (P + Q)
SEEN = (P + Q) / (P + Q).max() > 0.02  # where a density is not negligible


@functools.cache
def best(loss):
    """The scores that minimise E of what the discriminator minimises, cell by cell, found by descent."""
    scores, pairs = torch.zeros_like(CELLS, requires_grad=True), P[:, None] * Q[None, :]
    optimizer = torch.optim.Adam([scores], 0.1, (0.9, 0.99))
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 600)
        optimizer.zero_grad()
        (pairs * loss().discriminator(scores[:, None].expand_as(pairs), scores[None].expand_as(pairs))).sum().backward()
        optimizer.step()
    return scores.detach()


def shares(name, scores):
    """What scores say p / (p + q) is, up to the constant that a relativistic one leaves open."""
    if name == "least-squares":
        return scores
    if name == "relativistic":
        scores = scores - ((P + Q) / 2 * scores).sum()  # log p/q is 0 on average
    return scores.sigmoid()


RATIOS = ["minimax", "non-saturating", "least-squares", "relativistic"]


@pytest.mark.parametrize("name", RATIOS)
def test_the_best_discriminator_tells_the_ratio_of_the_densities(name):
    off = (shares(name, best(LOSSES[name])) - RATIO)[SEEN].abs().max()
    assert off < 0.03


def test_the_best_hinge_is_the_sign_of_the_difference():
    loss, ways, still = LOSSES["hinge"](), torch.linspace(-3, 3, 601).double()[:, None], torch.zeros(1).double()
    values = P * loss.discriminator(ways, still) + Q * loss.discriminator(still, ways)
    scores, clear = ways[values.argmin(0), 0], CELLS.abs() > 0.1
    torch.testing.assert_close(scores[clear], (P - Q).sign()[clear])


def test_the_value_of_the_best_is_the_divergence_that_it_stands_for():
    """2 JSD - log 4 for minimax, and 0 between a distribution and itself for all."""
    scores, middle = best(LOSSES["minimax"]), (P + Q) / 2
    jsd = ((P * (P / middle).log()).sum() + (Q * (Q / middle).log()).sum()) / 2
    value = (P * softplus(-scores)).sum() + (Q * softplus(scores)).sum()
    assert float(math.log(4) - value) == pytest.approx(float(2 * jsd), rel=1e-3)
    rows = torch.multinomial(P, 100_000, replacement=True, generator=torch.Generator().manual_seed(0))
    others = torch.multinomial(Q, 100_000, replacement=True, generator=torch.Generator().manual_seed(1))
    estimate = LOSSES["minimax"]().divergence(scores[rows], scores[others])
    # a term is at most some nats wide: deviation below 2, so the mean of 100,000 below 2 / 316
    assert float(estimate) == pytest.approx(float(jsd), abs=5 * 2 / 316)


@pytest.mark.parametrize("name", LOSSES)
def test_a_discriminator_that_cannot_tell_sees_no_divergence(name):
    loss = LOSSES[name]()
    same = loss.boundary(torch.zeros(3), torch.zeros(3)).expand(3)
    assert float(loss.divergence(same, same)) == pytest.approx(0.0, abs=1e-6)
    assert float(loss.divergence(same + 0.5, same - 0.5)) > 0.2


def test_closed_forms():
    real, fake = torch.tensor([1.5, -0.2, 0.0]), torch.tensor([-0.7, 0.4, 3.0])
    log = torch.nn.functional.logsigmoid
    wanted = {
        "minimax": (-log(real) - log(-fake), log(-fake)),
        "non-saturating": (-log(real) - log(-fake), -log(fake)),
        "least-squares": ((real - 1) ** 2 + fake**2, (fake - 1) ** 2),
        "hinge": ((1 - real).clamp(min=0) + (1 + fake).clamp(min=0), -fake),
        "wasserstein": (fake - real, -fake),
        "relativistic": (-log(real - fake), -log(fake - real)),
    }
    assert set(wanted) == set(LOSSES)
    for name, (discriminator, generator) in wanted.items():
        loss = LOSSES[name]()
        torch.testing.assert_close(loss.discriminator(real, fake), discriminator)
        torch.testing.assert_close(loss.generator(real, fake), generator)


def pulls(loss):
    """Which way each side wants D(x) and D(G(z)) to go: slopes at scores near the boundary."""
    real, fake = (torch.full((1,), 0.1, requires_grad=True) for _ in range(2))
    one = torch.autograd.grad(loss.discriminator(real, fake).sum(), (real, fake))
    two = torch.autograd.grad(loss.generator(real, fake).sum(), (real, fake), allow_unused=True)
    return [0.0 if slope is None else float(slope) for slope in (*one, *two)]


def plays_right(loss):
    """Whether D raises real and lowers drawn scores, and G does the opposite with what it may move."""
    d_real, d_fake, g_real, g_fake = pulls(loss)
    return d_real < 0 < d_fake and g_fake < 0 <= g_real and loss.paired == (g_real > 0)


class Swapped(NonSaturating):
    """A broken twin: its generator helps the discriminator."""

    def generator(self, real, fake):
        return softplus(fake)


class Backwards(NonSaturating):
    """A broken twin: its discriminator takes draws for data."""

    def discriminator(self, real, fake):
        return softplus(real) + softplus(-fake)


@pytest.mark.parametrize("name", LOSSES)
def test_the_two_sides_pull_in_opposite_ways(name):
    assert plays_right(LOSSES[name]())


@pytest.mark.parametrize("twin", [Swapped, Backwards])
def test_a_swapped_sign_is_caught(twin):
    assert not plays_right(twin())


def test_a_discriminator_with_a_swapped_sign_misses_the_ratio():
    assert (shares("backwards", best(Backwards)) - RATIO)[SEEN].abs().max() > 0.5


@pytest.mark.parametrize("apart", [0.5, 2.0])
def test_wasserstein_with_slope_one_gives_the_distance_of_two_points(apart):
    """The best D of slope 1 between points at ±apart/2 is x, or what differs from it by a constant."""
    loss, x = LOSSES["wasserstein"](), torch.tensor([apart / 2, -apart / 2])
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([w], 0.05)
    for _ in range(400):
        optimizer.zero_grad()
        scores = w * x
        # 2 λ/2 (|∇D| - 1)² with λ large: what is left of the distance's pull, apart / (2 λ), is small
        (loss.discriminator(scores[:1], scores[1:]).mean() + 100 * (w.abs() - 1).square().sum()).backward()
        optimizer.step()
    scores = (w * x).detach()
    assert float(loss.divergence(scores[:1], scores[1:])) == pytest.approx(apart, rel=0.015)


def between_gaussians(name, steps=400, batch=1024):
    """p / (p + q) at the cells that are seen, as the family's own discriminator says it, the generator standing still.

    Data are N(APART, 1), draws N(-APART, 1), penalty none: only `Moves.discriminate` takes steps.
    """
    source = torch.Generator().manual_seed(0)
    records = pf.read({"x": (torch.randn(4000, generator=source) + APART).double().numpy()})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Game(records.schema, records.schema.select(()), latent=2, width=32, layers=1)
    cells = network.flat.vector.cells.encode(records)
    tensors = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
    network.prepare(tensors, source)
    d, moves = network.discriminator, Moves(network, LOSSES[name](), PENALTIES["none"]())
    optimizer = torch.optim.Adam(d.parameters(), 3e-3, (0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        real, fake = (torch.randn(batch, 1, generator=source) + mean for mean in (APART, -APART))
        moves._table = moves._laid(real, fake, None, None, source)
        optimizer.zero_grad()
        moves.discriminate({}, source)[0].backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return shares(name, d(CELLS.float()[:, None], None).double())


@pytest.mark.parametrize("name", RATIOS[1:])  # minimax has the discriminator of non-saturating
def test_the_discriminator_of_the_family_learns_the_ratio(name):
    common = (P + Q) / (P + Q).max() > 0.2
    assert (between_gaussians(name) - RATIO)[common].abs().max() < 0.03


# What the folder holds

NEW = '''
from pushforward.adversarial.losses.loss import AdversarialLoss


class Shouting(AdversarialLoss):
    """Found by its file."""

    def discriminator(self, real, fake):
        return fake - real

    def generator(self, real, fake):
        return -fake

    def divergence(self, real, fake):
        return (real - fake).mean()
'''


def test_a_file_that_is_dropped_into_the_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "loud_game.py").write_text(NEW)
    monkeypatch.setattr(losses, "__path__", [*losses.__path__, str(tmp_path)])
    with_it = found(losses, AdversarialLoss)
    assert set(with_it) == {*LOSSES, "loud-game"} and plays_right(with_it["loud-game"]())


def test_what_is_no_loss_is_not_found(tmp_path, monkeypatch):
    (tmp_path / "other.py").write_text("from pushforward.adversarial.losses.hinge import Hinge\nclass Thing: ...\n")
    monkeypatch.setattr(losses, "__path__", [*losses.__path__, str(tmp_path)])
    assert set(found(losses, AdversarialLoss)) == set(LOSSES)


def test_the_family_takes_what_the_folder_holds():
    assert isinstance(losses, types.ModuleType)
    for name in LOSSES:
        assert pf.GAN(loss=name).loss == name
