"""The averaged weights."""

import numpy as np
import pytest
import torch
from torch import nn

from pushforward.training.average import EVERY, Average, power_of


@pytest.mark.parametrize("deviation", [0.05, 0.1, 0.25])
def test_the_window_is_as_wide_as_said(deviation):
    power = power_of(deviation)
    t = (np.arange(400_000) + 0.5) / 400_000
    weight = t**power / (t**power).sum()
    mean = weight @ t
    assert np.sqrt(weight @ (t - mean) ** 2) == pytest.approx(deviation, rel=1e-4)


def test_the_running_average_is_the_closed_form():
    module = nn.Linear(2, 2, bias=False).double()
    average, steps, power = Average(module, 0.1), 40, power_of(0.1) + 1
    path = []
    generator = torch.Generator().manual_seed(0)
    for step in range(1, steps + 1):
        with torch.no_grad():
            module.weight.copy_(torch.randn(2, 2, generator=generator, dtype=torch.float64))
        path.append(module.weight.detach().clone())
        average.update(step)
    shares = torch.tensor(np.diff((np.arange(steps + 1) / steps) ** power))
    torch.testing.assert_close(average.values[0], torch.einsum("t,tij->ij", shares, torch.stack(path)))


def test_taking_in_one_step_of_four_gives_each_the_weight_of_all_four():
    module = nn.Linear(1, 1, bias=False).double()
    average, steps, power = Average(module, 0.1), 1000, power_of(0.1) + 1
    path = []
    for step in range(1, steps + 1):
        with torch.no_grad():
            module.weight.fill_(np.sin(step / 50) + step / 500)
        path.append(module.weight.item())
        average.update(step)
    shares = np.diff((np.arange(steps + 1) / steps) ** power)
    held = [path[min(steps, -(-(i + 1) // 4) * 4) - 1] if i >= EVERY else path[i] for i in range(steps)]
    assert average.values[0].item() == pytest.approx(shares @ held, rel=1e-9)
    assert average.values[0].item() == pytest.approx(shares @ path, abs=0.03)


def test_after_the_first_step_it_is_the_weights_themselves():
    module = nn.Linear(2, 2)
    average = Average(module, 0.1)
    with torch.no_grad():
        module.weight.add_(1)
    average.update(1)
    assert torch.equal(average.values[0], module.weight)


def test_in_place_swaps_and_swaps_back_also_after_an_error():
    module = nn.Linear(2, 2)
    average = Average(module, 0.1)
    live = module.weight.detach().clone()
    average.values[0] = average.values[0] + 1
    with pytest.raises(KeyError), average.in_place():
        assert torch.equal(module.weight, live + 1)
        raise KeyError
    assert torch.equal(module.weight, live) and torch.equal(average.values[0], live + 1)
