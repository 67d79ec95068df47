"""Alarms, the energy distance, the choice of γ, and the search for noise."""

import math

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.adversarial import gan
from pushforward.adversarial import probe as probing
from pushforward.adversarial.energy import energy_distance
from pushforward.adversarial.network import Game
from pushforward.adversarial.probe import CLEARLY, Trial, chosen, probe
from pushforward.adversarial.search import searched
from pushforward.adversarial.unlikeness import noise_of, unlikeness
from pushforward.adversarial.watch import ALARMS, EVERY, YOUNG, Watch
from pushforward.errors import DivergedError
from pushforward.training.history import History
from pushforward.training.progress import Progress
from pushforward.training.randomness import scope
from pushforward.training.run import Run

N = 400


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def points(n=N, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 2))


def laid(n=N):
    """A game over two numbers, its batch, and a generator that is replaced by the test."""
    records = pf.read(points(n))
    with scope(0):
        network = Game(records.schema, records.schema.select(()), latent=2, width=8, layers=1)
    cells = network.flat.vector.cells.encode(records)
    batch = {"numbers": cells.numbers, "codes": cells.codes, "holes": cells.holes}
    network.prepare(batch, source())
    network.discriminator.gamma.fill_(1.0)
    return network, batch


def draws(network, function):
    network.generator.forward = lambda z, told, generator, whole=False: function(z)


def looks(network, batch, function, times=1, history=None, step=YOUNG):
    """What a watch says of a generator that draws function(z), look after look."""
    history = History() if history is None else history
    watch = Watch(network, batch, 0, history)
    network.discriminator.seen.fill_(step - EVERY)
    said = []
    for time in range(times):
        draws(network, lambda z, time=time: function(z, time))
        for _ in range(EVERY):
            network.discriminator.seen += 1
            found = watch()
        said.append(found)
    return said, history


def told(history, **accuracies):
    for step in range(1, YOUNG + 1):
        history.add(Progress("train", step, {f"accuracy/{k.replace('_', '-')}": v for k, v in accuracies.items()}))
    return history


def words(history):
    return [text for _, text in history.notes]


# Alarms


def test_it_looks_every_so_often():
    network, batch = laid()
    watch = Watch(network, batch, 0, History())
    due = []
    for _ in range(3 * EVERY):
        network.discriminator.seen += 1
        due.append(bool(watch()))
    assert [i + 1 for i, looked in enumerate(due) if looked] == [EVERY, 2 * EVERY, 3 * EVERY]


def test_a_generator_that_draws_one_point_rings_of_collapse():
    network, batch = laid()
    (said,), history = looks(network, batch, lambda z, _: torch.zeros_like(z))
    assert said["coverage"] < 0.1 and said["distance"] > 0.1
    assert any(text.startswith("mode collapse") and "it is 1)" in text for text in words(history))


def test_a_game_that_is_still_finding_modes_does_not_ring():
    network, batch = laid()
    for before, rings in ((0.1, False), (0.52, True)):
        history = History()
        history.add(Progress("train", YOUNG // 2, {"coverage": before}))
        looks(network, batch, lambda z, time: torch.cat([z[:, :1].abs(), z[:, 1:]], 1), history=history)
        assert any(text.startswith("mode collapse") for text in words(history)) == rings


def test_a_generator_that_leaves_out_half_of_the_data_rings_of_collapse():
    network, batch = laid()
    (said,), history = looks(network, batch, lambda z, _: torch.cat([z[:, :1].abs(), z[:, 1:]], 1))
    assert 0.4 < said["coverage"] < 0.6 and any(text.startswith("mode collapse") for text in words(history))


def test_a_good_generator_rings_nothing():
    """Data are normal, so noise is what a perfect generator would draw."""
    network, batch = laid()
    history = told(History(), real=0.6, drawn=0.6, held_out=0.55)
    said, history = looks(network, batch, lambda z, _: z, times=4, history=history)
    assert not history.notes
    for each in said:
        # one of n draws is nearer than the fifth of n - 1 records with probability 1 - C(n, 5) / C(2n, 5), about 31/32
        assert each["coverage"] > 0.9 and abs(each["distance"]) < 0.02


def test_nothing_rings_while_the_game_is_young():
    network, batch = laid()
    _, history = looks(network, batch, lambda z, _: torch.zeros_like(z), step=YOUNG - 1)
    assert not history.notes


def test_an_alarm_that_goes_on_ringing_is_told_once():
    network, batch = laid()
    _, history = looks(network, batch, lambda z, _: torch.zeros_like(z), times=3)
    assert len([text for text in words(history) if text.startswith("mode collapse")]) == 1


def test_an_alarm_that_was_silent_may_ring_again():
    network, batch = laid()
    _, history = looks(network, batch, lambda z, time: z * (time == 1), times=3)
    assert len([text for text in words(history) if text.startswith("mode collapse")]) == 2


@pytest.mark.parametrize("accuracies, rings", [
    ({"real": 0.99, "drawn": 0.99}, "the discriminator wins"),
    ({"real": 0.9, "drawn": 0.9, "held_out": 0.4}, "the discriminator has memorised: it knows 90%"),
    ({"real": 0.9, "drawn": 0.9, "held_out": 0.8}, None),
    ({"real": 0.99, "drawn": 0.5}, None),
    ({"real": 0.7, "drawn": 0.7}, None),
])  # fmt: skip
def test_what_the_accuracies_ring_of(accuracies, rings):
    network, batch = laid()
    _, history = looks(network, batch, lambda z, _: z, history=told(History(), **accuracies))
    assert len(history.notes) == (rings is not None)
    assert rings is None or words(history)[0].startswith(rings)


def test_memorising_rings_by_the_newest_held_out_look():
    """Looks are rarer than steps: a broken twin that averaged as many of them as steps would hear of early ones."""
    network, batch = laid()
    history = History()
    for step in range(1, 3001):
        held = {"accuracy/held-out": 0.9 if step < 2500 else 0.3} if step % 50 == 0 else {}
        history.add(Progress("train", step, {"accuracy/real": 0.9, "accuracy/drawn": 0.9, **held}))
    looks(network, batch, lambda z, _: z, history=history, step=3000)
    assert any("memorised" in text and "30%" in text for text in words(history))


def test_a_game_that_goes_round_rings():
    network, batch = laid()
    said, history = looks(network, batch, lambda z, time: z + 1 + 0.05 * (-1) ** time, times=4)
    assert float(said[-1]["turning"]) == pytest.approx(1.0, abs=1e-3)
    assert any(text.startswith("the game goes round") for text in words(history))
    said, history = looks(network, batch, lambda z, time: z * (0.9 + 0.02 * time), times=4)
    assert float(said[-1]["turning"]) == pytest.approx(0.0, abs=1e-3) and not history.notes


def test_every_alarm_names_a_cure():
    seen = {"coverage": 0.1, "gamma": 1.0, "accuracy/real": 1.0, "accuracy/drawn": 1.0, "accuracy/held-out": 0.1}
    for alarm in ALARMS.values():
        text = alarm.text(seen | {"turning": 1.0})
        assert "=" in text and "{" not in text


def cloud(n, d=8, seed=0):
    return torch.randn(n, d, generator=source(seed))


# The energy distance


def test_the_energy_distance_is_that_of_its_closed_form():
    """N(0, 1) against N(μ, 1): 2 E|x - y| - E|x - x'| - E|y - y'| with E|N(m, 2)| in closed form."""
    mean, n = 1.5, 4000
    absolute = 2 * math.exp(-(mean**2) / 4) / math.sqrt(math.pi) + mean * math.erf(mean / 2)
    wanted = 2 * absolute - 2 * 2 / math.sqrt(math.pi)
    found = float(energy_distance(cloud(n, 1), cloud(n, 1, seed=1) + mean))
    # its influence functions are h(x) = 2 E|x - y| - 2 E|x - x'|, of slope below 2: deviations below 2 (Poincaré)
    assert found == pytest.approx(wanted, abs=5 * 2 * (2 / n) ** 0.5)


def test_the_energy_distance_has_no_bias():
    found = torch.stack([energy_distance(cloud(20, 3, i), cloud(30, 3, 1000 + i)) for i in range(300)])
    assert found.mean().abs() < 5 * found.std() / 300**0.5 and found.min() < 0


def modes(n, seed=0, stray=0.0, narrow=1.0, lost=0):
    """Eight small Gaussians on a circle, of which some may stray between them, shrink, or be lost."""
    g = source(seed)
    angle = torch.randint(lost, 8, (n,), generator=g) * math.pi / 4
    angle = angle + (torch.rand(n, generator=g) < stray) * math.pi / 8
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * narrow * torch.randn(n, 2, generator=g)


@pytest.mark.parametrize("flaw", [{"stray": 0.15}, {"narrow": 0.3}, {"lost": 1}])
def test_what_strays_shrinks_or_is_lost_is_unlike(flaw):
    real = modes(1000)
    noise = noise_of(modes(2000, 1), source())
    good, bad = (unlikeness(real, modes(1000, 2, **options)) for options in ({}, flaw))
    assert bad - good > 3 * noise > 0


def test_what_is_drawn_alike_is_unlike_by_noise_alone():
    """Halves of 200 records, and pairs of fresh samples of 100, differ alike."""
    fresh = torch.stack([unlikeness(cloud(100, 3, i), cloud(100, 3, 1000 + i)) for i in range(200)])
    found = np.mean([noise_of(cloud(200, 3, i), source(i)) for i in range(20)])
    assert found == pytest.approx(float(fresh.std()), rel=0.3) and fresh.mean() < 0.25
    assert noise_of(cloud(3, 3), source(0)) == 0.0


# The choice of γ


@pytest.mark.parametrize("distances, wanted", [
    ((0.5, 0.52, 0.9), 1.0), ((0.3, 0.52, 0.9), 1.0), ((0.1, 0.52, 0.9), 0.1), ((0.9, 0.52, 0.1), 10.0),
    ((0.5, 0.5, 0.5), 1.0),
    ((math.inf, 0.5, math.inf), 1.0), ((math.inf, math.inf, 0.5), 10.0), ((math.inf,) * 3, 1.0),
    ((-0.002, -0.001, -0.001), 1.0),  # below 0 all are as near as can be
    ((0.5 * CLEARLY - 0.01, 0.5, 0.5), 0.1),
])  # fmt: skip
def test_the_nearest_is_chosen_where_it_is_clearly_nearer(distances, wanted):
    trials = [Trial(gamma, distance) for gamma, distance in zip((0.1, 1.0, 10.0), distances, strict=True)]
    assert chosen(trials, 1.0) == wanted


def inject(monkeypatch, distances):
    def fake(network, players, batch, size, run, gammas, trials):
        for gamma in gammas:
            trials.append(Trial(gamma, distances[gamma]))
            yield Progress("probe", 1, {"gamma": gamma}, 0.0)

    monkeypatch.setattr(gan, "probe", fake)


PLAIN = gan.USUAL["rows"] / 2**0.5  # of two numbers
WEIGHTS = tuple(PLAIN * by for by in (1.0, gan.TENTH, gan.TENFOLD))


@pytest.mark.parametrize("best", WEIGHTS)
def test_a_fit_goes_on_with_the_weight_that_came_nearest(monkeypatch, best):
    monkeypatch.setattr(gan, "ENOUGH", 0)
    inject(monkeypatch, {gamma: 0.1 if gamma == best else 0.5 for gamma in WEIGHTS})
    model = pf.GAN(width=8, latent=2).fit(points(64), steps=2, seed=0, device="cpu")
    assert model.measurements["gamma"] == pytest.approx(best, abs=1e-6)  # it is told in six decimals


@pytest.mark.parametrize("options, wanted", [({"gamma": 0.25}, 0.25), ({"penalty": "none"}, 0.0)])
def test_a_weight_that_is_said_is_not_tried(monkeypatch, options, wanted):
    monkeypatch.setattr(gan, "ENOUGH", 0)
    monkeypatch.setattr(gan, "probe", lambda *args: pytest.fail("it was tried"))
    model = pf.GAN(width=8, latent=2, **options).fit(points(64), steps=2, seed=0, device="cpu")
    assert model.measurements["gamma"] == pytest.approx(wanted)


def test_trials_too_short_to_say_anything_are_not_made():
    network, batch = laid(100)
    model, trials = pf.GAN(width=8, latent=2), []
    run = Run(steps=5, seed=0, device="cpu", validation=0)
    said = list(probe(network, model._players, batch, 32, run, [1.0, 0.1, 10.0], trials))
    assert trials == [] and len(said) == 5 and chosen(trials, 1.0) == 1.0
    model.fit(points(64), steps=40, seed=0, device="cpu")
    assert model.measurements["gamma"] == pytest.approx(PLAIN, abs=1e-6) and "gamma" not in model.history


def test_trials_leave_the_network_and_play_with_their_weights(monkeypatch):
    monkeypatch.setattr(probing, "ENOUGH", 0)
    network, batch = laid(100)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    model, trials = pf.GAN(width=8, latent=2), []
    run = Run(steps=40, seed=0, device="cpu", validation=0)
    said = list(probe(network, model._players, batch, 32, run, [0.1, 1.0, 10.0], trials))
    assert [trial.gamma for trial in trials] == [0.1, 1.0, 10.0]
    assert len({trial.distance for trial in trials}) == 3 and all(math.isfinite(t.distance) for t in trials)
    assert [now.step for now in said] == list(range(1, 121)) and {now.phase for now in said} == {"probe"}
    assert sorted({now.losses["gamma"] for now in said}) == [0.1, 1.0, 10.0]
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_a_trial_that_diverges_is_not_the_end(monkeypatch):
    monkeypatch.setattr(probing, "ENOUGH", 0)
    network, batch = laid(100)
    model, trials = pf.GAN(width=8, latent=2), []

    def players(own):
        if own.discriminator.gamma > 5:
            raise DivergedError("a loss is nan")
        return model._players(own)

    run = Run(steps=2, seed=0, device="cpu", validation=0)
    said = list(probe(network, players, batch, 32, run, [10.0, 0.1, 1.0], trials))
    assert trials[0].distance == math.inf and len(trials) == 3 and [now.step for now in said] == [1, 2, 3, 4]
    assert chosen(trials, 1.0) in (0.1, 1.0)


# The search for noise


def linear(z):
    """x = (z₀, z₁, z₀ + z₁)."""
    return torch.cat([z, z.sum(1, keepdim=True)], 1)


def test_the_search_finds_the_noise_of_what_is_known():
    values = linear(0.5 * cloud(50, 2))
    known = torch.tensor([True, True, False]).expand(50, 3)
    z = searched(linear, values, known, 2, candidates=64, steps=30, generator=source(2))
    assert z.shape == (50, 2) and (linear(z) - values)[:, 2].abs().mean() < 0.01


def test_more_steps_and_more_candidates_come_nearer():
    values, known = linear(0.5 * cloud(200, 2)), torch.ones(200, 3, dtype=torch.bool)

    def off(candidates, steps):
        z = searched(linear, values, known, 2, candidates=candidates, steps=steps, generator=source(2))
        return float((linear(z) - values).square().mean())

    assert off(256, 0) < off(4, 0) / 2 and off(4, 50) < off(4, 0) / 2


@pytest.mark.parametrize("steps", [0, 30])
def test_where_nothing_is_known_noise_is_noise(steps):
    n = 4000
    z = searched(linear, torch.zeros(n, 3), torch.zeros(n, 3, dtype=torch.bool), 2, candidates=8, steps=steps,
                 generator=source(2))  # fmt: skip
    assert (z.mean(0).abs() < 5 / n**0.5).all() and ((z.var(0) - 1).abs() < 5 * (2 / n) ** 0.5).all()


@pytest.mark.parametrize("latent, told", [(2, 1), (16, 1), (16, 4), (64, 32)])
def test_noise_that_decides_nothing_stays_as_wide_as_it_is(latent, told):
    """The generator is the identity, of which the first numbers are known."""
    n = 1000
    values, known = cloud(n, latent), (torch.arange(latent) < told).expand(n, latent)
    z = searched(lambda z: z, values, known, latent, candidates=64, steps=30, generator=source(2))
    assert (z - values)[:, :told].square().mean().sqrt() < 0.01
    free = z[:, told:]
    assert ((free.std(0) - 1).abs() < 6 * (0.5 / n) ** 0.5).all() and (free.mean(0).abs() < 6 / n**0.5).all()


def test_a_linear_generator_is_searched_to_a_draw_given_what_is_known():
    """Its mean and covariance are those of normal noise given A z = x."""
    n, latent = 4000, 6
    maps = torch.randn(3, latent, generator=source(3)) * torch.logspace(0, -1, latent)
    values = torch.tensor([1.0, -0.5, 9.0]).expand(n, 3)
    known = torch.tensor([True, True, False]).expand(n, 3)
    z = searched(lambda z: z @ maps.T, values, known, latent, candidates=64, steps=30, generator=source(2))
    back = torch.linalg.pinv(maps[:2])
    assert (z.mean(0) - back @ values[0, :2]).abs().max() < 0.1
    assert (torch.cov(z.T) - (torch.eye(latent) - back @ maps[:2])).abs().max() < 0.12


def test_what_cannot_be_reached_is_come_near_and_not_run_past():
    """Draws end at 1, and 3 is known: noise stays noise, and what it does not decide stays as it was."""
    n = 400
    values, known = torch.full((n, 4), 3.0), torch.tensor([True, False, False, False]).expand(n, 4)
    z = searched(torch.tanh, values, known, 4, candidates=64, steps=30, generator=source(2))
    assert torch.tanh(z[:, 0]).mean() > 0.97 and z[:, 0].abs().max() < 8
    assert ((z[:, 1:].std(0) - 1).abs() < 0.2).all()


@pytest.mark.parametrize("steps", [0, 30])
def test_what_is_not_known_varies(steps):
    """x₀ is known to be 0.5; x₁ is z₁, which nothing holds."""
    n = 400
    values, known = torch.tensor([[0.5, 0.0, 0.0]]).expand(n, 3), torch.tensor([[True, False, False]]).expand(n, 3)
    z = searched(linear, values, known, 2, candidates=64, steps=steps, generator=source(2))
    assert (z[:, 0] - 0.5).abs().mean() < 0.1 and 0.8 < z[:, 1].std() < 1.2


def test_it_leaves_weights_and_slopes_alone():
    layer = torch.nn.Linear(2, 3)
    with torch.no_grad():
        z = searched(layer, torch.zeros(5, 3), torch.ones(5, 3, dtype=torch.bool), 2, candidates=4, steps=3,
                     generator=source())  # fmt: skip
    assert not z.requires_grad
