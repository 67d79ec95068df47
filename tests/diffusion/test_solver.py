"""The solver: its order, its error, and that no record knows of another."""

from __future__ import annotations

import math

import numpy as np
import torch

from pushforward.diffusion.solver import solve


def swing(y, t, rows):
    """A harmonic oscillator, faster where the third number says so."""
    return torch.stack([y[:, 2] * y[:, 1], -y[:, 2] * y[:, 0], 0 * y[:, 2]], 1)


def start(n=6):
    return torch.stack([torch.ones(n), torch.zeros(n), torch.linspace(0.5, 12, n)], 1).double()


def test_the_error_is_near_what_was_allowed():
    y, _ = solve(swing, start(), 0.0, 1.0, tolerance=1e-8)
    assert float((y[:, 0] - y[:, 2].cos()).abs().max()) < 1e-6


def test_a_tighter_tolerance_costs_as_a_fifth_order_method_does():
    error, cost = [], []
    for tolerance in (1e-4, 1e-8):
        y, taken = solve(swing, start(), 0.0, 1.0, tolerance=tolerance)
        error.append(float((y[:, 0] - y[:, 2].cos()).abs()[-1]))
        cost.append(int(taken[-1]))
    # 10⁴ times the accuracy for 10^(4/5) = 6.3 times the steps
    assert error[1] < 1e-2 * error[0] and cost[1] < 10 * cost[0]


def test_there_and_back():
    y, _ = solve(swing, start(), 0.0, 2.0, tolerance=1e-9)
    back, _ = solve(swing, y, 2.0, 0.0, tolerance=1e-9)
    assert torch.allclose(back, start(), atol=1e-6)


def test_a_record_ends_in_the_same_place_in_any_company():
    whole, _ = solve(swing, start(), 0.0, 1.0, tolerance=1e-5)
    for i in range(len(whole)):
        alone, _ = solve(swing, start()[i : i + 1], 0.0, 1.0, tolerance=1e-5)
        assert torch.allclose(alone[0], whole[i], atol=1e-12)


def test_slow_records_take_few_steps():
    _, taken = solve(swing, start(), 0.0, 1.0, tolerance=1e-6)
    assert taken[0] < taken[-1] and int(taken.min()) >= 2


def test_a_time_that_matters():
    y, _ = solve(lambda y, t, rows: t[:, None] ** 3 + 0 * y, torch.zeros(2, 1).double(), 0.0, 2.0, tolerance=1e-10)
    assert math.isclose(float(y[0, 0]), 4.0, rel_tol=1e-8)


def test_no_record_goes_past_the_end():
    """Ends that are no round numbers, in half the digits: what is left over by rounding once led records astray."""
    for end in np.linspace(0.0021, 0.0039, 37):
        y = torch.linspace(0.5, 2, 64)[:, None]
        seen = []
        slope = lambda y, t, rows: (seen.append(float(t.min())), -y * (1 + 5 * t[:, None]))[1]  # noqa: B023, E731
        solve(slope, y, 0.996, float(end), tolerance=1e-5)
        assert min(seen) >= float(torch.tensor(end, dtype=torch.float32)) - 1e-7
