"""Draws that copy records are told from such as only look like them."""

from __future__ import annotations

import warnings

import pytest
import torch

from pushforward.errors import CopiedWarning
from pushforward.metrics.copying import OFTEN, RARE, copied, warn_of_copies


def cloud(n, d=8, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_draws_of_the_same_distribution_are_hardly_copies():
    assert copied(cloud(1000), cloud(1000, seed=1)) < 3 * RARE


def test_copies_are_copies():
    real = cloud(1000)
    assert copied(real, real) == 1.0
    assert copied(real, real + 1e-3 * cloud(1000, seed=1)) == 1.0
    half = torch.cat([real[:500], cloud(500, seed=1)])
    assert 0.5 <= copied(real, half) < 0.5 + 3 * RARE


def test_of_one_record_only_itself_is_a_copy():
    one = cloud(1)
    assert copied(one, one.expand(4, -1)) == 1.0 and copied(one, cloud(4, seed=1)) == 0.0


def test_what_is_in_the_middle_of_all_copies_none():
    """In many dimensions it is nearer to each record than any two of them are to one another."""
    real, middle = cloud(50, 400), 0.1 * cloud(50, 400, seed=1)
    assert torch.cdist(middle, real).max() < torch.cdist(real, real).fill_diagonal_(torch.inf).min()
    assert copied(real, middle) == 0


def test_on_a_line_full_of_records_each_draw_is_near_to_one():
    """As ranks are, which lie as close everywhere: nearness alone would call most draws copies."""
    real = torch.linspace(-1, 1, 50)[:, None]
    drawn = 2 * torch.rand(1000, 1, generator=torch.Generator().manual_seed(0)) - 1
    nearest = torch.cdist(drawn, real).min(1).values
    assert float((nearest < 2 / 49).float().mean()) == 1.0
    assert copied(real, drawn) < 3 * RARE
    assert copied(real, real.repeat(3, 1)) == 1.0


def test_records_that_occur_twice_make_no_draw_a_copy():
    real = cloud(100).repeat(2, 1)
    assert copied(real, cloud(100, seed=1)) == 0


def test_a_person_is_told_from_a_bound_on():
    with pytest.warns(CopiedWarning, match=r"80% of draws.*more data, a shorter run make fewer"):
        warn_of_copies(0.8, "a shorter run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_copies(OFTEN, "a shorter run")


def test_few_records_are_warned_of_whatever_is_drawn_so_far():
    with pytest.warns(CopiedWarning, match="copies of 9 records are likely: 0% of draws"):
        warn_of_copies(0.0, "a shorter run", 9)
