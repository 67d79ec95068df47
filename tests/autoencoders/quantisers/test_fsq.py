"""Finite scalar quantisation: whole codebooks counted through, and gradients as if nothing were rounded."""

import math

import pytest
import torch

from pushforward.autoencoders.quantisers.fsq import FSQ, SLACK, TABLE, levels_of


@pytest.mark.parametrize("levels", [(2,), (3,), (2, 2, 3), (8, 6, 5), (8, 5, 5, 5), (7, 5, 5, 5, 5)])
def test_codes_and_vectors_are_one_to_one(levels):
    quantiser = FSQ(levels)
    codes = torch.arange(quantiser.size)
    vectors = quantiser.values(codes)
    assert quantiser.size == math.prod(levels)
    assert len(vectors.unique(dim=0)) == quantiser.size
    assert vectors.min() >= -1 and vectors.max() <= 1
    back = quantiser.codes(vectors * quantiser.middle)
    assert torch.equal(back, codes)


@pytest.mark.parametrize("levels", [(2,), (3,), (4,), (5,), (8,)])
def test_every_level_is_reached_and_none_beyond(levels):
    found = FSQ(levels)(torch.linspace(-50, 50, 5001)[:, None, None])
    assert found.codes.unique().tolist() == list(range(levels[0]))
    assert torch.equal(found.values, FSQ(levels).values(found.codes))


def test_zero_stays_zero():
    quantiser = FSQ((8, 6, 5, 4, 3))
    assert torch.allclose(quantiser.bound(torch.zeros(5)), torch.zeros(5), atol=1e-6)
    assert torch.equal(quantiser(torch.zeros(1, 1, 5)).values, torch.zeros(1, 1, 5))


def test_the_gradient_is_that_of_the_bound():
    quantiser = FSQ((8, 5))
    z = torch.randn(7, 3, 2, requires_grad=True, generator=torch.Generator().manual_seed(0))
    quantiser(z).values.sum().backward()
    half = torch.tensor([7 * (1 + SLACK) / 2, 4 * (1 + SLACK) / 2])
    shift = torch.tensor([math.atanh(0.5 / half[0]), 0.0])
    expected = half * (1 - torch.tanh(z.detach() + shift) ** 2) / torch.tensor([4.0, 2.0])
    assert torch.allclose(z.grad, expected, atol=1e-6)


def test_vectors_of_the_codebook_are_near_what_is_brought_to_them():
    quantiser = FSQ((8, 6, 5))
    z = torch.randn(100, 4, 3, generator=torch.Generator().manual_seed(0))
    away = (quantiser(z).values * quantiser.middle - quantiser.bound(z)).abs()
    assert away.max() <= 0.5 + 1e-5


@pytest.mark.parametrize("codes", [*TABLE, 2, 3, 8, 16, 24, 25, 30, 100, 500, 2000, 30_000])
def test_levels_are_those_of_the_paper_or_near(codes):
    levels = levels_of(codes)
    assert abs(math.log(math.prod(levels) / codes)) < 0.07
    assert levels == TABLE.get(codes, levels)
    assert min(levels) >= (5 if codes >= 200 else 4 if codes >= 25 else 2) and max(levels) <= 8
