"""Conditions that are not told in training: as often as was asked for, and often enough all at once."""

import numpy as np
import pytest
import torch

import pushforward as pf

N, ABSENT = 40_000, 0.2


@pytest.mark.parametrize("given", [["a"], ["a", "b", "c"]])
def test_conditions_are_dropped_one_by_one_and_together(given):
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal(20), **{name: ["u", "v"] * 10 for name in given}}
    model = pf.Diffusion(width=8, absent=ABSENT).fit(data, given=given, steps=1, seed=0, device="cpu")
    dropped = model._dropped({"x": torch.zeros(N)}, torch.Generator().manual_seed(0)).double()
    each = ABSENT if len(given) == 1 else 1 - (1 - ABSENT / 2) ** 2
    assert (dropped.mean(0) - each).abs().max() < 5 * (each / N) ** 0.5
    assert dropped.prod(1).mean() > ABSENT / 2 - 5 * (ABSENT / N) ** 0.5
    if len(given) > 1:
        assert ((dropped[:, 0] == 1) & (dropped[:, 1] == 0)).double().mean() > 0.05
