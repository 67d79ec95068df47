"""`VQ` as a family: grids and positions, codes that are refused, frequencies, likelihood, codes as records."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.autoencoders.quantisers import characters
from pushforward.autoencoders.quantisers.frequencies import Frequencies
from pushforward.data.encodings.noise import Alike


def pictures(n=48, side=8, channels=1):
    rng = np.random.default_rng(0)
    light = np.linspace(20, 230, side)[None, :, None, None] * rng.random((n, 1, 1, channels))
    return np.broadcast_to(light, (n, side, side, channels)).astype(np.uint8)


def large():
    return pictures(side=16)


def table(n=200):
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, n)
    height = np.where(rng.random(n) < 0.1, np.nan, 10.0 * kind + rng.standard_normal(n))
    return {"height": height, "kind": np.array(["a", "b", "c"])[kind], "count": rng.poisson(3 + 5 * kind)}


def both():
    return {"image": pictures(), "kind": np.tile(["a", "b"], 24), "size": np.linspace(0, 1, 48) + 0.123}


def fitted(data, steps=3, given=(), **more):
    return pf.VQ(**{"width": 8, **more}).fit(data, steps=steps, given=given, device="cpu")


@pytest.fixture(scope="module")
def of_table():
    return fitted(table(), steps=60, positions=4)


@pytest.fixture(scope="module")
def of_both():
    return fitted(both(), positions=3)


SHAPES = [
    ({"image": pictures(side=8)}, {}, 16),
    ({"image": pictures(side=28)}, {}, 49),
    ({"image": pictures(side=28)}, {"stages": 3}, 16),
    ({"image": pictures(side=28)}, {"stages": 1}, 196),
    ({"image": pictures(8, 64, 3)}, {}, 64),
    ({"image": pictures()}, {"body": "dense", "positions": 5}, 5),
    (table(), {}, 8),
    (both(), {"positions": 3}, 16 + 3),
]


@pytest.mark.parametrize("data, more, k", SHAPES)
def test_codes_are_a_grid_and_positions(data, more, k):
    data = pf.read(data)
    model = fitted(data, **more)
    codes = model.encode(data)
    assert codes.shape == (len(data), k) and codes.dtype == np.int64
    facts = model.measurements
    assert facts["positions"] == k and facts["codes"] == 240 and facts["levels"] == [8, 6, 5]
    assert facts["bits"] == round(k * math.log2(240), 2) and 0 <= facts["entropy_bits"] <= facts["bits"]
    assert 0 < facts["used"] <= 1
    before = pf.VQ(**more).code_schemas(data.schema)
    assert before == model.code_schemas() and len(before[0]) == before[1].fields[0].longest == k


def test_decoding_codes_and_encoding_again_settles(of_table):
    data = pf.read(table())
    once = of_table.reconstruct(data)
    twice = of_table.decode(of_table.encode(data))
    assert once.table.equals(twice.table)


@pytest.mark.parametrize("codebook", ["fsq", "learned"])
def test_a_record_made_of_codes_that_tell_much_gives_them_back(codebook):
    data = np.repeat(np.random.default_rng(0).standard_normal((16, 2)) * 5, 20, 0)
    model = fitted(data, steps=250, positions=2, codes=16, codebook=codebook, width=32, scores="plain")
    codes = model.encode(data)
    again = model.encode(model.decode(codes))
    assert (again == codes).mean() > 0.9


@pytest.mark.parametrize(
    "codes, words",
    [
        (np.zeros((2, 3), int), r"\(2, 3\).*\(n, 4\)"),
        (np.zeros(4, int), r"\(n, 4\)"),
        (np.full((1, 4), 240), "240.*0 to 239"),
        (np.full((1, 4), -1), "-1.*0 to 239"),
        (np.full((1, 4), 0.5), "0.5.*whole"),
        (np.full((1, 4), np.nan), "nan.*whole"),
    ],
)
def test_codes_that_there_are_not_are_refused(of_table, codes, words):
    with pytest.raises(pf.ArgumentError, match=words):
        of_table.decode(codes)


def test_whole_numbers_of_any_type_are_codes(of_table):
    codes = of_table.encode(table())[:5]
    for kind in (np.int32, np.uint8, float):
        assert of_table.decode(codes.astype(kind)).table.equals(of_table.decode(codes).table)


@pytest.fixture(scope="module")
def of_pictures():
    return fitted(large(), codes=2000)


def test_rounded_codes_of_a_picture_are_a_small_picture_too(of_pictures):
    _, _, small = of_pictures.code_schemas()
    (field,) = small
    assert (field.kind, field.shape, len(of_pictures.measurements["levels"])) == ("image", (8, 8, 4), 4)
    data = pf.read(large()).schema
    others = ({"codebook": "learned"}, {"body": "dense"}, {"stages": 4})  # the last has two by two codes
    assert all(len(pf.VQ(**more).code_schemas(data)) == 2 for more in others)
    assert len(pf.VQ(stages=1).code_schemas(pf.read(both()).schema)) == 2  # some codes are no part of the grid


@pytest.mark.parametrize("name", ["of_table", "of_both", "of_pictures"])
def test_codes_stand_as_records_in_several_ways(name, request):
    model = request.getfixturevalue(name)
    data = pf.read({"of_table": table, "of_both": both, "of_pictures": large}[name]())
    codes = torch.from_numpy(model.encode(data))
    for schema in model.code_schemas():
        records, many = model.code_records(codes, schema, torch.Generator().manual_seed(0))
        assert len(records) == len(data) and (many > 0).all() == (schema.fields[0].kind == "image")
        assert torch.equal(model.codes_of(records, schema), codes)
        assert torch.equal(model.codes_of(pf.Records(schema, records.table), schema), codes)


TEXTS = [
    "abcd",
    *characters.written(np.array([[0, 1, 2]])),
    *characters.written(np.full((1, 4), 240)),
    *characters.written(np.zeros((1, 5), int)),
]


@pytest.mark.parametrize("text", TEXTS, ids=["letters", "too short", "beyond the codebook", "too long"])
def test_a_text_that_is_no_text_of_codes_is_refused(of_table, text):
    _, schema = of_table.code_schemas()
    with pytest.raises(pf.ArgumentError, match="whole numbers from 0 to 239"):
        of_table.codes_of(pf.Records(schema, pa.table({"codes": [text]})), schema)


def test_every_code_is_a_printable_character_of_its_own():
    codes = np.arange(1 << 16)[None]
    [text] = characters.written(codes)
    assert len(text) == len(set(text)) == 1 << 16 and text.isprintable() and text.isalpha()
    assert np.array_equal(characters.read([text], 1 << 16), codes)


def test_frequencies_are_a_distribution_and_follow_what_is_counted():
    rng = torch.Generator().manual_seed(0)
    codes = torch.stack([torch.randint(3, (5000,), generator=rng), torch.full((5000,), 7)], 1)
    own = Frequencies(2, 10)
    own.count(codes)
    share = own.log_probs().exp()
    assert torch.allclose(share.sum(1), torch.ones(2).double()) and share.min() > 0
    assert torch.allclose(share[0, :3], torch.full((3,), 1 / 3).double(), atol=0.02) and share[1, 7] > 0.99
    assert own.used() == 0.4 and abs(own.entropy() - math.log(3)) < 0.001
    drawn = own.sample(4000, rng)
    assert torch.allclose(torch.bincount(drawn[:, 0], minlength=10) / 4000, share[0].float(), atol=0.03)
    assert torch.allclose(own.log_prob(drawn), share[0].log()[drawn[:, 0]] + share[1].log()[drawn[:, 1]])


def test_the_bound_is_that_of_codes_and_of_records_given_them(of_table):
    data = pf.read(table())
    codes, zeros = of_table._draw_codes(data, Alike(torch.Generator().manual_seed(0)))
    given = of_table._log_given(data, codes)
    expected = of_table.network.frequencies.log_prob(codes) + given
    assert not zeros.any() and of_table.density == "bound"
    assert np.allclose(of_table.log_prob(data), expected.numpy())


@pytest.mark.filterwarnings("ignore::pushforward.CollapsedWarning")  # rightly: six records need no 16 codes
def test_the_bound_is_one(of_table):
    """Of a whole table of categories the bounds of all records add up to at most 1."""
    data = {"a": np.tile(["x", "y", "z"], 40), "b": np.repeat(["u", "v"], 60)}
    model = fitted(data, steps=100, positions=2, codes=4)
    every = {"a": ["x", "y", "z"] * 2, "b": ["u"] * 3 + ["v"] * 3}
    total = np.exp(model.log_prob(every)).sum()
    assert 0.2 < total <= 1 + 1e-6


def test_conditions_steer_pictures_and_rows():
    rng = np.random.default_rng(0)
    down = rng.integers(0, 2, 200)
    image = np.zeros((200, 8, 8), np.uint8)
    image[np.arange(200), 1 + 5 * down] = 250
    model = pf.VQ(width=8, codes=4).fit(
        {"image": image, "down": down.astype(str)}, given=["down"], steps=150, device="cpu"
    )
    drawn = model.sample(20, given={"down": "1"}, seed=0).to_numpy()["image"]
    assert drawn[:, 6].mean() > drawn[:, 1].mean() + 50


def test_few_steps_keep_what_matters():
    model = fitted(table(), steps=300, positions=8, width=64)
    made, real = model.reconstruct(table()).to_numpy(), pf.read(table()).to_numpy()
    known = ~np.isnan(real["height"])
    assert (made["kind"] == real["kind"]).mean() > 0.95
    assert np.nanmean(np.abs(made["height"] - real["height"])[known]) < 2
    assert model.measurements["used"] > 0.2


@pytest.mark.parametrize("codebook", ["fsq", "learned"])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path, codebook):
    def make():
        more = {"adversarial": 0.5, "perceptual": 0.5, "patience": 4}
        return pf.VQ(width=8, codebook=codebook, codes=16, **more)

    options = {"steps": 14, "device": "cpu", "seed": 3}
    whole = make().fit({"image": pictures()}, **options)
    progress = make().fitting({"image": pictures()}, folder=tmp_path / "run", **options)
    for _ in range(9):
        next(progress)
    progress.close()
    again = make().fit({"image": pictures()}, folder=tmp_path / "run", **options)
    one, other = whole._state(), again._state()
    assert all(torch.equal(one[name], other[name]) for name in one)
