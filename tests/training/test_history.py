"""What a training told comes back, in bounded memory, also where it was stopped on the way."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import pushforward as pf
from pushforward.errors import ArgumentError, DivergedError
from pushforward.training.batches import Batches
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.history import NOTES, History, Scene
from pushforward.training.loop import State, train
from pushforward.training.player import Player, adam
from pushforward.training.progress import Progress
from pushforward.training.randomness import scope
from pushforward.training.run import Run
from pushforward.training.series import MOST, Series


def told(steps, value=lambda step: 1 / step, **more):
    history = History()
    for step in range(1, steps + 1):
        history.add(Progress("train", step, {"loss": value(step)}, **more))
    return history


def returned(history):
    """After the way through a checkpoint."""
    again = History()
    again.restore(history.tensors(), json.loads(json.dumps(history.facts())))
    return again


def same_history(one, other):
    assert one.names == other.names and len(one) == len(other) and one.notes == other.notes
    for name in one.names:
        assert all(np.array_equal(a, b) for a, b in zip(one[name], other[name], strict=True))
    assert [s.step for s in one.scenes] == [s.step for s in other.scenes]
    for a, b in zip(one.scenes, other.scenes, strict=True):
        assert a.extent == b.extent and a.names == b.names
        for name in ("real", "drawn", "surface", "arrows"):
            assert np.array_equal(getattr(a, name), getattr(b, name))


# Numbers


def test_what_was_told_comes_back():
    history = History()
    history.add(Progress("train", 1, {"loss": 0.5, "accuracy/real": 1.0}))
    history.add(Progress("train", 2, {"loss": 0.25}, note="the batch is halved"))
    history.add(Progress("train", 2, {"held-out": 3.0}))
    assert history.names == ("loss", "accuracy/real", "held-out") and len(history) == 2
    steps, values = history["loss"]
    assert steps.tolist() == [1, 2] and values.tolist() == [0.5, 0.25]
    assert [a.tolist() for a in history["held-out"]] == [[2], [3.0]]
    assert history.notes == [(2, "the batch is halved")] and "loss" in history and "lost" not in history


def test_a_name_that_was_never_told_is_refused_by_those_that_were():
    with pytest.raises(ArgumentError, match=r"history\['lss'\] was never told; did you mean 'loss'\?"):
        told(3)["lss"]


@pytest.mark.parametrize("steps", [MOST - 1, MOST, MOST + 1, 5 * MOST + 3])
def test_thinning_keeps_the_first_and_the_newest_true_pairs_and_even_distances(steps):
    at, values = told(steps)["loss"]
    assert at[0] == 1 and at[-1] == steps and MOST / 2 <= len(at) <= MOST
    assert np.array_equal(values, 1 / at)
    assert len(set(np.diff(at[:-1]))) == 1 and at[-1] - at[-2] <= at[1] - at[0]


def test_of_a_step_that_is_told_twice_the_newer_value_counts():
    series = Series(most=4)
    for step, value in [(1, 1.0), (2, 2.0), (2, 5.0), (3, 3.0), (4, 4.0), (4, 6.0)]:
        series.add(step, value)
    assert dict(zip(*(a.tolist() for a in series.arrays()), strict=True))[4] == 6.0
    assert dict(zip(*(a.tolist() for a in series.arrays()), strict=True)).get(2, 5.0) == 5.0


def test_an_alarm_that_rings_for_ever_fills_no_memory():
    history = History()
    for step in range(5 * NOTES):
        history.note(step, "collapse")
        history.note(step, "collapse")
    assert len(history.notes) == NOTES and history.notes[0] == (0, "collapse")


@pytest.mark.parametrize("steps", [1, 10, MOST - 1, MOST, 2 * MOST + 1, 2 * MOST + 2])
def test_a_history_that_was_put_away_goes_on_as_if_it_had_not_been(steps):
    whole, first = told(steps), returned(told(steps))
    same_history(whole, first)
    for step in range(steps + 1, steps + MOST + 7):
        for history in (whole, first):
            history.add(Progress("train", step, {"loss": 1 / step, "late": 0.0}, note="" if step % 999 else "alarm"))
    same_history(whole, first)


def test_a_history_can_be_pickled_and_copied():
    history = told(20)
    same_history(history, pickle.loads(pickle.dumps(history)))
    same_history(history, copy.deepcopy(history))


# Scenes


def look(step, **more):
    points = np.arange(6.0).reshape(3, 2)
    return Scene(step=step, real=points, drawn=points + step, extent=(-1.0, 1.0, 0.0, 2.0), **more)


@pytest.mark.parametrize("steps, least, most", [(200, 15, 40), (2_000, 30, 60), (20_000, 40, 70)])
def test_scenes_are_few_and_denser_early(steps, least, most):
    history = History()
    for step in range(steps + 1):
        if history.due(step):
            history.keep(look(step))
    at = np.array([scene.step for scene in history.scenes])
    assert at[0] == 0 and least <= len(at) <= most and (np.diff(at, 2) >= -1).all()


def test_scenes_come_back_from_a_checkpoint():
    history = told(3)
    history.keep(look(0, surface=np.eye(4), arrows=np.ones((2, 4)), names=("mass", "length")))
    history.keep(look(4))
    same_history(history, returned(history))


@pytest.mark.parametrize(
    "name, value",
    [("real", np.ones(3)), ("drawn", np.ones((3, 3))), ("arrows", np.ones((1, 2))), ("surface", np.ones((2, 3)))],
)
def test_a_scene_of_other_shapes_is_refused_by_name(name, value):
    arrays = {"real": np.ones((2, 2)), "drawn": np.ones((2, 2)), name: value}
    with pytest.raises(ArgumentError, match=f"{name} has shape .*; it must be"):
        Scene(step=0, extent=(0, 1, 0, 1), **arrays)


def test_a_plane_without_area_is_refused():
    with pytest.raises(ArgumentError, match=r"extent=\(0, 0, 0, 1\) has no area"):
        Scene(step=0, real=np.ones((2, 2)), drawn=np.ones((2, 2)), extent=(0, 0, 0, 1))


# In the loop


def moody():
    """A network that a careless look would change: dropout draws, a norm keeps statistics."""
    with scope(1):
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))


def start(net, steps, scene=None, folder=None):
    def loss(batch, generator):
        out = net(batch["x"])
        return out.square().mean(), {"size/out": out.detach().abs().mean()}

    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    state = State(batch=16)
    kept = None if folder is None else Checkpoints(folder, {})
    batches = Batches(lambda: iter([{"x": x}]), [64], 0)
    run = Run(steps=steps, device="cpu")
    return state, train([Player("net", net, loss, adam(1e-2))], batches, run, state, checkpoints=kept, scene=scene)


def seeing(net):
    def scene(step):
        x = torch.randn(32, 3, requires_grad=True)  # of the global generator
        net(x).sum().backward()  # leaves gradients in the weights, if nobody takes care
        assert not net.training
        return look(step, arrows=torch.cat([x, x.grad], 1)[:, :4].detach().numpy())

    return scene


def test_the_loop_tells_the_history_every_number():
    net = moody()
    state, progress = start(net, 9)
    seen = [now.losses for now in progress]
    assert state.history.names == ("net", "size/out") and len(state.history) == 9
    for name in state.history.names:
        assert state.history[name][1].tolist() == [losses[name] for losses in seen]


def test_looking_changes_nothing_that_is_learned():
    blind, watched = moody(), moody()
    list(start(blind, 30)[1])
    state, progress = start(watched, 30, seeing(watched))
    assert all(watched.training for _ in progress)
    assert len(state.history.scenes) > 6 and state.history.scenes[-1].step == 30
    assert all(
        torch.equal(a, b) for a, b in zip(blind.state_dict().values(), watched.state_dict().values(), strict=True)
    )


def test_who_has_no_scene_is_asked_once():
    asked = []
    list(start(moody(), 9, asked.append)[1])
    assert asked == [0]


def test_a_run_that_was_stopped_has_one_history(tmp_path):
    whole = moody()
    state, progress = start(whole, 23, seeing(whole))
    list(progress)
    for stop in (1, 11, None):
        part = moody()
        rest, progress = start(part, 23, seeing(part), tmp_path / "run")
        for now in progress:
            if now.step == stop:
                break
        progress.close()
    same_history(state.history, rest.history)


def test_a_checkpoint_of_before_there_was_a_history_goes_on(tmp_path):
    list(start(moody(), 5, folder=tmp_path / "run")[1])
    path = tmp_path / "run" / f"step-{5:012d}" / "state.json"
    facts = json.loads(path.read_text())
    del facts["history"]
    path.write_text(json.dumps(facts))
    state, progress = start(moody(), 8, folder=tmp_path / "run")
    assert [now.step for now in progress] == [6, 7, 8] and state.history["net"][0].tolist() == [6, 7, 8]


# In a model


class Watched(pf.AutoEncoder):
    """Shows the data twice, as if it drew it."""

    def _scene(self, step):
        return look(step)


def test_a_model_keeps_its_history_and_a_loaded_one_has_none(tmp_path):
    data = pf.read("penguins")
    model = pf.AutoEncoder(latent=2, width=8)
    assert len(model.history) == 0
    model.fit(data, steps=6, validation=0.2)
    assert model.history.names == ("reconstruction", "held-out") and len(model.history) == 6
    assert model.history["held-out"][0].tolist() == [6] and model.history.scenes == []
    same_history(model.history, copy.deepcopy(model).history)
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    assert len(loaded.history) == 0
    with pytest.raises(ArgumentError, match="the history is empty; fit the model"):
        loaded.history.plot()
    assert len(loaded.fit(data, steps=2).history) == 2 and len(model.fit(data, steps=3).history) == 3


def test_a_model_with_a_scene_is_watched():
    model = Watched(latent=2, width=8).fit("moons", steps=20)
    assert [scene.step for scene in model.history.scenes] == [0, 4, 8, 12, 16, 20]


def test_the_history_can_be_read_while_it_goes_on_and_after_it_failed():
    model = pf.AutoEncoder(latent=2, width=8)
    progress = model.fitting("moons", steps=9)
    for now in progress:
        assert len(model.history) == now.step
    model.lr = 1e30
    with pytest.raises(DivergedError):
        model.fit("moons", steps=50)
    assert 0 < len(model.history) < 50


def test_a_moving_picture_without_scenes_is_refused_with_the_cure(tmp_path):
    with pytest.raises(ArgumentError, match="holds no scenes; they are kept while a model that plays a game is fitted"):
        told(3).animate(tmp_path / "game.gif")
    assert list(tmp_path.iterdir()) == []
