"""Texts that differ in one word, against all of them, one by one."""

import pytest
import torch

from pushforward.text_image.network import Reading
from pushforward.text_image.revising import revised
from pushforward.text_image.words import MASK
from pushforward.training.randomness import scope

LENGTH, SYMBOLS = 4, 6


@pytest.fixture
def network():
    with scope(0):
        network = Reading((3, 8, 8), LENGTH, SYMBOLS, width=16, layers=1).eval()
        for p in network.parameters():
            torch.nn.init.normal_(p, std=0.3)
    return network


@pytest.fixture
def case():
    """Tokens, places that may change, and what may stand there."""
    source = torch.Generator().manual_seed(0)
    able = torch.rand(3, LENGTH, SYMBOLS, generator=source) < 0.7
    able[..., MASK] = False
    open_ = torch.tensor([[1, 1, 0, 1], [1, 1, 1, 1], [0, 1, 0, 0]]).bool()
    return torch.randint(1, SYMBOLS, (3, LENGTH), generator=source), open_, able


def told(network, seen, tokens, place, symbol):
    """log p of a token at a place given the others."""
    hidden = tokens.clone()
    hidden[place] = MASK
    return network.of_token(network.read(seen[None], hidden[None])[0, place]).log_softmax(0)[symbol].item()


@torch.no_grad()
def test_they_are_the_likeliest_of_all(network, case):
    tokens, open_, able = case
    seen, blind = (
        network.see(torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(1))),
        network.see(network.blind(1)),
    )
    others, gain = revised(network, seen, tokens, open_, able, 5)
    for n in range(3):
        every = {}
        for place, symbol in able[n].nonzero().tolist():
            if open_[n, place] and tokens[n, place] != symbol:
                other = tokens[n].clone()
                other[place] = symbol
                more = told(network, blind[0], tokens[n], place, symbol)
                more -= told(network, blind[0], tokens[n], place, tokens[n, place])
                every[tuple(other.tolist())] = told(network, seen[n], tokens[n], place, symbol), more
        best = sorted(every, key=lambda other: -every[other][0])[:5]
        found = [tuple(other) for other in others[n].tolist()]
        assert found[: len(best)] == best
        assert gain[n, : len(best)].tolist() == pytest.approx([every[other][1] for other in best], abs=1e-5)
        assert all(other == tuple(tokens[n].tolist()) for other in found[len(best) :]), "where there are fewer"
        assert not gain[n, len(best) :].any()


@torch.no_grad()
def test_nothing_changes_where_nothing_may(network, case):
    tokens, open_, able = case
    others, gain = revised(network, network.see(network.blind(3)), tokens, open_ & False, able, 5)
    assert (others == tokens[:, None]).all() and not gain.any()
