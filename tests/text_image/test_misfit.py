"""How badly a picture fits words, against the denoiser of Gaussians, whose misfit is known."""

from types import SimpleNamespace

import pytest
import torch

import pushforward as pf
from pushforward.text_image.misfit import HIGH, LEVELS, LOW, misfit
from pushforward.text_image.telling import BLOCK

DIM, WIDTH = 3072, 0.5  # numbers of a 32×32 picture in colour
MIDDLES = {"a": -0.1, "b": 0.0, "c": 0.1}


def told(words):
    return pf.read({"caption": words}, text=["caption"])


def gaussians(knows=True):
    """A model of N(μ, WIDTH²) in DIM numbers, where μ is what is told; or of which it makes nothing."""

    def denoiser(given, n):
        middles = torch.tensor([MIDDLES[word] if knows else 0.0 for word in given.column("caption").to_pylist()])
        assert len(middles) == n
        return lambda y, s: (WIDTH**2 * y + (s**2 * middles)[:, None]) / (WIDTH**2 + s**2)[:, None]

    return SimpleNamespace(size=DIM, denoiser=denoiser)


def draws(words, seed=0):
    middles = torch.tensor([MIDDLES[word] for word in words])
    return middles[:, None] + WIDTH * torch.randn(len(words), DIM, generator=torch.Generator().manual_seed(seed))


def test_the_words_that_a_picture_was_drawn_from_fit_best():
    words = list(MIDDLES) * 20
    x = draws(words)
    left = torch.stack([misfit(gaussians(), x, told([word] * len(words))) for word in MIDDLES])
    assert [list(MIDDLES)[i] for i in left.argmin(0)] == words
    blind = torch.stack([misfit(gaussians(knows=False), x, told([word] * len(words))) for word in MIDDLES])
    assert (blind == blind[0]).all()


@pytest.mark.parametrize("word", MIDDLES)
def test_it_is_what_the_denoiser_of_gaussians_leaves(word):
    """E|D - x|² = DIM WIDTH² σ² / (WIDTH² + σ²) where the words are right, and σ⁴ |μ - μ'|² / (WIDTH² + σ²)² more."""
    sigmas = torch.logspace(*torch.tensor([LOW, HIGH]).log10().tolist(), LEVELS)
    apart = DIM * (MIDDLES[word] - MIDDLES["a"]) ** 2
    own = DIM * WIDTH**2 * sigmas**2 / (WIDTH**2 + sigmas**2)
    more = sigmas**4 * apart / (WIDTH**2 + sigmas**2) ** 2
    left = misfit(gaussians(), draws(["a"] * 50), told([word] * 50)).mean()
    assert left.item() == pytest.approx(((own + more) / sigmas).sum().item(), rel=0.05)


def test_no_record_depends_on_its_company():
    words = list(MIDDLES) * (BLOCK // 2)
    together = misfit(gaussians(), draws(words), told(words))
    torch.testing.assert_close(together[-3:], misfit(gaussians(), draws(words)[-3:], told(words[-3:])))
