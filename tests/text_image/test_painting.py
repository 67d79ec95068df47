"""Points that stand for pictures: pixels, or codes of a VQ; what they look like, and what of them is known."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.pixels import from_pixels
from pushforward.diffusion.schedule import schedule
from pushforward.text_image.painting import Painting

WORDS = ["left", "right"]
WORKS = {
    "pixels": lambda: pf.Diffusion(width=8, layers=1),
    "codes": lambda: pf.Latent("vq:codes=64,stages=1,width=16", prior="diffusion:width=8,layers=1"),
}


def stripes(n=200, seed=0):
    """8×8 pictures of a bright half, left or right, with some noise."""
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 2, n).astype(bool)
    pixels = rng.integers(0, 40, (n, 8, 8))
    pixels[left, :, :4] += 180
    pixels[~left, :, 4:] += 180
    return pf.read({"image": pixels.astype(np.uint8), "caption": np.where(left, *WORDS)}, text=["caption"])


@pytest.fixture(scope="module", params=WORKS)
def painting(request):
    return Painting(WORKS[request.param]().fit(stripes(), given="caption", steps=300, seed=0, device="cpu"))


def sides(records):
    pixels = records.to_numpy()["image"].astype(float)
    return np.where(pixels[:, :, :4].mean((1, 2)) > pixels[:, :, 4:].mean((1, 2)), *WORDS)


def test_points_are_what_the_diffusion_learned_from(painting):
    data = stripes(50, seed=1)
    points, model = painting.of(data), painting.diffusion
    learned, near = data, 0.0
    if painting.coder is not None:
        codes, source = torch.from_numpy(painting.model.encode(data)), torch.Generator().manual_seed(0)
        learned, _ = painting.model._beside(codes, data.select(["caption"]), painting.model._codes, source)
        # each is somewhere in the middle half of a stretch of at most 2 / 4, of which points are the middle
        near = float((1 / 8 + 1 / 127.5) / model.network.flat.levels.scale.min())
    (tensors,) = model._blocks(learned)
    assert points.shape == (50, painting.size)
    torch.testing.assert_close(points, model._flat(tensors)[0], atol=near, rtol=0)


def test_pictures_come_back(painting):
    data = stripes(50, seed=1)
    back = painting.records(painting.of(data)).to_numpy()["image"]
    want = data if painting.coder is None else painting.model.reconstruct(data)
    assert (back == want.to_numpy()["image"]).all()


def test_slopes_pass_through_points(painting):
    x = from_pixels(torch.from_numpy(stripes(2).to_numpy()["image"][..., None].copy())).requires_grad_()
    (slope,) = torch.autograd.grad(painting.points(x).square().sum(), x)
    assert slope.abs().sum() > 0 and slope.isfinite().all()


def test_points_are_led_by_what_is_told_and_by_nothing_else(painting):
    source, sigmas = torch.Generator().manual_seed(0), schedule(18, torch.device("cpu"))
    told = stripes(40, seed=2)
    noise = painting.noise(40, sigmas[0], source)
    with torch.no_grad():
        drawn = painting.refined(painting.denoiser(told, 40), noise, sigmas, source)
        assert np.mean(sides(painting.records(drawn)) == told.to_numpy()["caption"]) > 0.9
        one, other = (
            painting.denoiser(r, 40, guidance)(noise, sigmas[0])
            for r, guidance in ((told.select(["image"]), 1.0), (stripes(40, seed=3).select(["image"]), 3.0))
        )
    assert torch.equal(one, other)  # a picture tells nothing, and where nothing is told nothing leads


@pytest.mark.parametrize("named", [True, False])
def test_what_is_known_of_a_picture_stays_and_the_rest_belongs_to_it(painting, named):
    data, rows = stripes(40, seed=4), torch.zeros(40, 1, 8, 8, dtype=torch.bool)
    rows[:, :, 4:] = True
    told = data if named else data.select(["image"])
    sigmas, source = schedule(18, torch.device("cpu")), torch.Generator().manual_seed(0)
    with torch.no_grad():
        out = painting.completed(told, rows, sigmas, source)
    before, after = (r.to_numpy()["image"] for r in (data, out))
    assert (before[:, :4] == after[:, :4]).all() and (before[:, 4:] != after[:, 4:]).any()
    below = pf.read({"image": after[:, 4:].repeat(2, 1)})
    assert np.mean(sides(below) == data.to_numpy()["caption"]) > 0.9


def test_behind_noise_there_may_be_many_pictures():
    """Of data N(0, 1) seen at σ = 1, what is behind x is N(x / 2, 1 / 2)."""
    sigmas, source = torch.cat([torch.logspace(0, -3, 200), torch.zeros(1)]), torch.Generator().manual_seed(0)
    x = torch.full((4000, 1), 1.2)

    def denoiser(x, sigma):
        return x / (1 + sigma.reshape(-1, 1) ** 2)

    drawn, other = (way(denoiser, x, sigmas, source) for way in (Painting.behind, Painting.refined))
    assert abs(drawn.mean() - 0.6) < 4 * (0.5 / 4000) ** 0.5 and abs(drawn.var() - 0.5) < 0.05
    assert other.std() < 1e-6  # the twin to be caught
