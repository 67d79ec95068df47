"""What generators say last: pixels within their range, and rows such as encoded data make."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.adversarial.heads import RowHead, within
from pushforward.data.encodings.vector import VectorEncoding


def source(seed=0):
    return torch.Generator().manual_seed(seed)


# Pixels


def test_within_is_a_clamp():
    x = torch.randn(2, 3, 4, 4, generator=source()) * 3
    low, high = (torch.tensor([a, b, c]).view(-1, 1, 1) for a, b, c in ((-1, -2, -0.5), (1, 0.5, 2)))
    assert torch.equal(within(x, low, high), torch.minimum(torch.maximum(x, low), high))


@pytest.mark.parametrize("x, slope, wanted", [
    (0.3, 1.0, 1.0), (0.3, -1.0, -1.0),  # inside, all goes through
    (2.0, 1.0, 1.0), (2.0, -1.0, 0.0),  # a step against a positive slope leads back from above
    (-2.0, 1.0, 0.0), (-2.0, -1.0, -1.0),
    (1.0, -1.0, -1.0), (-1.0, 1.0, 1.0),  # the ends belong to the range
])  # fmt: skip
def test_its_slope_lets_what_lies_outside_come_back_only(x, slope, wanted):
    x = torch.tensor([x], requires_grad=True)
    within(x, torch.tensor(-1.0), torch.tensor(1.0)).backward(torch.tensor([slope]))
    assert x.grad.item() == wanted


def test_descent_brings_a_pixel_back_from_beyond_black():
    """With a clamp proper it would stay where it is."""
    low, high = torch.tensor(-1.0), torch.tensor(1.0)
    ends = {}
    for name, cut in (("within", within), ("clamp", torch.clamp)):
        x = torch.tensor([-3.0], requires_grad=True)
        for _ in range(100):
            (slope,) = torch.autograd.grad((cut(x, low, high) - 0.5).square().sum(), x)
            x = (x - 0.1 * slope).detach().requires_grad_()
        ends[name] = x.item()
    assert ends["within"] == pytest.approx(0.5, abs=1e-3) and ends["clamp"] == -3.0


def test_its_slope_inside_is_that_of_the_identity():
    x = (torch.rand(5, generator=source(), dtype=torch.float64) - 0.5).requires_grad_()
    ends = torch.tensor(-1.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: within(x, *ends), (x,))


# Rows


def records(n=2000):
    """A float with holes, whole numbers with an atom, words with holes, truths, dates with holes, a float."""
    rng = np.random.default_rng(0)
    day = np.datetime64("2020-01-01") + rng.integers(0, 900, n)
    spent = np.where(rng.random(n) < 0.4, 0.0, np.round(rng.gamma(2.0, 30.0, n), 2))
    return pf.read(
        {
            "height": np.where(rng.random(n) < 0.25, np.nan, 160 + 10 * rng.standard_normal(n)),
            "spent": [None if hole else value for value, hole in zip(spent, rng.random(n) < 0.1, strict=True)],
            "town": [None if u < 0.2 else ["Ulm", "Bonn", "Kiel"][int(9 * u) % 3] for u in rng.random(n)],
            "member": rng.random(n) < 0.3,
            "day": [None if hole else d for d, hole in zip(day.tolist(), rng.random(n) < 0.15, strict=True)],
            "weight": 70 + 8 * rng.standard_normal(n),
        }
    )


@pytest.fixture(scope="module")
def made():
    data = records()
    vector = VectorEncoding(data.schema, 1.0, 256)
    cells = vector.cells.encode(data)
    vector.prepare(cells, source())
    return data, vector, cells, RowHead(vector)


def logits_of(head, n, seed=1, spread=1.0):
    return spread * torch.randn(n, head.outputs, generator=source(seed))


def test_the_data_has_what_is_to_be_drawn(made):
    data, vector, *_ = made
    assert data.schema["spent"].atoms == (0.0,)
    assert set(vector.cells.may_miss) == {"height", "spent", "town", "day"}


def test_rows_are_records_of_the_schema(made):
    data, vector, _, head = made
    n = 500
    rows = head(logits_of(head, n), source())
    assert rows.shape == (n, vector.width)
    back = vector.cells.decode(vector.inverse(rows))
    assert back.schema == data.schema and len(back) == n
    assert {back.column(name).null_count > 0 for name in vector.cells.may_miss} == {True}
    assert {back.column(name).null_count for name in ("member", "weight")} == {0}
    assert 0 < np.sum(np.array(back.column("spent").drop_null()) == 0.0) < n


def bits_of(vector, rows):
    """(levels by factor, holes) with the scaling undone."""
    raw = vector.scale.inverse(rows)[:, vector.cells.width :]
    *levels, holes = raw.split([*vector.levels, len(vector.cells.may_miss)], 1)
    return levels, holes


def test_without_noise_levels_are_one_hot_and_a_hole_has_none(made):
    _, vector, _, head = made
    levels, holes = bits_of(vector, head(logits_of(head, 500), None))
    missing = {name: holes[:, i] > 0.5 for i, name in enumerate(vector.cells.may_miss)}
    torch.testing.assert_close(holes, holes.round(), atol=1e-5, rtol=0)
    for factor, bits in zip(vector.cells.factors, levels, strict=True):
        torch.testing.assert_close(bits, bits.round(), atol=1e-5, rtol=0)
        gone = missing.get(factor.field, torch.zeros(len(bits), dtype=torch.bool))
        assert torch.equal(bits.round().sum(1), (~gone).float())
    assert all(0 < mask.sum() < 500 for mask in missing.values())


def test_a_hole_or_an_atom_has_no_number(made):
    """Its coordinate is noise that does not depend on what the network says, and has the moments of data's."""
    _, vector, _, head = made
    n = 4000
    out = logits_of(head, n)
    rows = head(out, source())
    moved = out.clone()
    moved[:, : vector.cells.width] += 10.0
    other = head(moved, source())
    levels, holes = bits_of(vector, rows)
    for name, at in vector.cells.columns.items():
        there = torch.ones(n, dtype=torch.bool)
        if name in vector.cells.may_miss:
            there &= holes[:, vector.cells.may_miss.index(name)] < 0.5
        if (factor := vector.cells.factor_of(name)) is not None:
            there &= levels[factor].argmax(1) == 0
        one, two = rows[:, at.start], other[:, at.start]
        torch.testing.assert_close((two - one)[there], torch.full((int(there.sum()),), 10.0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(one[~there], two[~there], atol=1e-5, rtol=0)
        if (~there).any():
            blank = one[~there] * vector.scale.scale[at.start] + vector.scale.mean[at.start]
            k = len(blank)
            assert blank.mean().abs() < 5 / k**0.5 and (blank.var() - 1).abs() < 5 * (2 / k) ** 0.5


def test_whole_rows_have_no_hole(made):
    data, vector, _, head = made
    for generator in (None, source()):
        back = vector.cells.decode(vector.inverse(head(logits_of(head, 300), generator, whole=True)))
        assert all(back.column(name).null_count == 0 for name in data.schema.names)


def test_every_logit_has_a_slope(made):
    _, vector, _, head = made
    out = logits_of(head, 2000).requires_grad_()
    weight = torch.randn(vector.width, generator=source(4))
    (head(out, source()) @ weight).sum().backward()
    assert out.grad.isfinite().all() and (out.grad != 0).any(0).all()


def test_levels_are_as_frequent_as_the_softmax_says(made):
    _, vector, _, head = made
    n = 40_000
    one = logits_of(head, 1, seed=5)
    levels, holes = bits_of(vector, head(one.expand(n, -1), source()))
    _, *said = one[0].split([vector.cells.width, *vector.levels, *[2] * len(vector.cells.may_miss)])
    hole = [each.softmax(0)[1] for each in said[len(levels) :]]
    for i, p in enumerate(hole):
        count = (holes[:, i] > 0.5).sum()
        assert (count - n * p).abs() < 5 * (n * p * (1 - p)).sqrt()
    for factor, bits, logits in zip(vector.cells.factors, levels, said, strict=False):
        there = torch.ones(n, dtype=torch.bool)
        if factor.field in vector.cells.may_miss:
            there = holes[:, vector.cells.may_miss.index(factor.field)] < 0.5
        k = int(there.sum())
        counts = torch.bincount(bits[there].argmax(1), minlength=factor.levels)
        p = logits.softmax(0)
        assert ((counts - k * p).abs() < 5 * (k * p * (1 - p)).sqrt()).all()


def test_the_most_probable_is_taken_without_a_generator(made):
    _, vector, _, head = made
    out = logits_of(head, 200)
    levels, _ = bits_of(vector, head(out, None, whole=True))
    _, *said = out.split([vector.cells.width, *vector.levels, *[2] * len(vector.cells.may_miss)], 1)
    for bits, logits in zip(levels, said, strict=False):
        assert torch.equal(bits.argmax(1), logits.argmax(1))
    assert torch.equal(head(out, None), head(out, None))


def test_drawn_bits_have_the_noise_of_encoded_ones(made):
    """Around 0 and around 1 the noise of draws and that of data have the same moments, so noise tells nothing."""
    _, vector, cells, head = made
    n = len(cells)
    real, _ = vector(cells.numbers, cells.codes, cells.holes, source(6))
    drawn = head(logits_of(head, n), source(7))

    def noise(rows):
        levels, holes = bits_of(vector, rows)
        raw = torch.cat([*levels, holes], 1)
        return raw - raw.round(), raw.round()

    (one, at_one), (two, at_two) = noise(real), noise(drawn)
    half = 0.25
    assert one.abs().max() <= half and two.abs().max() <= half + 1e-5
    for bit in (0.0, 1.0):
        for t in (one[at_one == bit], two[at_two == bit]):
            sigma = half / 6**0.5  # of a triangular density on (-half, half); its fourth moment is half⁴ / 15
            assert t.mean().abs() < 5 * sigma / len(t) ** 0.5
            spread = (half**4 / 15 - sigma**4) ** 0.5
            assert (t.square().mean() - sigma**2).abs() < 5 * spread / len(t) ** 0.5


def test_a_row_that_repeats_data_cannot_be_told_from_it(made):
    """With the logits of a record beyond doubt, and its numbers, the head gives what the encoding gives."""
    _, vector, cells, head = made
    clear = 50.0
    real, _ = vector(cells.numbers, cells.codes, cells.holes)
    parts = [real[:, : vector.cells.width]]
    for i, levels in enumerate(vector.levels):
        parts.append(clear * torch.nn.functional.one_hot(cells.codes[:, i].clamp_min(0), levels))
    parts += [clear * torch.stack([~cells.holes[:, i], cells.holes[:, i]], 1) for i in range(cells.holes.shape[1])]
    torch.testing.assert_close(head(torch.cat(parts, 1).float(), None), real, atol=2e-5, rtol=0)


def test_a_table_of_words_alone_and_of_numbers_alone():
    rng = np.random.default_rng(0)
    for data in ({"a": rng.choice(["x", "y"], 50)}, {"a": rng.standard_normal(50), "b": rng.standard_normal(50)}):
        data = pf.read(data)
        vector = VectorEncoding(data.schema)
        vector.prepare(vector.cells.encode(data), source())
        head = RowHead(vector)
        rows = head(logits_of(head, 9), source())
        assert vector.cells.decode(vector.inverse(rows)).schema == data.schema
