"""What places find among things does not depend on how these are listed, nor on those that are not there."""

import pytest
import torch

from pushforward.data.encodings.tokens import hashed
from pushforward.nets.look import Look
from pushforward.nets.texts import Texts


@pytest.fixture
def parts():
    torch.manual_seed(0)
    look = Look(8, 6)
    torch.nn.init.normal_(look.back.weight)
    torch.nn.init.normal_(look.nothing)
    return look, torch.randn(3, 5, 8), torch.randn(3, 4, 6)


def test_things_have_no_order_and_places_do_not_meet(parts):
    look, places, things = parts
    out = look(places, things)
    torch.testing.assert_close(look(places, things[:, [2, 0, 3, 1]]), out)
    torch.testing.assert_close(look(places[:, [4, 1]], things), out[:, [4, 1]])
    assert not torch.allclose(out, places)


def test_what_is_zero_is_not_there(parts):
    look, places, things = parts
    more = torch.cat([things, torch.zeros(3, 2, 6)], 1)
    torch.testing.assert_close(look(places, more), look(places, things))
    nothing = look(places, torch.zeros(3, 2, 6))
    torch.testing.assert_close(nothing, places + look.back(look.nothing[8:]))


def test_where_a_place_is_tells_what_it_asks(parts):
    look, places, things = parts
    alike = places[:, :1].expand(-1, 5, -1)
    assert torch.allclose(look(alike, things)[:, 0], look(alike, things)[:, 1])
    found = look(alike, things, torch.randn(5, 8))
    assert not torch.allclose(found[:, 0], found[:, 1])


def test_words_are_as_many_as_the_longest_text_has_and_a_missing_text_has_none():
    texts = Texts(8).eval()
    whole, words, there = texts.read(hashed(["a red circle left of it", "sun", None]))
    assert words.shape == (3, 6, 8) and there.sum(1).tolist() == [6, 1, 0]
    torch.testing.assert_close(whole, texts(hashed(["a red circle left of it", "sun", None])))
