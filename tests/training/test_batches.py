"""Which records a step sees."""

import pytest
import torch

from pushforward.training.batches import Batches

SIZES = [(37,), (10, 20, 7), (1, 1, 35)]


def made(sizes, seed=0):
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    chunks = [{"row": torch.arange(a, a + n), "twice": 2 * torch.arange(a, a + n)} for a, n in
              zip(starts, sizes, strict=True)]  # fmt: skip
    return Batches(lambda: iter(chunks), sizes, seed)


def drawn(batches, size, many, start=0):
    return torch.cat([batches.at(start + i * size, size)["row"] for i in range(many)])


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("size", [1, 5, 8, 37, 50])
def test_every_record_comes_once_an_epoch(sizes, size):
    rows = drawn(made(sizes), size, 37 * 3 // size + 1)
    for epoch in range(len(rows) // 37):
        assert sorted(rows[37 * epoch : 37 * (epoch + 1)].tolist()) == list(range(37))


@pytest.mark.parametrize("sizes", SIZES)
def test_all_batches_are_full_and_hold_whole_records(sizes):
    batches = made(sizes)
    for i in range(30):
        batch = batches.at(8 * i, 8)
        assert len(batch["row"]) == 8 and torch.equal(2 * batch["row"], batch["twice"])


@pytest.mark.parametrize("sizes", SIZES)
def test_a_batch_depends_on_its_position_alone(sizes):
    steady = made(sizes)
    walked = [steady.at(8 * i, 8)["row"] for i in range(20)]
    jumping = made(sizes)
    for i in [13, 2, 19, 3, 0, 4, 18]:
        assert torch.equal(jumping.at(8 * i, 8)["row"], walked[i])
    assert torch.equal(made(sizes).at(8 * 11, 8)["row"], walked[11])


@pytest.mark.parametrize("sizes", SIZES)
def test_the_size_of_a_batch_does_not_change_the_order(sizes):
    assert torch.equal(drawn(made(sizes), 8, 30), drawn(made(sizes), 24, 10))


def test_orders_differ_between_epochs_and_seeds_and_repeat_for_one_seed():
    first, second = drawn(made((37,)), 37, 2).split(37)
    assert not torch.equal(first, second)
    assert not torch.equal(first, drawn(made((37,), seed=1), 37, 1))
    assert torch.equal(first, drawn(made((37,)), 37, 1))


def test_chunks_stay_together_within_an_epoch():
    rows = drawn(made((10, 20, 7)), 37, 1)
    assert rows[:10].max() < 10 <= rows[10:30].min() and rows[10:30].max() < 30 <= rows[30:].min()


@pytest.mark.parametrize("sizes", SIZES)
def test_the_shares_of_the_processes_make_up_the_batch(sizes):
    whole, one, two = made(sizes), made(sizes), made(sizes)
    for i in range(12):
        shares = [b.at(8 * i, 8, slice(rank, None, 2))["row"] for rank, b in enumerate((one, two))]
        assert torch.equal(torch.stack(shares, 1).flatten(), whole.at(8 * i, 8)["row"])


def test_chunks_are_read_once_an_epoch():
    opened = []

    def chunks():
        opened.append(1)
        yield from ({"row": torch.arange(10 * i, 10 * i + 10)} for i in range(3))

    batches = Batches(chunks, [10, 10, 10], 0)
    for i in range(30):
        batches.at(4 * i, 4)
    assert len(opened) == 4
