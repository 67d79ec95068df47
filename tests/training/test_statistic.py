"""Statistics that add, and the climb that uses them."""

import signal
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from pushforward.errors import DivergedError
from pushforward.training.checkpoint import Checkpoints
from pushforward.training.display import Interrupted, drain
from pushforward.training.place import Place
from pushforward.training.run import Run
from pushforward.training.statistic import Estimate, Statistic, climb, total


@dataclass(frozen=True)
class Sums(Statistic):
    first: Tensor
    second: Tensor


def sums(x):
    return Sums(x.sum(0), x.T @ x)


RUN = Run(device="cpu")
X = torch.randn(60, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("sizes", [[60], [10, 50], [1, 2, 57], [20, 20, 20]])
def test_the_sum_over_chunks_is_the_statistic_of_the_whole(sizes):
    whole = total((sums(piece) for piece in X.split(sizes)), Place(RUN))
    torch.testing.assert_close(whole.first, X.sum(0))
    torch.testing.assert_close(whole.second, X.T @ X)


def test_adding_leaves_the_parts_as_they_were():
    one, two = sums(X[:10]), sums(X[10:])
    before = one.first.clone()
    assert isinstance(one + two, Sums)
    assert torch.equal(one.first, before)


def newton(parameters):
    """One step towards the square root of 2; the score is minus the error."""
    x = parameters["x"]
    return Estimate({"x": (x + 2 / x) / 2}, -abs(float(x) ** 2 - 2))


def climbed(run, folder=None, tolerance=1e-9, most=100):
    kept = Checkpoints(folder, {}) if folder else None
    start = {"x": torch.tensor(1.0, dtype=torch.float64)}
    return climb(start, newton, run, Place(run), tolerance=tolerance, most=most, checkpoints=kept)


def test_it_climbs_until_the_score_no_longer_rises():
    seen = list(climbed(RUN))
    assert seen[-1][1]["x"].item() == pytest.approx(2**0.5, rel=1e-9)
    scores = [p.losses["nats"] for p, _ in seen]
    assert scores == sorted(scores) and len(seen) < 10
    assert [p.step for p, _ in seen] == list(range(1, len(seen) + 1))


def test_a_budget_of_steps_is_exact_and_a_cap_holds_without_one():
    assert len(list(climbed(Run(steps=3, device="cpu")))) == 3
    assert len(list(climbed(Run(steps=20, device="cpu")))) == 20, "steps are steps, converged or not"
    assert len(list(climbed(RUN, tolerance=-1.0, most=7))) == 7


def test_time_left_is_that_of_the_first_bound():
    steady = [p for p, _ in climbed(Run(steps=4, minutes=10, device="cpu"))]
    assert [p.remaining for p in steady] == pytest.approx([p.elapsed / p.step * (4 - p.step) for p in steady])
    assert all(0 <= p.remaining <= 600 for p, _ in climbed(Run(minutes=10, device="cpu")))
    assert next(climbed(RUN))[0].remaining is None


def test_a_closed_climb_goes_on_where_it_was(tmp_path):
    run = Run(steps=5, device="cpu")
    first = climbed(run, tmp_path / "run")
    next(first), next(first)
    first.close()
    rest = list(climbed(run, tmp_path / "run"))
    assert [p.step for p, _ in rest] == [3, 4, 5]
    assert torch.equal(rest[-1][1]["x"], list(climbed(run))[-1][1]["x"])


def test_control_c_keeps_the_last_parameters(tmp_path):
    def watched():
        for progress, _ in climbed(Run(steps=5, device="cpu"), tmp_path / "run"):
            if progress.step == 2:
                signal.raise_signal(signal.SIGINT)
            yield progress

    with pytest.raises(Interrupted):
        drain(watched())
    assert (tmp_path / "run" / f"step-{2:012d}").is_dir()


def test_a_finished_climb_says_so_at_once(tmp_path):
    run = Run(steps=4, device="cpu")
    last = list(climbed(run, tmp_path / "run"))[-1]
    ((progress, parameters),) = climbed(run, tmp_path / "run")
    assert progress.step == 4 and progress.remaining == 0 and torch.equal(parameters["x"], last[1]["x"])


def test_a_score_that_is_not_finite_stops_it():
    def broken(parameters):
        return Estimate(parameters, float("nan"))

    with pytest.raises(DivergedError, match="nan at step 1"):
        list(climb({}, broken, RUN, Place(RUN), tolerance=0, most=5))
