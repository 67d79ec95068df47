"""A run that was stopped goes on as if it had not been."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pushforward.errors import ArgumentError, FormatError
from pushforward.training.batches import Batches
from pushforward.training.checkpoint import KEPT, Checkpoints
from pushforward.training.display import Interrupted, drain
from pushforward.training.loop import State, train
from pushforward.training.player import Player, adam
from pushforward.training.randomness import scope
from pushforward.training.run import Run

STEPS = 23


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def stop_after(toy, folder, steps, total):
    progress = toy.start(toy.network(), folder, total)
    for _ in range(steps):
        next(progress)
    progress.close()


@pytest.mark.parametrize("stops", [[1], [10], [STEPS - 1], [3, 4, 9]])
def test_a_closed_run_goes_on_bit_for_bit(toy, tmp_path, stops):
    for stop in stops:
        stop_after(toy, tmp_path / "run", stop, STEPS)
    assert same(toy.run_toy(tmp_path / "run", STEPS), toy.run_toy(None, STEPS))


def test_weights_in_another_order_of_memory_go_on_bit_for_bit_too(tmp_path):
    """A fused optimiser walks through memory: its tensors must lie there as the weights do."""

    def run(folder):
        with scope(0):
            net = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        kept = None if folder is None else Checkpoints(folder, {})
        player = Player("net", net, lambda batch, _: net(batch["x"]).square().mean(), adam(1e-2))
        x = torch.randn(16, 3, 6, 6, generator=torch.Generator().manual_seed(0))
        batches = Batches(lambda: iter([{"x": x}]), [16], 0)
        return net, train([player], batches, Run(steps=8, device="cpu"), State(batch=4), checkpoints=kept)

    _, first = run(tmp_path / "run")
    for _ in range(4):
        next(first)
    first.close()
    (resumed, rest), (whole, all_) = run(tmp_path / "run"), run(None)
    assert len(list(rest)) == 4 and len(list(all_)) == 8
    assert same(resumed.state_dict(), whole.state_dict())


def test_a_finished_run_is_not_trained_again(toy, tmp_path):
    first = toy.run_toy(tmp_path / "run", STEPS)
    seen = []
    assert same(first, toy.run_toy(tmp_path / "run", STEPS, look=seen.append))
    assert [told.step for told in seen] == [STEPS]  # where it stands, and no step more


def test_a_longer_budget_goes_on_where_a_shorter_one_ended(toy, tmp_path):
    toy.run_toy(tmp_path / "run", 9)
    assert same(toy.run_toy(tmp_path / "run", STEPS), toy.run_toy(None, STEPS))


def test_checkpoints_are_whole_and_few(toy, tmp_path):
    toy.run_toy(tmp_path / "run", STEPS, checkpoint=0)
    assert [p.name for p in sorted((tmp_path / "run").iterdir())] == [
        f"step-{step:012d}" for step in range(STEPS - KEPT + 1, STEPS + 1)
    ]
    for step in (tmp_path / "run").iterdir():
        assert {p.name for p in step.iterdir()} == {"state.json", "state.safetensors"}


def test_control_c_ends_between_two_steps_with_a_checkpoint(toy, tmp_path):
    def watched():
        for progress in toy.start(toy.network(), tmp_path / "run", STEPS):
            if progress.step == 7:
                signal.raise_signal(signal.SIGINT)
            yield progress

    with pytest.raises(Interrupted):
        drain(watched())
    assert (tmp_path / "run" / f"step-{7:012d}").is_dir()
    assert same(toy.run_toy(tmp_path / "run", STEPS), toy.run_toy(None, STEPS))


def test_twenty_kills_leave_whole_checkpoints_and_the_same_weights(tmp_path):
    worker = Path(__file__).with_name("killed.py")
    command = [sys.executable, "-W", "error", str(worker), str(tmp_path / "run"), "20", "800"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["unreadable"] == []
    assert facts["equal"]
    assert len(facts["steps"]) == 20 and facts["steps"] == sorted(facts["steps"])
    assert facts["steps"][-1] > facts["steps"][0], "no run went on from where the last one was killed"
    assert any(facts["half_written"]), "no kill fell into a write"


def test_checkpoints_of_another_run_are_refused_by_what_differs(toy, tmp_path):
    toy.run_toy(tmp_path / "run", 3)
    with pytest.raises(FormatError, match=r"what='toy'.*'other'"):
        Checkpoints(tmp_path / "run", {"what": "other"}).latest()


@pytest.mark.parametrize("foreign", ["notes.txt", "model.json"])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path, foreign):
    (tmp_path / foreign).write_text("mine")
    with pytest.raises(FormatError, match="holds no run; name another"):
        Checkpoints(tmp_path, {})
    assert (tmp_path / foreign).read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_learned(toy, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArgumentError, match=r"cannot be made, since .*file may not be written in"):
        toy.start(toy.network(), tmp_path / "file" / "run", 5)


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_the_checkpoint_before(toy, tmp_path, monkeypatch):
    toy.run_toy(tmp_path / "run", 3)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("safetensors.torch.save_file", full)
        with pytest.raises(ArgumentError, match=r"cannot be written .*No space left.*make room there") as caught:
            toy.run_toy(tmp_path / "run", 5, checkpoint=0)
    assert "\n" not in str(caught.value)
    assert same(toy.run_toy(tmp_path / "run", STEPS), toy.run_toy(None, STEPS))


def test_a_damaged_checkpoint_is_named(toy, tmp_path):
    toy.run_toy(tmp_path / "run", 3)
    damaged = tmp_path / "run" / f"step-{3:012d}" / "state.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(FormatError, match=r"step-000000000003 cannot be read.*delete it") as caught:
        toy.run_toy(tmp_path / "run", 5)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("facts", ["", "{", "[]", "{}", '{"fingerprint": 3}'])
def test_facts_that_are_none_are_named(toy, tmp_path, facts):
    toy.run_toy(tmp_path / "run", 3)
    (tmp_path / "run" / f"step-{3:012d}" / "state.json").write_text(facts)
    with pytest.raises(FormatError, match=r"step-000000000003 cannot be read.*delete it"):
        toy.run_toy(tmp_path / "run", 5)


def test_a_checkpoint_of_other_players_is_refused(toy, tmp_path):
    toy.run_toy(tmp_path / "run", 3)
    with pytest.raises(FormatError, match=r"does not fit these players.*name another folder") as caught:
        list(toy.start(toy.network(width=9), tmp_path / "run", 5))
    assert "\n" not in str(caught.value)
