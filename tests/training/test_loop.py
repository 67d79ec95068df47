"""What the loop does in a step, when it stops, and what it tells."""

import itertools
import math
import random
import time

import numpy as np
import pytest
import torch
from torch import nn

import pushforward as pf
from pushforward.errors import ArgumentError, DivergedError, PushforwardError
from pushforward.training.batches import Batches
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.loop import State, train
from pushforward.training.player import Player, inverse_root
from pushforward.training.run import Run

ROWS = 160


def plain_sgd(lr):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def point(value=1.0):
    """A module of one number."""
    module = nn.Module()
    module.at = nn.Parameter(torch.tensor(float(value), dtype=torch.float64))
    return module


def rows(n=ROWS):
    return Batches(lambda: iter([{"row": torch.arange(n)}]), [n], 0)


def game(players, steps, batch=16, **options):
    return train(players, rows(), Run(steps=steps, device="cpu"), State(batch=batch), **options)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(toy):
    def weights(seed):
        net = toy.network()
        run = Run(steps=5, device="cpu", seed=seed)
        for _ in train([toy.player(net)], toy.batches(), run, State(batch=48)):
            pass
        return net[0].weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_the_global_generators_are_left_alone(toy):
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    states = []
    toy.run_toy(None, 4, look=lambda _: states.append(torch.get_rng_state()))
    assert all(torch.equal(state, before[0]) for state in states)
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]


def test_gradient_descent_on_a_parabola_is_what_the_formula_says():
    module = point()
    player = Player("p", module, lambda b, g: module.at**2, plain_sgd(0.1), factor=lambda step: 1.0, averages=())
    list(game([player], 10))
    assert module.at.item() == pytest.approx(0.8**10, rel=1e-12)


def test_the_rate_follows_its_factor():
    module = point(0.0)
    factor = inverse_root(warmup=4, constant=6)
    player = Player("p", module, lambda b, g: -module.at, plain_sgd(1.0), factor=factor, averages=())
    list(game([player], 20))
    by_hand = sum(min(1, (s + 1) / 4) / max(1, s / 6) ** 0.5 for s in range(20))
    assert module.at.item() == pytest.approx(by_hand, rel=1e-12)


def test_the_average_is_the_power_weighted_mean_of_the_weights():
    module, steps = point(), 30
    player = Player("p", module, lambda b, g: module.at**2, plain_sgd(0.1), factor=lambda s: 1.0, averages=(0.1,))
    path = [module.at.item() for _ in game([player], steps)]
    # the last look is before the average takes the place of the weights
    power = 7.94  # γ + 1 of a window of a tenth (EDM2 gives γ = 6.94)
    weights = np.diff((np.arange(steps + 1) / steps) ** power)
    assert module.at.item() == pytest.approx(weights @ path, rel=1e-3)


@pytest.mark.parametrize("valley, window", [(0.0, 0.02), (2.0, 0.3)])
def test_of_two_averages_that_stays_which_held_out_data_like(valley, window):
    """Weights that fall towards 0 from far: a short window has got further than a long one."""

    def end(windows, held_out):
        module = point(5.0)

        def loss(batch, generator):
            return 0.5 * module.at**2 if torch.is_grad_enabled() else (module.at - valley).abs()

        player = Player("p", module, loss, plain_sgd(0.04), factor=lambda step: 1.0, averages=windows)
        list(game([player], 50, held_out=held_out))
        return module.at.item()

    assert end((0.02, 0.3), rows(40)) == end((0.3, 0.02), rows(40)) == end((window,), None)


def test_players_take_turns_and_see_only_their_own_gradients():
    one, two = point(1.0), point(1.0)
    calls = {"one": 0, "two": 0}

    def loss(name, mine, theirs):
        def of(batch, generator):
            calls[name] += 1
            return mine.at + 100 * theirs.at, {"other": theirs.at}

        return of

    def player(name, mine, theirs, every):
        options = {"factor": lambda step: 1.0, "averages": (), "every": every}
        return Player(name, mine, loss(name, mine, theirs), plain_sgd(0.01), **options)

    seen = list(game([player("one", one, two, 1), player("two", two, one, 3)], 7))
    assert calls == {"one": 7, "two": 3}
    assert one.at.item() == pytest.approx(1 - 0.07) and two.at.item() == pytest.approx(1 - 0.03)
    assert [set(p.losses) for p in seen] == [{"one", "other"} | ({"two"} if s % 3 == 0 else set()) for s in range(7)]


def test_clipping_bounds_the_step():
    module = point(0.0)
    options = {"factor": lambda step: 1.0, "averages": (), "clip": 0.5}
    player = Player("p", module, lambda b, g: 1000 * module.at, plain_sgd(1.0), **options)
    list(game([player], 1))
    assert module.at.item() == pytest.approx(-0.5, rel=1e-6)


def test_modules_learn_in_training_mode_and_are_left_in_evaluation_mode(toy):
    net = toy.network().eval()
    modes = [net.training for _ in toy.start(net, None, 2)]
    assert modes == [True, True] and not net.training


# Budgets


def test_progress_is_consistent_under_a_budget_of_steps(toy):
    seen = []
    toy.run_toy(None, 12, look=seen.append)
    assert [p.step for p in seen] == list(range(1, 13))
    assert all(a.elapsed <= b.elapsed for a, b in itertools.pairwise(seen))
    assert all(p.remaining >= 0 for p in seen) and seen[-1].remaining == 0
    for p in seen:
        assert p.remaining == pytest.approx(p.elapsed / p.step * (12 - p.step))
    assert seen[0].to_json()["losses"]["net"] == seen[0].losses["net"]
    assert {p.phase for p in seen} == {"train"}


def test_a_budget_of_minutes_is_kept(toy):
    run = Run(minutes=0.4 / 60, device="cpu")
    begun = time.monotonic()
    seen = list(train([toy.player(toy.network())], toy.batches(), run, State(batch=48)))
    assert 0.4 <= seen[-1].elapsed < 0.9
    assert 0.4 <= time.monotonic() - begun < 2
    assert all(p.remaining == pytest.approx(max(0, 0.4 - p.elapsed)) for p in seen)


def test_a_resumed_run_counts_the_time_before(toy, tmp_path):
    run = Run(minutes=0.3 / 60, device="cpu")

    def steps():
        kept = Checkpoints(tmp_path / "run", {})
        return train([toy.player(toy.network())], toy.batches(), run, State(batch=48), checkpoints=kept)

    progress = steps()
    while (last := next(progress)).elapsed < 0.15:
        pass
    progress.close()
    begun = time.monotonic()
    seen = list(steps())
    assert seen[0].elapsed >= last.elapsed and seen[0].step == last.step + 1
    assert time.monotonic() - begun < 0.15 + 0.5


def test_without_a_budget_it_stops_when_the_held_out_loss_no_longer_falls():
    module = point(0.0)

    def loss(batch, generator):  # looks at held-out data see a valley at 3 that training passes through
        return -module.at if torch.is_grad_enabled() else (module.at - 3).abs()

    player = Player("p", module, loss, plain_sgd(0.01), factor=lambda step: 1.0, averages=())
    run = Run(device="cpu")
    seen = list(train([player], rows(), run, State(batch=16), held_out=rows(40)))
    looks = [p for p in seen if "held-out" in p.losses]
    best = min(looks, key=lambda p: p.losses["held-out"])
    assert best.losses["held-out"] <= 0.26  # 50 steps of 0.01 between two looks
    assert module.at.item() == pytest.approx(0.01 * best.step, rel=1e-9), "the best weights are the ones that stay"
    assert best.step < seen[-1].step <= best.step + max(5 * 50, best.step // 2) + 50


@pytest.mark.parametrize("margin, wanted", [(0.0, 1), (0.3, 3), (0.65, 4)])
def test_of_weights_that_are_as_good_the_latest_stay(margin, wanted):
    """Looks at 50, 100, … steps of a module that counts them find losses of 1, .2, .7, .4, .8 and so on."""
    module, losses = point(0.0), (1.0, 0.2, 0.7, 0.4, 0.8, 0.9)

    def loss(batch, generator):
        if torch.is_grad_enabled():
            return -module.at
        return torch.tensor(losses[min(round(module.at.item()) // 50, len(losses)) - 1])

    player = Player("p", module, loss, plain_sgd(1.0), factor=lambda step: 1.0, averages=(), margin=margin)
    list(game([player], 300, held_out=rows(16)))
    assert round(module.at.item()) == 50 * (wanted + 1)


def test_the_best_held_out_weights_survive_a_resume(toy, tmp_path):
    def steps(folder):
        net = toy.network()
        kept = Checkpoints(folder, {}) if folder else None
        run = Run(steps=160, device="cpu")
        return net, train(
            [toy.player(net)], toy.batches(), run, State(batch=48), held_out=toy.batches((32,)), checkpoints=kept
        )

    net, whole = steps(None)
    looks = {p.step: p.losses["held-out"] for p in whole if "held-out" in p.losses}
    assert set(looks) == {50, 100, 150, 160}  # every 50 steps, and at the end
    _, first = steps(tmp_path / "run")
    while next(first).step < 120:
        pass
    first.close()
    again, rest = steps(tmp_path / "run")
    assert {p.step: p.losses["held-out"] for p in rest if "held-out" in p.losses} == {k: looks[k] for k in (150, 160)}
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("options", [{"steps": 0}, {"minutes": 0}, {"minutes": -1}, {"steps": 1.5}, {"batch": 0},
                                     {"seed": -1}, {"minutes": math.inf}, {"precision": "half"}])  # fmt: skip
def test_budgets_that_make_no_sense_are_refused_by_name(options):
    (name,) = options
    with pytest.raises(ArgumentError, match=f"^{name}="):
        Run(**options)


@pytest.mark.parametrize("option, cure", [("stepz", "did you mean 'steps'"), ("precision", "there are: minutes")])
def test_an_option_that_means_nothing_is_refused_by_name(option, cure):
    """A misspelt one, and one of `Run` that a mixture has no use for."""
    with pytest.raises(ArgumentError, match=f"^{option}= .*{cure}"):
        pf.GaussianMixture().fit({"x": [1.0, 2.0]}, **{option: 3})


# What goes wrong


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_last_checkpoint(tmp_path):
    module = point(1.0)

    def loss(batch, generator):
        return module.at / (module.at > 0.45)

    player = Player("judge", module, loss, plain_sgd(0.1), factor=lambda step: 1.0)
    kept = Checkpoints(tmp_path / "run", {})
    run = Run(steps=50, device="cpu", checkpoint=0)
    progress = train([player], rows(), run, State(batch=16), checkpoints=kept)
    with pytest.raises(DivergedError) as caught:
        list(progress)
    message = str(caught.value)
    assert "loss of judge is inf at step 6" in message and "lower the learning rate (it is 0.1)" in message
    assert str(tmp_path / "run") in message and "\n" not in message
    tensors, facts = kept.latest()
    assert facts["step"] == 6
    assert tensors["judge.live.at"].item() == pytest.approx(0.4, rel=1e-9)


@pytest.mark.parametrize("steps", [1, 4])
def test_weights_that_are_not_finite_are_never_left_or_saved(tmp_path, steps):
    module = point(0.0)

    def loss(batch, generator):  # finite, with a gradient that is not
        return module.at.abs().sqrt()

    kept = Checkpoints(tmp_path / "run", {})
    run = Run(steps=steps, device="cpu", checkpoint=0)
    player = Player("p", module, loss, plain_sgd(0.1), factor=lambda step: 1.0)
    with pytest.raises(DivergedError, match=r"p .*lower the learning rate"):
        list(train([player], rows(), run, State(batch=16), checkpoints=kept))
    assert kept.latest()[1]["step"] == 0


def test_out_of_memory_halves_the_batch_and_says_so():
    module, sizes = point(), []

    def loss(batch, generator):
        sizes.append(len(batch["row"]))
        if sizes[-1] > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return module.at**2

    seen = list(game([Player("p", module, loss, plain_sgd(0.1))], 3, batch=64))
    assert sizes == [64, 32, 16, 16, 16]
    assert [p.step for p in seen] == [0, 0, 1, 2, 3]
    assert "halved to 32" in seen[0].note and "halved to 16" in seen[1].note and seen[2].note == ""


def test_what_pytorch_says_on_a_cpu_without_memory_is_understood():
    module, calls = point(), []

    def loss(batch, generator):
        calls.append(len(batch["row"]))
        if len(calls) == 1:
            torch.empty(2**60)  # no machine has this
        return module.at**2

    list(game([Player("p", module, loss, plain_sgd(0.1))], 1, batch=8))
    assert calls == [8, 4]


def test_a_batch_of_one_that_does_not_fit_ends_the_run():
    module = point()

    def loss(batch, generator):
        raise MemoryError

    with pytest.raises(PushforwardError, match="make the network smaller"):
        list(game([Player("p", module, loss, plain_sgd(0.1))], 3, batch=4))


def test_other_errors_of_a_loss_go_up_as_they_are():
    module = point()

    def loss(batch, generator):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(game([Player("p", module, loss, plain_sgd(0.1))], 3))
