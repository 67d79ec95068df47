"""The family: what it learns of pictures, tables and both, conditions of every kind, codes, filling, stopping."""

import functools
import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.errors import CollapsedWarning, CopiedWarning
from pushforward.flat import chosen_rows

SMALL = {"width": 16, "latent": 8, "gamma": 0.01, "lr": 8e-4}


def fitted(data, given=(), steps=40, seed=0, run=None, **options):
    """A small model; what its short game is warned of is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapsedWarning)
        warnings.simplefilter("ignore", CopiedWarning)
        return pf.GAN(**(SMALL | options)).fit(data, given=given, steps=steps, seed=seed, device="cpu", **(run or {}))


def squares(n=400, seed=0):
    """4x4 pictures, bright above or below as `where` says."""
    rng = np.random.default_rng(seed)
    down, light = rng.integers(0, 2, n), rng.uniform(100, 250, n)
    pixels = rng.integers(0, 20, (n, 4, 4))
    for picture, low, bright in zip(pixels, down, light, strict=True):
        picture[2 * low : 2 * low + 2] = bright
    return {"image": pixels.astype(np.uint8), "where": np.array(["up", "down"])[down]}


def is_down(records):
    images = records.to_numpy()["image"].astype(float).reshape(-1, 4, 4)
    return images[:, 2:].mean((1, 2)) > images[:, :2].mean((1, 2))


def said_down(records):
    return np.array([value == "down" for value in records.column("where").to_pylist()])


def far_above_chance(hits):
    """More than half of n by 5 sigma of coins, and most of them."""
    return hits.mean() > max(0.5 + 5 * 0.5 / len(hits) ** 0.5, 0.75)


# Pictures alone, told what to draw


@functools.cache
def drawing():
    return fitted(squares(), given="where", steps=150, width=8, lr=2e-3, gamma=0.003, augment=0, run={"batch": 32})


def test_it_draws_what_it_is_told():
    model = drawing()
    for where, down in (("up", False), ("down", True)):
        drawn = model.sample(200, given={"where": where}, seed=0)
        assert drawn.schema.select(["image"]) == model.schema.select(["image"])
        assert drawn.column("where").to_pylist() == [where] * 200
        assert far_above_chance(is_down(drawn) == down)


def test_less_truncation_is_more_variety():
    model = drawing()
    spread = [
        model.sample(100, given={"where": "up"}, seed=0, truncation=t).to_numpy()["image"].astype(float).std(0).mean()
        for t in (1.0, 0.1)
    ]
    assert spread[1] < 0.7 * spread[0]


# Tables


@functools.cache
def table(n=600):
    rng = np.random.default_rng(0)
    rich = rng.random(n) < 0.5
    days = np.datetime64("2020-01-01") + np.where(rich, 600, 100) + rng.integers(0, 60, n)
    spent = np.where(rng.random(n) < 0.5, 0.0, np.round(rng.gamma(3.0, 20.0, n), 2))
    return {
        "group": np.where(rich, "rich", "poor"),
        "income": np.where(rng.random(n) < 0.3, np.nan, np.where(rich, 90.0, 30.0) + 3 * rng.standard_normal(n)),
        "spent": spent.tolist(),
        "children": rng.poisson(2.0, n),
        "since": pa.array([None if hole else d for d, hole in zip(days.tolist(), rng.random(n) < 0.1, strict=True)]),
    }


@functools.cache
def tabled():
    return fitted(table(), steps=500, width=32, lr=3e-3, gamma=0.003, pack=1, run={"batch": 128})


def test_a_table_is_drawn_with_its_holes_atoms_and_dates():
    model = tabled()
    assert model.schema["spent"].atoms == (0.0,)
    drawn = model.sample(2000, seed=0)
    assert drawn.schema == model.schema
    real = pf.read(table())
    for name in real.schema.names:
        one, two = real.column(name).null_count / len(real), drawn.column(name).null_count / 2000
        assert (one > 0) == (two > 0) and abs(one - two) < 0.1, name
    at = [np.mean(np.array(each.column("spent").drop_null()) == 0.0) for each in (real, drawn)]
    assert abs(at[0] - at[1]) < 0.15
    kids = np.array(drawn.column("children"))
    assert (kids == kids.round()).all() and kids.min() >= 0
    since = drawn.column("since").drop_null()
    assert since.type == pa.date32() and str(min(since.to_pylist())) >= "2020-01-01"


def test_a_table_holds_together():
    """Who is rich has an income above 60 and came late."""
    drawn = tabled().sample(1000, seed=1)
    rich = np.array([value == "rich" for value in drawn.column("group").to_pylist()])
    income = np.array(drawn.column("income").to_pylist(), float)
    there = ~np.isnan(income)
    assert far_above_chance((income > 60)[there] == rich[there])


def test_a_table_is_filled_with_what_belongs_there():
    holes = {"income": [90.0, 30.0] * 40, "group": [None] * 80, "spent": [None] * 80}
    filled = tabled().complete(holes, seed=0)
    assert filled.column("income").to_pylist() == holes["income"]
    assert all(filled.column(name).null_count == 0 for name in filled.schema.names)
    rich = np.array([value == "rich" for value in filled.column("group").to_pylist()])
    assert far_above_chance(rich == np.array([True, False] * 40))


# Both at once


@functools.cache
def both():
    """A model of both, whose generator is one that is known: z₀ says where the picture is bright, and the row too."""
    model = fitted(squares(), steps=1, width=8)
    network = model.network
    head, levels = network.generator.row, network.flat.levels
    places = {value: i for i, value in enumerate(model.schema["where"].values)}

    def forward(z, given, generator, whole=False):
        up = torch.tensor([1.0] * 8 + [-1.0] * 8)
        picture = (0.8 * torch.tanh(3 * z[:, :1]) * up - levels.mean) / levels.scale
        logits = torch.zeros(len(z), head.outputs)
        logits[:, places["up"]], logits[:, places["down"]] = 20 * z[:, 0], -20 * z[:, 0]
        return torch.cat([picture, head(logits, generator, whole)], 1)

    network.generator.forward = forward
    return model


def test_a_picture_and_a_row_are_drawn_together():
    drawn = both().sample(400, seed=0)
    assert drawn.schema == both().schema
    assert far_above_chance(is_down(drawn) == said_down(drawn))


def test_the_row_of_a_picture_is_found():
    known = squares(100, seed=5)
    filled = both().complete(known | {"where": [None] * 100}, seed=0)
    assert np.array_equal(filled.to_numpy()["image"].reshape(-1, 4, 4), known["image"])
    assert far_above_chance(said_down(filled) == (known["where"] == "down"))


def test_the_picture_of_a_row_is_found():
    known = pf.read(squares(100, seed=5))
    image = known.schema.arrow.field("image")
    table = known.table.set_column(0, image, pa.nulls(100, image.type))
    assert known.table.column_names[0] == "image"
    filled = both().complete(table, seed=0)
    assert filled.column("where").to_pylist() == known.column("where").to_pylist()
    assert far_above_chance(is_down(filled) == said_down(known))


# Pictures and texts

CAPTIONS = {"up": ["a bar above", "the upper half is bright"], "down": ["a bar below", "the lower half is bright"]}


def told_down(records):
    return np.array([text in CAPTIONS["down"] for text in records.column("caption").to_pylist()])


@functools.cache
def captioned():
    """Squares with one of two captions each, after a short game."""
    rng, data = np.random.default_rng(3), squares()
    texts = [CAPTIONS[where][rng.integers(2)] for where in data["where"]]
    records = pf.read({"image": data["image"], "caption": texts}, text=["caption"])
    return fitted(records, steps=150), records


def test_a_picture_and_a_caption_of_the_data_are_drawn_together():
    model, records = captioned()
    drawn = model.sample(400, seed=0)
    assert drawn.schema == records.schema
    said = drawn.column("caption").to_pylist()
    known = [text for texts in CAPTIONS.values() for text in texts]
    right = np.array([text in known for text in said])
    assert right.mean() > 0.8 and min(said.count(text) for text in known) > 20  # of 400, of four texts
    assert np.mean(is_down(drawn)[right] == told_down(drawn)[right]) > 0.8


@pytest.mark.parametrize("known", ["image", "caption"])
def test_picture_or_caption_is_filled_beside_the_other(known):
    model, records = captioned()
    part = records[:100]
    alone = model.complete({known: part.to_numpy()[known]}, seed=0)
    assert alone.names == records.names and alone.column("image").null_count == alone.column("caption").null_count == 0
    other = "caption" if known == "image" else "image"
    field = records.schema.arrow.field(other)
    at = records.table.column_names.index(other)
    filled = model.complete(part.table.set_column(at, field, pa.nulls(100, field.type)), seed=0)
    assert filled.column(known).to_pylist() == part.column(known).to_pylist()
    assert filled.column(other).null_count == 0


def test_captions_that_go_with_pictures_are_found_by_them():
    """With a generator that is known: z₀ says where the picture is bright, and what it is called."""
    _, records = captioned()
    model = fitted(records, steps=1, width=8)
    network, wording = model.network, model._phrasing.wordings["caption"]
    ends = wording.encode([CAPTIONS["up"][0], CAPTIONS["down"][0]]).double()
    cells = torch.zeros(2, 0, dtype=torch.int64), torch.zeros(2, 0, dtype=torch.bool)
    up, down = network.flat.vector(ends, *cells)[0].float()
    levels = network.flat.levels

    def forward(z, given, generator, whole=False):
        bars = 0.8 * torch.tanh(3 * z[:, :1]) * torch.tensor([1.0] * 8 + [-1.0] * 8)
        return torch.cat([(bars - levels.mean) / levels.scale, torch.where(z[:, :1] > 0, up, down)], 1)

    network.generator.forward = forward
    field = records.schema.arrow.field("caption")
    blind = records[:100].table.set_column(1, field, pa.nulls(100, field.type))
    assert far_above_chance(is_down(records[:100]) == told_down(model.complete(blind, seed=0)))
    assert not far_above_chance(
        is_down(records[:100]) == told_down(model.complete(blind, seed=0, candidates=1, steps=0))
    )


def test_a_model_of_captions_is_kept_whole(tmp_path):
    model, _ = captioned()
    model.save(tmp_path / "model")
    assert pf.load(tmp_path / "model").sample(5, seed=1).table.equals(model.sample(5, seed=1).table)


def test_a_twin_that_does_not_search_finds_no_better_than_chance():
    known = squares(100, seed=5)
    filled = both().complete(known | {"where": [None] * 100}, seed=0, candidates=1, steps=0)
    assert not far_above_chance(said_down(filled) == (known["where"] == "down"))


@pytest.mark.parametrize("options", [{}, {"inference": True}, {"pack": 2}, {"loss": "hinge", "penalty": "nearby"}])
def test_both_are_learned_by_any_game(options):
    model = fitted(squares(40), steps=3, width=8, **options)
    before, after = (np.array(each) for each in (squares(40)["image"], model.sample(40, seed=0).to_numpy()["image"]))
    assert before.size == after.size and model.history["generator"][0].tolist() == [1, 2, 3]


# Conditions of every kind


def conditions(n=60):
    rng = np.random.default_rng(1)
    return {
        "image": rng.integers(0, 255, (n, 8, 8)).astype(np.uint8),
        "x": rng.standard_normal(n),
        "town": rng.choice(["Ulm", "Bonn"], n),
        "age": np.where(rng.random(n) < 0.2, np.nan, rng.integers(20, 60, n)),
        "note": [f"a {word} day" for word in rng.choice(["wet", "fine"], n)],
    }


@functools.cache
def told(rest):
    records = pf.read(conditions(), text=["note"])
    return fitted(records, given=[name for name in records.schema.names if name not in rest], steps=3)


@pytest.mark.parametrize("rest", [("x",), ("image",), ("image", "town")])
def test_any_of_the_conditions_may_be_told(rest):
    model = told(rest)
    values = {"image": conditions()["image"][0], "x": 0.5, "town": "Ulm", "age": 31, "note": "a wet day"}
    values = {name: values[name] for name in model.given}
    assert {model.schema[name].kind for name in values} >= {"number", "text"}
    for names in ([], *([name] for name in values), list(values)):
        drawn = model.sample(3, given={name: values[name] for name in names} or None, seed=0)
        assert set(drawn.schema.names) == {*rest, *names} and len(drawn) == 3


def test_a_condition_that_is_told_changes_what_is_drawn():
    model = drawing()
    a, b = (model.sample(5, given={"where": w}, seed=0).to_numpy()["image"] for w in ("up", "down"))
    assert not np.array_equal(a, b)


# Codes


@functools.cache
def coded():
    data = np.random.default_rng(0).standard_normal((500, 2))
    return fitted(data, steps=200, inference=True, latent=2, lr=2e-3, gamma=0.0125, pack=1, run={"batch": 64})


def test_with_inference_records_have_codes():
    model, data = coded(), np.random.default_rng(1).standard_normal((50, 2))
    codes = model.encode(data)
    assert codes.shape == (50, 2) and np.isfinite(codes).all()
    back = model.decode(codes)
    assert back.schema == model.schema and len(back) == 50
    assert model.reconstruct(data).table.equals(back.table)
    assert len(model.traverse(rows=2, steps=3)) == 6


def test_codes_are_about_as_wide_as_the_noise():
    codes = coded().encode(np.random.default_rng(2).standard_normal((300, 2)))
    assert ((codes.std(0) > 0.3) & (codes.std(0) < 3.0)).all()


def test_there_are_codes_where_conditions_are_always_told():
    """They are taken with the conditions, so none need be absent for that."""
    model = fitted(squares(40), given="where", steps=3, width=8, inference=True, absent=0)
    data = pf.read(squares(20, seed=1))
    codes = model.encode(data)
    assert codes.shape == (20, 8) and np.isfinite(codes).all()
    back = model.reconstruct(data)
    assert back.column("where").to_pylist() == data.column("where").to_pylist()
    told = {"where": squares(20, seed=1)["where"]}
    assert model.decode(codes, given=told).table.equals(back.table)
    assert len(model.interpolate(data[:1], data[1:2], 4)) == 4
    assert len(model.traverse(data[:1], rows=2, steps=3)) == 6
    with pytest.raises(pf.ArgumentError, match="must be given"):
        model.decode(codes)


def test_without_inference_there_are_none():
    model = both()
    for name in ("encode", "decode", "reconstruct", "traverse", "interpolate"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match="inference=True"):
            getattr(model, name)
    assert not hasattr(model, "log_prob") and model.density == "none"


# Weights, held-out data, the end, pictures of the game


def test_records_without_weight_are_not_learned():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-3, 0.3, 300), rng.normal(3, 0.3, 300)])
    data = {"x": x, "y": rng.standard_normal(600), "w": (x > 0).astype(float)}
    model = fitted(data, steps=300, width=32, lr=2e-3, gamma=0.025, run={"weights": "w", "batch": 64})
    drawn = np.array(model.sample(500, seed=0).column("x"))
    assert (drawn > 0).mean() > 0.9
    assert not {"_some", "_watch"} & set(vars(model))  # nothing of the data stays with the model


def test_records_without_weight_are_not_looked_at():
    """Neither for coverage nor for copies."""
    rows = chosen_rows({"codes": torch.empty(100, 0), "weight": torch.tensor([0.0, 2.0] * 50)}, 2000,
                     torch.Generator().manual_seed(0))  # fmt: skip
    assert sorted(rows.tolist()) == list(range(1, 100, 2))


def test_held_out_data_is_looked_at():
    rng = np.random.default_rng(0)
    model = fitted(rng.standard_normal((200, 2)), steps=60, run={"validation": rng.standard_normal((50, 2))})
    for name in ("held-out", "accuracy/held-out"):
        steps, values = model.history[name]
        assert steps.tolist() == [50, 60] and np.isfinite(values).all()
    assert (model.history["accuracy/held-out"][1] >= 0).all() and (model.history["accuracy/held-out"][1] <= 1).all()


def test_without_a_budget_it_ends_by_itself():
    data = np.random.default_rng(0).standard_normal((64, 2))
    model = fitted(data, steps=None, width=8, latent=2, lr=1e-5)  # hardly anything to be learned
    steps, held = model.history["held-out"]
    best = steps[held.argmin()]
    assert model.measurements["steps"] >= max(1.5 * best, best + 5 * 50) and len(held) >= 6


def test_a_game_over_two_numbers_can_be_seen(tmp_path):
    model = fitted(np.random.default_rng(0).standard_normal((80, 2)), steps=10, width=8)
    assert len(model.history.scenes) >= 2
    scene = model.history.scenes[-1]
    assert scene.step == 10 and scene.real.shape == (80, 2) and scene.drawn.shape == (80, 2)
    assert ((scene.surface >= 0) & (scene.surface <= 1)).all()
    pytest.importorskip("matplotlib")
    path = tmp_path / "game.gif"
    model.history.animate(path)
    assert path.stat().st_size > 1000


def test_a_look_at_the_game_changes_nothing(monkeypatch):
    data = np.random.default_rng(0).standard_normal((80, 2))
    one = fitted(data, steps=10, width=8)._state()
    monkeypatch.setattr(pf.GAN, "_scene", lambda self, step: None)
    other = fitted(data, steps=10, width=8)._state()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("options", [{"spectral": True}, {"inference": True, "pack": 2}, {"augment": 0.5}])
def test_a_saved_model_draws_the_same(tmp_path, options):
    model = fitted(squares(40), steps=3, width=8, **options)
    model.save(tmp_path / "model")
    assert pf.load(tmp_path / "model").sample(5, seed=1).table.equals(model.sample(5, seed=1).table)
