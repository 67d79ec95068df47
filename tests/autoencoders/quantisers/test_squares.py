"""Codes as small pictures, and back."""

import pytest
import torch

from pushforward.autoencoders.quantisers.fsq import FSQ
from pushforward.autoencoders.quantisers.squares import digits, painted, shades
from pushforward.data.encodings.pixels import from_pixels, to_pixels

LEVELS = [(8, 6, 5), (2, 3, 4, 7), (5,), (100,)]


@pytest.mark.parametrize("levels", LEVELS)
def test_all_codes_come_back_from_pixels_of_eight_bits(levels):
    quantiser = FSQ(levels)
    codes = torch.arange(quantiser.size).repeat(2)[: 2 * (quantiser.size // 2)].view(-1, 2)
    x = shades(quantiser.digits(quantiser.values(codes)), levels, (1, 2))
    assert x.shape == (len(codes), len(levels), 1, 2) and (x.abs() < 1).all()
    again = digits(from_pixels(to_pixels(x)), levels)
    assert torch.equal(quantiser.codes(again - quantiser.middle), codes)


def test_levels_stand_evenly_and_what_is_beyond_is_the_last():
    x = shades(torch.arange(4.0).view(4, 1, 1), (4,), (1, 1)).flatten()
    assert x.tolist() == [-0.75, -0.25, 0.25, 0.75]
    far = torch.tensor([-3.0, -1.0, -0.51, -0.49, 0.99, 1.0, 3.0]).view(-1, 1, 1, 1)
    assert digits(far, (4,)).flatten().tolist() == [0, 0, 0, 1, 3, 3, 3]


def test_cells_lie_row_by_row_and_slopes_pass():
    values = torch.arange(6.0).view(1, 6, 1).requires_grad_()
    x = shades(values, (6,), (2, 3))
    assert torch.equal(digits(x, (6,)).flatten(), torch.arange(6)) and (x[0, 0].diff(dim=1) > 0).all()
    assert torch.autograd.grad(x.sum(), values)[0].allclose(torch.tensor(2 / 6))


@pytest.mark.parametrize("levels", LEVELS)
def test_painted_pictures_mean_their_codes(levels):
    quantiser = FSQ(levels)
    known = quantiser.digits(quantiser.values(torch.arange(quantiser.size)[:, None].repeat(40, 1))).round().long()
    pixels, _ = painted(known, levels, (1, 1), torch.Generator().manual_seed(0))
    assert torch.equal(digits(from_pixels(pixels), levels), known)
    middle = shades(known.float(), levels, (1, 1)).flatten(1)
    apart = (from_pixels(pixels).flatten(1) - middle).abs()
    assert (apart <= 0.5 / torch.tensor(levels)).all() and (apart > 0).any()


def test_pictures_of_a_code_are_counted():
    """Σ p(picture) over the pictures of a code is its probability: where they are alike, so many times one of them."""
    known = torch.tensor([[[0, 0]], [[1, 2]]])
    _, many = painted(known, (2, 3), (1, 1), torch.Generator())
    stretches = [((0, 2), (0, 3)), ((1, 2), (2, 3))]  # the i-th of n
    near = [[abs(v - (i + 0.5) / n * 255) <= 0.05 / n * 255 for v in range(256)] for s in stretches for i, n in s]
    counts = torch.tensor(near).sum(1).view(2, 2)
    assert torch.allclose(many.exp(), counts.prod(1).double())
