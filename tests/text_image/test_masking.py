"""Masked diffusion of words, held to a table of all pairs: what is exact there comes out of draws and bounds."""

import itertools
import math

import pytest
import torch

from pushforward.text_image.drawing import Drawing, certain
from pushforward.text_image.masking import BLIND, hidden, log_bound, planned, shown, spread
from pushforward.text_image.network import Reading
from pushforward.text_image.words import MASK

PICTURES, PLACES, SYMBOLS = 3, 3, 4  # kinds of pictures, PICTURES itself for none; tokens, 1 stands for a hidden one
TOKENS = (0, 2, 3)


class Table:
    """A network that is right: it knows p(picture, three tokens) and gives exact conditionals of each place."""

    def __init__(self, seed=0, sharp=1.5):
        states = list(itertools.product(range(PICTURES), *[TOKENS] * PLACES))
        generator = torch.Generator().manual_seed(seed)
        self.states = torch.tensor(states)
        self.p = (sharp * torch.randn(len(states), generator=generator).double()).softmax(0)

    def fits(self, seen, tokens):
        """(n, states) which states agree with what is known."""
        picture = (self.states[None, :, 0] == seen[:, None]) | (seen == PICTURES)[:, None]
        words = ((self.states[None, :, 1:] == tokens[:, None]) | (tokens == MASK)[:, None]).all(2)
        return picture & words

    def log_p(self, seen, tokens):
        """(n,) log probability of what is known."""
        return (self.fits(seen, tokens) * self.p).sum(1).log()

    def read(self, seen, tokens):
        fits = self.fits(seen, tokens) * self.p
        out = torch.zeros(len(seen), PLACES, SYMBOLS, dtype=torch.float64)
        for place, value in itertools.product(range(PLACES), range(SYMBOLS)):
            out[:, place, value] = (fits * (self.states[:, 1 + place] == value)).sum(1)
        return out.log()

    def of_token(self, features):
        return features


def drawn(table, picture, known=(MASK,) * PLACES, n=20_000, closed=(False,) * PLACES, able=None, **how):
    able = torch.ones(1, PLACES, SYMBOLS, dtype=torch.bool) if able is None else able
    tokens, seen = torch.tensor(known).repeat(n, 1), torch.full((n,), picture)
    return Drawing(table, **how).fill(seen, tokens, torch.tensor(closed), able, torch.Generator().manual_seed(1))


def apart(table, picture, known, draws):
    """The largest difference of shares from what the table says, in deviations."""
    p = table.p * table.fits(torch.tensor([picture]), torch.tensor([known]))[0]
    words, where = table.states[:, 1:].unique(dim=0, return_inverse=True)
    p = torch.zeros(len(words), dtype=torch.float64).index_add(0, where, p / p.sum())
    found = (draws[:, None] == words).all(2).double().mean(0)
    return float(((found - p).abs() / ((p * (1 - p) / len(draws)).sqrt() + 2e-5)).max())


@pytest.mark.parametrize("picture", [1, PICTURES])
@pytest.mark.parametrize("steps", [None, 2, 3])
def test_draws_follow_the_table_beside_a_picture_and_without(picture, steps):
    known = (MASK,) * PLACES
    far = apart(Table(), picture, known, drawn(Table(), picture, steps=steps))
    assert far < 5 if steps != 2 else far > 5  # three places in two steps: two of them are drawn at once


def test_places_that_are_drawn_at_once_do_not():
    table = Table(sharp=3)
    assert apart(table, PICTURES, (MASK,) * PLACES, drawn(table, PICTURES, slack=100.0)) > 5


def test_what_is_known_stays_and_the_rest_follows_from_it():
    draws = drawn(Table(), 2, known=(MASK, MASK, 3))
    assert (draws[:, 2] == 3).all() and apart(Table(), 2, (MASK, MASK, 3), draws) < 5


def test_closed_places_stay_hidden_and_unable_tokens_are_not_drawn():
    able = torch.ones(1, PLACES, SYMBOLS, dtype=torch.bool)
    able[0, 1, 2] = False
    draws = drawn(Table(), PICTURES, n=500, closed=(True, False, False), able=able, slack=1.0)
    assert (
        (draws[:, 0] == MASK).all() and set(draws[:, 1].tolist()) == {0, 3} and set(draws[:, 2].tolist()) == set(TOKENS)
    )


def test_the_bound_of_a_network_that_is_right_is_the_log_probability():
    table = Table()
    rows = table.states[[3, 40, 77]]
    seen, tokens, asked = rows[:, 0], rows[:, 1:], torch.ones(3, PLACES, dtype=torch.bool)
    each = torch.stack([
        log_bound(table, seen, tokens, asked, 2, torch.Generator().manual_seed(i)) for i in range(800)
    ])  # fmt: skip
    wanted = table.log_p(seen, tokens) - table.log_p(seen, torch.full_like(tokens, MASK))
    assert ((each.mean(0) - wanted).abs() <= 5 * each.std(0) / math.sqrt(len(each)) + 1e-9).all()


def test_what_is_not_asked_for_costs_nothing():
    row, nothing = Table().states[:1], torch.zeros(1, PLACES, dtype=torch.bool)
    assert log_bound(Table(), row[:, 0], row[:, 1:], nothing, 4, torch.Generator()).item() == 0


def test_how_many_are_hidden_is_uniform():
    generator, n = torch.Generator().manual_seed(0), 40_000
    able = torch.ones(n, 5, dtype=torch.bool)
    able[: n // 2, 3:] = False
    hide = hidden(able, spread(n, generator), generator)
    assert not (hide & ~able).any()
    for rows, k in ((hide[: n // 2], 3), (hide[n // 2 :], 5)):
        counts = torch.bincount(rows.sum(1), minlength=6)[1 : k + 1] / len(rows)
        assert ((counts - 1 / k).abs() < 5 / (2 * len(rows) ** 0.5)).all() and rows.sum(1).max() == k
        assert (rows.float().mean(0)[:k] - rows.float().mean() * 5 / k).abs().max() < 0.02  # no place is preferred
    assert not hidden(able, torch.zeros(n), generator).any()


def test_places_alike_are_the_same_in_all_rows():
    able = torch.ones(6, 8, dtype=torch.bool)
    hide = hidden(able, torch.full((6,), 0.4), torch.Generator().manual_seed(0), alike=True)
    assert (hide == hide[0]).all() and hide.sum(1).tolist() == [4] * 6


def test_the_surest_places_are_drawn_first_and_always_one():
    entropy = torch.tensor([[0.5, 0.1, 0.2, 0.0], [3.0, 2.0, 5.0, 1.0]])
    open_ = torch.tensor([[True, True, True, False], [True, False, True, False]])
    assert certain(entropy, open_, 0.0).tolist() == [[False, True, False, False], [True, False, False, False]]
    assert certain(entropy, open_, 0.15).tolist()[0] == [False, True, True, False]
    assert certain(entropy, open_, 99.0).tolist() == open_.tolist()


def test_plans_never_ask_for_conditions_and_ask_for_something_of_each():
    n, generator = 20_000, torch.Generator().manual_seed(0)
    owner = torch.tensor([0, 0, 0, 1, 2, 2])
    plan = planned(n, torch.tensor([True, False, True]), owner, 0.1, generator)
    assert not plan.asked[:, 3].any() and not (plan.asked & plan.untold).any() and plan.asked.any(1).all()
    assert abs(plan.untold[:, 3].float().mean() - 0.1) < 0.02  # a condition is left out as often as said
    assert not plan.untold[:, [0, 1, 2, 4, 5]].any()
    one = plan.asked[:, :3].any(1) & ~plan.asked[:, 4:].any(1)
    assert 0.2 < one.float().mean() < 0.4  # a field is asked for beside others that are known


def test_pictures_are_shown_as_they_are_in_part_or_not_at_all():
    n, generator = 20_000, torch.Generator().manual_seed(0)
    network = Reading((1, 4, 4), 2, 4, width=4, layers=1)
    network.mean.fill_(0.2)
    x, there = torch.full((n, 1, 4, 4), 0.7), torch.arange(n) < 15_000
    picture, known = shown(network, x, there, generator).unbind(1)
    known, seen = known > 0, known.flatten(1).any(1)
    assert not seen[~there].any() and (picture[~known] == 0).all()
    assert torch.allclose(picture[known], torch.tensor((0.7 - 0.2) / 0.5))
    assert abs(seen[there].float().mean() - (1 - BLIND)) < 0.02
    part = seen & ~known.flatten(1).all(1)
    assert 0.05 < part[there].float().mean() < 0.95


def test_what_is_not_known_of_a_picture_changes_nothing():
    network = Reading((3, 8, 8), 3, 5, width=8, layers=1).eval()
    one, other = torch.randn(2, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    known = torch.zeros(4, 1, 8, 8, dtype=torch.bool)
    views = [network.view(x, known) for x in (one, other)]
    assert torch.equal(views[0], views[1]) and torch.equal(views[0], network.blind(4))
