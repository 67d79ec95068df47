"""A table as one real vector a record."""

import math

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.cells import CellEncoding
from pushforward.data.encodings.vector import VectorEncoding
from pushforward.training.randomness import generator


def mixed(n=300):
    rng = np.random.default_rng(0)
    return pf.read(
        {
            "x": rng.standard_normal(n),
            "y": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 3, n)),
            "count": rng.poisson(4, n),
            "town": [None if u < 0.1 else ["Ulm", "Bonn", "Kiel"][int(3 * u) % 3] for u in rng.random(n)],
            "member": rng.random(n) < 0.3,
        }
    )


def prepared(records):
    encoding = VectorEncoding(records.schema)
    return encoding.prepare(encoding.cells.encode(records), generator(0)), encoding.cells.encode(records)


def parts(cells):
    return cells.numbers, cells.codes, cells.holes


@pytest.mark.parametrize("name", ["mixed", "penguins", "adult:test"])
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_encode_then_invert_gives_the_records(name, seed):
    records = mixed() if name == "mixed" else pf.read(name)[:1500]
    encoding, cells = prepared(records)
    vectors, _ = encoding(*parts(cells), None if seed is None else generator(seed))
    back = encoding.cells.decode(encoding.inverse(vectors))
    for field in records.schema:
        one, other = records.column(field.name), back.column(field.name)
        assert one.is_null().equals(other.is_null()) or one.is_null().to_pylist() == other.is_null().to_pylist()
        if field.kind == "number":
            a, b = one.drop_null().to_numpy(), other.drop_null().to_numpy()
            reach = 1e-5 * np.ptp(a)  # vectors are float32
            tolerance = reach if field.resolution is None or reach > field.resolution else 1e-12
            np.testing.assert_allclose(b, a, rtol=0, atol=tolerance)
        else:
            assert one.to_pylist() == other.to_pylist()


def test_vectors_are_about_standard():
    encoding, cells = prepared(mixed())
    vectors, _ = encoding(*parts(cells), generator(1))
    assert vectors.shape == (300, encoding.width) and vectors.dtype == torch.float32
    assert vectors.mean(0).abs().max() < 0.15 and (vectors.std(0) - 1).abs().max() < 0.15


def test_the_term_of_a_number_is_the_slope_of_its_coordinate():
    records = mixed().select(["x"])
    encoding, cells = prepared(records)
    numbers = cells.numbers.clone().requires_grad_()
    vectors, ladj = encoding(numbers, cells.codes, cells.holes)
    (slope,) = torch.autograd.grad(vectors.sum(), numbers)
    torch.testing.assert_close(ladj.double(), slope[:, 0].log(), rtol=1e-4, atol=1e-4)


def standard(vectors):
    return (-0.5 * vectors.double() ** 2 - 0.5 * math.log(2 * math.pi)).sum(1)


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_the_probabilities_of_levels_add_up_to_no_more_than_one(levels):
    records = pf.read({"c": [chr(97 + i % levels) for i in range(60)]})
    encoding, _ = prepared(records)
    draws, total, bound = 20_000, 0.0, 0.0
    for level in range(levels):
        codes = torch.full((draws, 1), level)
        none = torch.empty(draws, 0)
        vectors, ladj = encoding(none.double(), codes, none.bool(), generator(level))
        log = standard(vectors) + ladj
        total += log.exp().mean().item()  # the mass that the density of the vector puts near this level
        bound += math.exp(log.mean().item())
    assert bound <= total * 1.01 and total <= 1


def test_the_probability_of_a_cell_of_the_grid_is_bounded_and_close():
    values = np.random.default_rng(0).binomial(60, 0.5, 4000)
    encoding, _ = prepared(pf.read({"n": values}))
    draws = 2000
    none = torch.empty(draws, 0)
    found = {}
    for n in range(22, 39):
        vectors, ladj = encoding(torch.full((draws, 1), float(n)).double(), none.long(), none.bool(), generator(n))
        found[n] = math.exp((standard(vectors) + ladj).mean().item())
    assert sum(found.values()) <= 1
    for n in range(25, 36):
        assert found[n] == pytest.approx((values == n).mean(), rel=0.2)


def test_holes_take_their_density_off_again():
    records = pf.read({"y": [1.0, 2.0, 4.0, np.nan] * 30})
    encoding, cells = prepared(records)
    hole = cells[3:4]
    terms = []
    for seed in range(5):
        vectors, ladj = encoding(*parts(hole), generator(seed))
        terms.append((encoding.scale.inverse(vectors)[0, 0] ** 2 / 2 - ladj[0]).item())
    bits = encoding(*parts(hole), None)[1]
    assert bits.isfinite().all() and np.isfinite(terms).all()


def test_known_says_which_coordinates_are_settled():
    records = mixed()
    encoding, cells = prepared(records)
    known = encoding.known(cells)
    assert known.shape == (300, encoding.width)
    d = encoding.cells.width
    assert torch.equal(known[:, :d], ~cells.numbers.isnan())
    assert torch.equal(known[:, d], cells.codes[:, 0] >= 0) and known[:, -1].all()


@pytest.mark.parametrize("column", [[1.0], [2.0, 2.0, 2.0], [np.nan, 1.0]])
def test_little_data_can_be_encoded(column):
    records = pf.read({"x": np.array(column)})
    encoding, cells = prepared(records)
    vectors, ladj = encoding(*parts(cells), generator(0))
    assert vectors.isfinite().all() and ladj.isfinite().all()
    back = encoding.cells.decode(encoding.inverse(vectors)).to_numpy()["x"]
    np.testing.assert_allclose(back, column, rtol=1e-5)


def test_it_is_saved_with_its_buffers():
    encoding, cells = prepared(mixed())
    other = VectorEncoding(mixed().schema)
    other.load_state_dict(encoding.state_dict())
    one, two = encoding(*parts(cells), generator(0)), other(*parts(cells), generator(0))
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    assert isinstance(other.cells, CellEncoding)
