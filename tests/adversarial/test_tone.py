"""Grey levels of draws are put on those of the data, and nothing else is changed."""

from __future__ import annotations

import numpy as np
import torch

import pushforward as pf
from pushforward.adversarial.tone import tone_curve, toned


def pictures(seed=0, n=200, channels=2):
    rng = np.random.default_rng(seed)
    levels = np.where(rng.random((n, 8, 8, channels)) < 0.7, 0, rng.integers(1, 256, (n, 8, 8, channels)))
    return torch.from_numpy(levels.astype(np.uint8))


def test_levels_that_were_shifted_come_back():
    real = pictures()
    dull = (real.float() * 0.8 + 20).round().to(torch.uint8)  # an increasing map, so that it can be undone
    found = toned(dull, tone_curve(dull, real))
    assert (found.int() - real.int()).abs().max() <= 1  # two levels may have become one


def test_black_that_is_not_quite_black_becomes_black():
    real = pictures()
    noisy = real + (real == 0) * torch.randint(0, 9, real.shape, generator=torch.Generator().manual_seed(0)).to(real)
    share = float((toned(noisy, tone_curve(noisy, real)) == 0).float().mean())
    assert abs(share - 0.7) < 0.02 and float((noisy == 0).float().mean()) < 0.1


def test_curves_rise_and_channels_have_their_own():
    real, other = pictures(), pictures(1)
    other[..., 1] //= 2
    curve = tone_curve(other, real)
    assert (curve.int().diff(dim=1) >= 0).all()
    assert curve[1, 100] > 190 and abs(int(curve[0, 100]) - 100) < 10


def test_draws_have_the_levels_of_the_data():
    rng = np.random.default_rng(0)
    shade = rng.integers(0, 2, (300, 8, 1)) * rng.integers(100, 256, (300, 1, 8))
    data = pf.read({"image": np.broadcast_to(shade, (300, 8, 8)).astype(np.uint8)})
    model = pf.GAN(width=8, gamma=0.1).fit(data, steps=150, seed=0)
    ours, real = (r.to_numpy()["image"].ravel() for r in (model.sample(300, seed=1), data))
    levels = np.arange(256)
    gap = np.abs((ours[:, None] <= levels).mean(0) - (real[:, None] <= levels).mean(0)).max()
    assert gap < 0.1
