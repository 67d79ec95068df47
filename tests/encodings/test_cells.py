"""Fields as numbers, codes and holes, and back."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pushforward as pf
from pushforward.data.encodings.cells import CellEncoding, Cells


def people():
    return pf.read(
        pa.table(
            {
                "age": pa.array([31, 44, None, 60], pa.int16()),
                "height": pa.array([1.61, None, 1.85, 1.7], pa.float32()),
                "born": pa.array(
                    [datetime.date(1990, 1, 5), datetime.date(1980, 2, 6), None, datetime.date(1964, 3, 7)]
                ),
                "seen": pa.array([datetime.datetime(2024, 1, 5, 13), None, None, datetime.datetime(2024, 2, 5, 14)]),
                "member": [True, None, False, True],
                "town": ["Ulm", "Bonn", "Ulm", None],
            }
        )
    )


def test_encode_then_decode_gives_the_records():
    records = people()
    encoding = CellEncoding(records.schema)
    assert encoding.decode(encoding.encode(records)).table.equals(records.table)


def test_what_is_not_known_is_nan_minus_one_and_a_hole():
    cells = CellEncoding(people().schema).encode(people())
    assert cells.numbers.isnan().nonzero().tolist() == [[1, 1], [1, 3], [2, 0], [2, 2], [2, 3]]
    assert (cells.codes < 0).nonzero().tolist() == [[1, 0], [3, 1]]
    assert cells.holes.sum(0).tolist() == [1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("name", ["penguins", "adult:test", "digits", "moons"])
def test_built_in_data_comes_back_whole(name):
    records = pf.read(name)[:2000]
    encoding = CellEncoding(records.schema)
    assert encoding.decode(encoding.encode(records)).table.equals(records.table)


def test_an_atom_is_a_level_of_its_own():
    records = pf.read({"pay": [0.0] * 30 + [round(1.5 + i, 1) for i in range(30)]}, atoms={"pay": [0.0]})
    encoding = CellEncoding(records.schema)
    cells = encoding.encode(records)
    assert encoding.factors[0].levels == 2
    assert cells.codes[:, 0].tolist() == [1] * 30 + [0] * 30
    assert cells.numbers[:30].isnan().all() and not cells.numbers[30:].isnan().any()
    assert encoding.decode(cells).table.equals(records.table)


def test_a_number_drawn_off_an_atom_does_not_land_on_it():
    records = pf.read(pa.table({"n": [0] * 30 + list(range(30))}))
    encoding = CellEncoding(records.schema)
    assert records.schema["n"].atoms == (0.0,)
    drawn = torch.tensor([[-9.0], [-0.2], [0.3], [1.2], [40.0], [0.4]]).double()
    codes = torch.tensor([[0], [0], [0], [0], [0], [1]])
    out = encoding.decode(Cells(drawn, codes, torch.empty(6, 0).bool())).to_numpy()["n"]
    assert out.tolist() == [1, 1, 1, 1, 29, 0]


def test_numbers_go_to_their_grid_and_stay_within_what_was_seen():
    records = pf.read(pa.table({"n": pa.array([3, 9, 9, 200], pa.uint8()), "price": [0.25, 0.5, 0.5, 0.25]}))
    encoding = CellEncoding(records.schema)
    empty = torch.empty(3, 0, dtype=torch.int64)
    drawn = Cells(torch.tensor([[-7.0, 0.3049], [9.49, 0.1], [1e9, 7.0]]).double(), empty, empty.bool())
    out = encoding.decode(drawn).to_numpy()
    assert out["n"].tolist() == [3, 9, 200] and out["n"].dtype == np.uint8
    assert out["price"].tolist() == [0.3, 0.25, 0.5]


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64"])
def test_types_survive(kind):
    values = np.array([1, 5, 100, 7], kind)
    records = pf.read({"x": values})
    encoding = CellEncoding(records.schema)
    back = encoding.decode(encoding.encode(records)).to_numpy()["x"]
    assert back.dtype == values.dtype and np.array_equal(back, values)


def test_whole_numbers_up_to_two_to_the_53_are_exact():
    values = [2**53, -(2**53), 2**53 - 1, 7]
    records = pf.read({"x": np.array(values)}, number=["x"])
    encoding = CellEncoding(records.schema)
    assert encoding.decode(encoding.encode(records)).to_numpy()["x"].tolist() == values


def test_text_is_refused_by_name():
    records = pf.read({"note": ["a b c d", "e f g h"], "x": [1.0, 2.0]}, text=["note"])
    with pytest.raises(pf.DataError, match="'note' is text"):
        CellEncoding(records.schema)


def test_slicing_takes_all_parts():
    cells = CellEncoding(people().schema).encode(people())
    assert len(cells[1:3]) == 2 and torch.equal(cells[1:3].holes, cells.holes[1:3])


COLUMN = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9, allow_subnormal=False)), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ü", ""])), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=6, max_size=6),
)


@given(st.dictionaries(st.sampled_from("pqrs"), COLUMN, min_size=1))
@settings(max_examples=150, deadline=None)
def test_any_table_comes_back(columns):
    try:
        records = pf.read(pa.table({name: pa.array(column) for name, column in columns.items()}))
    except pf.PushforwardError:
        return
    encoding = CellEncoding(records.schema)
    assert encoding.decode(encoding.encode(records)).table.equals(records.table)
