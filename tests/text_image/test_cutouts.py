"""Pictures moved and covered: within bounds, never mirrored, with slopes, a function of the generator."""

import torch

from pushforward.text_image.cutouts import covered, moved


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_is_mirrored():
    x = torch.full((200, 1, 16, 16), -1.0)
    x[:, :, :, 2:5] = 1.0  # a bar on the left
    out = moved(x, 0.2, seeded())
    middle = (out.clamp(-1, 1) + 1).sum((1, 2)) @ torch.arange(16.0) / (out.clamp(-1, 1) + 1).sum((1, 2, 3))
    assert (middle < 7.5).all()


def test_pictures_stay_within_their_range():
    x = 2 * torch.rand(50, 3, 8, 8, generator=seeded()) - 1
    out = moved(x, 0.3, seeded(1))
    assert out.min() >= -1 - 1e-5 and out.max() <= 1 + 1e-5


def test_slopes_go_through():
    x = torch.rand(4, 3, 8, 8, requires_grad=True)
    covered(moved(x, 0.1, seeded()), seeded(), share=0.0).sum().backward()
    assert (x.grad.abs().sum((1, 2, 3)) > 0).all()


def test_the_same_seed_moves_alike_and_pictures_move_apart():
    x = torch.rand(1, 1, 8, 8).expand(6, -1, -1, -1)
    assert torch.equal(moved(x, 0.1, seeded()), moved(x, 0.1, seeded()))
    out = moved(x, 0.1, seeded())
    assert (out[0] - out[1]).abs().max() > 1e-3


def test_about_the_share_is_covered_by_grey_and_the_rest_is_as_it_was():
    x = torch.ones(2000, 1, 16, 16)
    out = covered(x, seeded(), share=0.25)
    touched = (out == 0).flatten(1).any(1)
    # a hole narrower than a pixel may cover none: 0.25 (1 - 2/8 + 1/64) and five deviations
    assert 0.25 * 0.7 < touched.float().mean() < 0.25 + 5 * (0.25 * 0.75 / 2000) ** 0.5
    assert set(out.unique().tolist()) == {0.0, 1.0} and torch.equal(covered(x, seeded(), share=0.0), x)
    assert (out == 0).flatten(1).float().mean(1).max() <= 0.25 + 1e-6  # of a picture, at most half by half
