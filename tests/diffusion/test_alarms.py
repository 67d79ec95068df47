"""What a person is told of a denoiser that has learned nothing, or by heart."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.diffusion import matching
from pushforward.diffusion.paths import PATHS
from pushforward.errors import CollapsedWarning, CopiedWarning


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("louder", [1.0, 2.5])
def test_silence_is_the_loss_of_a_network_that_gives_0(name, louder):
    path, source = PATHS[name](), torch.Generator().manual_seed(0)
    y = torch.randn(20_000, 8, generator=source)

    def silent(x, sigma):
        return path.denoised(x, sigma, lambda inner, level: torch.zeros_like(inner))

    found, _ = matching.losses(silent, path, y, source, louder)
    assert path.silence(louder) == pytest.approx(float(found.mean()), rel=0.03)


def test_noise_is_not_drawn_without_an_alarm():
    with pytest.warns(CollapsedWarning, match=r"draws are noise.*1\.\d\d times as badly.*longer run"):
        model = pf.Diffusion(width=16, lr=1e-9).fit("moons", steps=5, seed=0)
    assert model.measurements["error"] >= 1


def test_what_is_learned_is_below_silence_and_rings_no_alarm():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = pf.Diffusion(width=32).fit("moons", steps=300, seed=0)
    assert model.measurements["error"] < 0.9


def test_pictures_learned_by_heart_are_told():
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 8)).astype(np.uint8)
    with pytest.warns(CopiedWarning, match=r"% of draws are nearer"):
        pf.Diffusion(width=8, layers=1).fit({"image": pixels}, steps=500, seed=0)
