"""Randomness that is a function of a position."""

import torch

from pushforward.training.randomness import generator, mix, scope


def test_positions_give_different_numbers_of_63_bits():
    seen = {mix(seed, rank, step) for seed in range(8) for rank in range(4) for step in range(200)}
    assert len(seen) == 8 * 4 * 200
    assert all(0 <= number < 2**63 for number in seen)


def test_the_order_of_words_matters():
    assert mix(1, 2) != mix(2, 1) and mix(0) != mix(0, 0) and mix(-1) != mix(1)


def test_bits_are_even():
    numbers = torch.tensor([[mix(5, i) >> bit & 1 for bit in range(63)] for i in range(4000)]).double()
    assert ((numbers.mean(0) - 0.5).abs() < 5 * 0.5 / 4000**0.5).all()  # 5 sigma, n = 4,000


def test_generators_of_one_position_agree_and_without_a_seed_they_do_not():
    def draw(*position):
        return torch.rand(3, generator=generator(*position))

    assert torch.equal(draw(1, 2), draw(1, 2)) and not torch.equal(draw(1, 2), draw(1, 3))
    assert not torch.equal(draw(None), draw(None))


def test_a_scope_seeds_inside_and_restores_outside():
    before = torch.get_rng_state()
    with scope(7):
        one = torch.rand(3)
    with scope(7):
        assert torch.equal(one, torch.rand(3))
    assert torch.equal(torch.get_rng_state(), before)
