"""The network that tells words beside a picture."""

import torch

from pushforward.text_image.network import Reading
from pushforward.training.randomness import scope


def test_features_as_large_as_they_may_grow_leave_what_is_told_finite():
    """Blocks multiply what they are told of the whole: without norms, single precision overflows."""
    with scope(0):
        network = Reading((3, 8, 8), 5, 7, width=16, layers=3).eval()
        for block in network.blocks:
            torch.nn.init.normal_(block.back.weight)
        tokens, views = torch.randint(7, (4, 5)), torch.randn(4, 4, 8, 8)
    told = []
    for scale in (1.0, 1e9):
        with torch.no_grad():
            network.found.weight *= scale
            network.gather[0].weight *= scale
        with torch.autocast("cpu", torch.bfloat16):
            told.append(network.of_token(network(views, tokens)).float())
    assert told[1].isfinite().all() and told[1].abs().max() < 100 * told[0].abs().max()
