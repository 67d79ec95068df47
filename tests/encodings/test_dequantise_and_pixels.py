"""Noise on the grid, and pixels on the line."""

import math

import pytest
import torch
from torch.distributions import Normal

from pushforward.data import Image, Schema
from pushforward.data.encodings.dequantise import dequantise
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.pixels import from_pixels, stretch, to_pixels
from pushforward.training.randomness import generator

N = 40_000


def test_noise_stays_within_the_cell_and_is_even():
    grid = torch.tensor([1.0, 0.25, 0.0], dtype=torch.float64)
    x = torch.zeros(N, 3, dtype=torch.float64)
    noise = dequantise(x, grid, generator(0)) / torch.where(grid > 0, grid, 1)
    assert noise[:, :2].min() >= -0.5 and noise[:, :2].max() < 0.5
    assert (noise[:, 2] == 0).all()
    assert (noise[:, :2].mean(0).abs() < 5 * math.sqrt(1 / 12 / N)).all()  # 5 sigma, n = 40,000
    assert (noise[:, :2].var(0) - 1 / 12).abs().max() < 5 * math.sqrt(1 / 180 / N)


def test_without_a_generator_nothing_moves():
    x = torch.randn(5, 2, generator=generator(0))
    assert torch.equal(dequantise(x, torch.ones(2)), x)


def test_holes_stay_holes():
    assert dequantise(torch.full((2, 1), torch.nan), torch.ones(1), generator(0)).isnan().all()


@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_the_dequantised_density_bounds_the_probability_of_the_cell(scale):
    normal, grid = Normal(0.3, scale), torch.tensor([0.5], dtype=torch.float64)
    reach = int(5 * scale / 0.5) + 1
    cells = torch.arange(-reach, reach + 1, dtype=torch.float64)[:, None] * grid
    noisy = dequantise(cells.repeat(4000, 1), grid, generator(1)).view(4000, -1)
    bound = normal.log_prob(noisy).mean(0) + grid.log()
    exact = (normal.cdf(cells + grid / 2) - normal.cdf(cells - grid / 2)).log()[:, 0]
    sigma = normal.log_prob(noisy).std(0) / 4000**0.5
    assert (bound <= exact + 5 * sigma).all()
    if scale == 5.0:  # tight where the grid is fine: the mean gap is about grid² / (24 scale²)
        assert (exact.exp() @ (exact - bound)) < 0.25 / 24 / 25 + 5 * sigma.max()


def test_pixels_come_back_with_noise_and_without():
    pixels = torch.arange(256, dtype=torch.uint8).view(4, 4, 4, 4)[..., :3]
    for noise in (None, generator(0)):
        x = from_pixels(pixels, noise)
        assert x.shape == (4, 3, 4, 4) and x.abs().max() <= 1 + 1 / 255
        assert torch.equal(to_pixels(x), pixels)


@pytest.mark.parametrize("noise", [None, generator(0)])
def test_a_gap_sets_black_and_white_apart_and_is_undone(noise):
    pixels = torch.arange(256, dtype=torch.uint8).view(4, 8, 8, 1)
    pixels[0, 0] = 0
    flat = FlatEncoding(Schema([Image(name="image", channels=1, height=8, width=8)]), gap=0.5)
    batch = {"image": pixels, "codes": torch.zeros(4, 0), "numbers": torch.zeros(4, 0), "holes": torch.zeros(4, 0)}
    flat.prepare(batch, generator(0))
    x, _ = flat(batch, noise)
    picture, _ = flat.inverse(x)
    assert torch.equal(to_pixels(picture), pixels)
    levels = picture.flatten().sort().values.diff()
    assert levels.topk(2).values.min() > 0.5 and levels.topk(3).values[-1] < 0.02


def test_few_levels_stand_apart_without_a_gap():
    """Nothing is near black or white that could be taken for it."""
    schema = Schema([Image(name="image", channels=1, height=8, width=8)])
    few = torch.randint(0, 16, (4, 8, 8, 1), generator=generator(0)).mul(17).to(torch.uint8)
    batch = {"image": few, "codes": torch.zeros(4, 0), "numbers": torch.zeros(4, 0), "holes": torch.zeros(4, 0)}
    with_gap, without = FlatEncoding(schema, gap=0.5), FlatEncoding(schema)
    for flat in (with_gap, without):
        flat.prepare(batch, generator(0))
    assert torch.equal(with_gap(batch)[0], without(batch)[0])
    batch["image"][0, 0, 0] = 3  # one that is
    with_gap.prepare(batch, generator(0))
    assert not torch.equal(with_gap(batch)[0], without(batch)[0])


def test_pixels_out_of_range_are_cut():
    assert to_pixels(torch.tensor([-9.0, 9.0]).view(1, 2, 1, 1)).flatten().tolist() == [0, 255]


def test_the_stretch_is_that_of_automatic_differentiation():
    def scaled(x):
        return x / 127.5 - 1

    x = torch.rand(12, generator=generator(0), dtype=torch.float64) * 255
    jacobian = torch.func.jacrev(scaled)(x)
    pixels = x.round().to(torch.uint8).view(1, 2, 2, 3)
    torch.testing.assert_close(
        from_pixels(pixels).permute(0, 2, 3, 1).flatten().double(), scaled(x.round()), atol=1e-6, rtol=0
    )
    assert stretch(12) == pytest.approx(torch.linalg.slogdet(jacobian).logabsdet.item(), rel=1e-9)
