"""Masked diffusion, held to a table of all pairs: what is exact there has to come out of orders, draws and bounds."""

import itertools
import math

import pytest
import torch

from pushforward.text_image.drawing import Drawing, certain
from pushforward.text_image.masking import TO_PICTURE, TO_WORDS, hidden, log_bound, planned, spread
from pushforward.text_image.words import MASK

CODES, SYMBOLS = 3, 4  # numbers of a code; tokens, of which 1 stands for one that is hidden
TOKENS = (0, 2, 3)


class Table:
    """A network that is right: it knows p(two codes, two tokens) and gives exact conditionals of each place."""

    hidden_code = CODES

    def __init__(self, seed=0, sharp=1.5):
        states = list(itertools.product(range(CODES), range(CODES), TOKENS, TOKENS))
        generator = torch.Generator().manual_seed(seed)
        self.states = torch.tensor(states)
        self.p = (sharp * torch.randn(len(states), generator=generator).double()).softmax(0)

    def log_p(self, row):
        """Log probability of what is known of a row."""
        nothing = torch.tensor([CODES, CODES, MASK, MASK])
        fits = ((self.states == row) | (row == nothing)).all(1)
        return float(self.p[fits].sum().log())

    def __call__(self, codes, tokens):
        both = torch.cat([codes, tokens], 1)
        nothing = torch.tensor([CODES, CODES, MASK, MASK])
        fits = ((self.states[None] == both[:, None]) | (both == nothing)[:, None]).all(2) * self.p
        out = torch.zeros(len(both), 4, SYMBOLS, dtype=torch.float64)
        for place, value in itertools.product(range(4), range(SYMBOLS)):
            out[:, place, value] = (fits * (self.states[:, place] == value)).sum(1)
        return out[:, :2].log(), out[:, 2:].log()

    def of_code(self, features):
        return features[..., :CODES]

    def of_token(self, features):
        return features


def shares(draws, table):
    found = (draws[:, None] == table.states[None]).all(2).double().mean(0)
    return found, (table.p * (1 - table.p) / len(draws)).sqrt()


def drawn(table, n=20_000, **how):
    codes, tokens = torch.full((n, 2), CODES), torch.full((n, 2), MASK)
    able = torch.ones(1, 2, SYMBOLS, dtype=torch.bool)
    closed = torch.zeros(n, 4, dtype=torch.bool)
    out = Drawing(table, **how).fill(codes, tokens, closed, able, torch.Generator().manual_seed(1))
    return torch.cat(out, 1)


@pytest.mark.parametrize("first", ["words", "picture", "together"])
@pytest.mark.parametrize("steps", [None, 4])
def test_draws_follow_the_table_in_any_order(first, steps):
    table = Table()
    found, deviation = shares(drawn(table, first=first, steps=steps), table)
    assert ((found - table.p).abs() <= 5 * deviation + 1e-4).all()


def test_places_that_are_drawn_at_once_do_not():
    table = Table(sharp=3)
    found, deviation = shares(drawn(table, first="together", slack=100.0), table)
    assert ((found - table.p).abs() > 5 * deviation).any()


def test_what_is_known_stays_and_the_rest_follows_from_it():
    table, n = Table(), 20_000
    codes, tokens = torch.tensor([[2, CODES]]).expand(n, -1), torch.tensor([[MASK, 3]]).expand(n, -1)
    able, closed = torch.ones(1, 2, SYMBOLS, dtype=torch.bool), torch.zeros(n, 4, dtype=torch.bool)
    out = torch.cat(Drawing(table).fill(codes, tokens, closed, able, torch.Generator().manual_seed(0)), 1)
    assert (out[:, 0] == 2).all() and (out[:, 3] == 3).all()
    fits = (table.states[:, 0] == 2) & (table.states[:, 3] == 3)
    p = table.p * fits / table.p[fits].sum()
    found = (out[:, None] == table.states[None]).all(2).double().mean(0)
    assert ((found - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()


def test_closed_places_stay_hidden_and_unable_tokens_are_not_drawn():
    table, n = Table(), 500
    codes, tokens = torch.full((n, 2), CODES), torch.full((n, 2), MASK)
    able, closed = torch.ones(1, 2, SYMBOLS, dtype=torch.bool), torch.zeros(n, 4, dtype=torch.bool)
    able[0, 1, 2], closed[:, 0] = False, True
    codes, tokens = Drawing(table, slack=1.0).fill(codes, tokens, closed, able, torch.Generator().manual_seed(0))
    assert (codes[:, 0] == CODES).all() and (codes[:, 1] < CODES).all()
    assert set(tokens[:, 0].tolist()) == set(TOKENS) and set(tokens[:, 1].tolist()) == {0, 3}


def test_guidance_leads_the_picture_towards_its_words():
    table = Table(sharp=2)
    chances = []
    for guidance in (0.0, 1.0, 3.0):
        codes = torch.full((4000, 2), CODES)
        tokens = torch.tensor([[0, 2]]).expand(4000, -1)
        able, closed = torch.ones(1, 2, SYMBOLS, dtype=torch.bool), torch.zeros(4000, 4, dtype=torch.bool)
        codes, _ = Drawing(table, guidance=guidance).fill(codes, tokens, closed, able, torch.Generator().manual_seed(0))
        rows = torch.cat([codes, tokens], 1)
        some = [table.log_p(row) - table.log_p(torch.tensor([*row[:2], MASK, MASK])) for row in rows[:300]]
        chances.append(sum(some) / 300)  # mean log p(words | picture)
    assert chances[0] < chances[1] < chances[2]


@pytest.mark.parametrize("of_codes", [True, False])
def test_the_bound_of_a_network_that_is_right_is_the_log_probability(of_codes):
    table = Table()
    rows = table.states[[3, 40, 77]]
    codes, tokens = rows[:, :2], rows[:, 2:]
    asked = torch.ones(3, 2, dtype=torch.bool)
    each = torch.stack([
        log_bound(table, codes, tokens, asked, of_codes, 2, torch.Generator().manual_seed(i)) for i in range(800)
    ])  # fmt: skip
    known = [[CODES, CODES, *row[2:]] if of_codes else [*row[:2], MASK, MASK] for row in rows.tolist()]
    wanted = [table.log_p(row) - table.log_p(torch.tensor(left)) for row, left in zip(rows, known, strict=True)]
    error = each.std(0) / math.sqrt(len(each))
    assert ((each.mean(0) - torch.tensor(wanted)).abs() <= 5 * error + 1e-9).all()


def test_what_is_not_asked_for_costs_nothing():
    table = Table()
    row = table.states[:1]
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    assert log_bound(table, row[:, :2], row[:, 2:], nothing, True, 4, torch.Generator()).item() == 0


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


def test_plans_never_ask_for_conditions_and_cover_all_ways():
    n, generator = 20_000, torch.Generator().manual_seed(0)
    owner = torch.tensor([0, 0, 0, 1, 2, 2])
    free = torch.tensor([True, False, True])
    plan = planned(torch.ones(n, 4, dtype=torch.bool), free, owner, 0.1, generator)
    assert not plan.tokens[:, 3].any() and not (plan.tokens & plan.untold).any()
    assert abs(plan.untold[:, 3].float().mean() - 0.1) < 0.02  # a condition is left out as often as said
    picture, words = plan.codes.any(1) & ~plan.tokens.any(1), plan.tokens.any(1) & ~plan.codes.any(1)
    assert abs(picture.float().mean() - TO_PICTURE) < 0.02 and abs(words.float().mean() - TO_WORDS) < 0.02
    assert (plan.codes.any(1) | plan.tokens.any(1)).all()
    assert plan.untold[picture][:, 0].float().mean() > 0.2  # for guidance, and for some fields without others
    other = ~picture & ~words
    both = plan.codes[other].float().mean(1), plan.tokens[other][:, [0, 1, 2, 4, 5]].float().mean(1)
    assert abs(torch.corrcoef(torch.stack(both))[0, 1]) < 0.05  # shares are independent


def test_records_without_a_picture_teach_words_and_those_without_words_pictures():
    able = torch.tensor([[False] * 4, [True] * 4]).repeat(500, 1)
    owner, generator = torch.tensor([0, 0]), torch.Generator().manual_seed(0)
    plan = planned(able, torch.tensor([True]), owner, 0.1, generator)
    assert not plan.codes[::2].any() and (plan.tokens[::2].any(1)).all()
    plan = planned(torch.ones(500, 4, dtype=torch.bool), torch.tensor([False]), owner, 0.1, generator)
    assert plan.codes.any(1).all() and not plan.tokens.any()
