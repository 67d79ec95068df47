"""CLIP as a family: it learns, compares, finds, and minds what captions may be like."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.pixels import from_pixels
from pushforward.text_image.neighbours import Neighbours

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 70, 220), "yellow": (240, 220, 40)}
PLACES = {"left": 0, "right": 8}


def squares(n=240, seed=0):
    """A coloured square on the left or right, in words, and its place as a category."""
    rng = np.random.default_rng(seed)
    pixels = np.full((n, 16, 16, 3), 250, np.uint8)
    captions, places = [], []
    for picture in pixels:
        colour, place = rng.choice(list(COLOURS)), rng.choice(list(PLACES))
        row, column = rng.integers(0, 8), PLACES[place] + rng.integers(0, 3)
        picture[row : row + 6, column : column + 6] = COLOURS[colour]
        captions.append(f"a {colour} square on the {place}")
        places.append(place)
    return {"image": pixels, "caption": captions, "place": places}


def read(data):
    return pf.read(data, text=["caption"], category=["place"] if "place" in data else [])


SMALL = {"width": 8, "dim": 16, "text_width": 32}
ALL = [f"a {colour} square on the {place}" for colour in COLOURS for place in PLACES]


@pytest.fixture(scope="module")
def model():
    return pf.CLIP(**SMALL).fit(read(squares()), steps=80, seed=0, device="cpu")


@pytest.fixture(scope="module")
def others():
    return read(squares(80, seed=1))


def test_pictures_never_seen_are_told(model, others):
    told = model.predict(others, among=ALL)
    assert (told == others.to_numpy()["caption"]).mean() > 0.9  # one in eight by chance
    chances = model.predict_proba(others.select(["image"]), among=ALL)
    assert np.allclose(chances.sum(1), 1) and ([ALL[i] for i in chances.argmax(1)] == told).all()


def test_a_category_is_told_too(model, others):
    assert (model.predict(others, "place") == others.to_numpy()["place"]).mean() > 0.9


def test_texts_find_pictures_and_pictures_texts(model, others):
    rows, cosines = model.search("a blue square on the left", others.select(["image"]), k=5)
    found = others.to_numpy()["caption"][rows]
    assert (found == "a blue square on the left").mean() >= 0.8 and (np.diff(cosines) <= 0).all()
    back, _ = model.search(others[:40].select(["image"]), ALL, k=1)
    assert np.mean([ALL[i] for i in back[:, 0]] == others[:40].to_numpy()["caption"]) > 0.9


def test_one_caption_is_a_caption_and_not_its_letters(model, others):
    assert model.predict(others[:2], among="a red square").tolist() == ["a red square"] * 2
    assert model.predict_proba(others[:2], among="a red square").shape == (2, 1)


def test_a_model_of_categories_alone_is_asked_like_any_other():
    data = {"image": squares()["image"], "place": squares()["place"]}
    model = pf.CLIP(**SMALL).fit(data, steps=40, seed=0, device="cpu")
    records, said = pf.read(data)[:40], ["place: left", "place: right"]
    assert (model.predict(records, "place") == records.to_numpy()["place"]).mean() > 0.8
    told = model.predict(records, among=said)
    assert [f"place: {place}" for place in model.predict(records, "place")] == told.tolist()
    rows, _ = model.search(said[0], records, k=5)
    assert (records.to_numpy()["place"][rows] == "left").mean() >= 0.8
    back, _ = model.search(records[:5], said, k=1)
    assert [said[i] for i in back[:, 0]] == told[:5].tolist()
    assert model.encode(said).shape == (2, 16) and model.similarity(records, said).shape == (40, 2)
    with pytest.raises(pf.DataError, match="has no picture"):
        model.predict(said, among=said)


def test_more_than_there_is_finds_all(model, others):
    rows, _ = model.search("a red square", others[:3], k=10)
    assert sorted(rows.tolist()) == [0, 1, 2]


def test_both_sides_are_encoded_in_one_space(model, others):
    pictures, texts = model.encode(others.select(["image"])), model.encode(others, of="text")
    assert pictures.shape == texts.shape == (80, 16)
    assert np.allclose(np.linalg.norm(pictures, axis=1), 1) and np.allclose(np.linalg.norm(texts, axis=1), 1)
    assert np.array_equal(model.encode(others), pictures)
    both = model.encode(others.select(["caption", "place"]))
    assert np.allclose((pictures * both).sum(1), model.similarity(others), atol=1e-6)


def test_strings_are_texts(model, others):
    said = others.to_numpy()["caption"].tolist()
    assert np.allclose(model.encode(said), model.encode(others.select(["caption"])), atol=1e-6)
    assert model.similarity(others, said[:2]).shape == (80, 2)


def test_vectors_have_slopes_into_pictures_of_any_size(model, others):
    x = from_pixels(torch.from_numpy(others.to_numpy()["image"][:2].copy())).requires_grad_()
    whole = model.picture_vectors(x)
    assert np.allclose(whole.detach().numpy(), model.encode(others[:2]), atol=1e-5)
    large = torch.nn.functional.interpolate(x, (40, 24))
    (model.picture_vectors(large) @ model.text_vectors(["a red square"]).T).sum().backward()
    assert (x.grad.abs().sum((1, 2, 3)) > 0).all()


def test_what_was_measured_is_told(model):
    found = model.measurements["found"]
    assert found["among"] == 8 and found["texts"] >= 0.75 and found["pictures"] >= 0.75
    assert model.density == "none" and "matched" in model.history.names


def test_it_draws_nothing_and_scores_nothing(model):
    for verb in ("sample", "log_prob", "decode", "complete", "transport"):
        assert not hasattr(model, verb), verb


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
def test_either_loss_learns_without_neighbours_too(kind):
    data = read(squares()).select(["image", "caption"])
    model = pf.CLIP(**SMALL, loss=kind, alike=1).fit(data, steps=120, seed=0, device="cpu")
    assert (model.predict(data, among=ALL) == data.to_numpy()["caption"]).mean() > 0.7


def test_shuffled_captions_teach_nothing(others):
    data = squares()
    rng = np.random.default_rng(5)
    data["caption"] = rng.permutation(data["caption"]).tolist()
    model = pf.CLIP(**SMALL).fit(read(data).select(["image", "caption"]), steps=40, seed=0, device="cpu")
    assert (model.predict(others, among=ALL) == others.to_numpy()["caption"]).mean() < 0.5


# What captions may be like


def test_records_without_a_caption_teach_nothing_and_that_is_said():
    data = squares(64)
    holed = {"image": data["image"], "caption": [None if i % 2 else c for i, c in enumerate(data["caption"])]}
    holed["caption"][2] = "..."  # no word either
    with pytest.warns(pf.CaptionWarning, match="33 of 64 records have no text"):
        one = pf.CLIP(**SMALL, alike=1).fit(read(holed), steps=1, batch=64, device="cpu")
    assert one.measurements["without_text"] == 33
    # a step over all records, with the weight of a record without a text or without that record, moves alike
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.CaptionWarning)
        batch = one._tensors(read(holed))
    one.network.eval()
    loss, _ = one._loss(batch, torch.Generator())
    told = {name: tensor[batch["told"].any(1)] for name, tensor in batch.items()}
    assert torch.allclose(loss, one._loss(told, torch.Generator())[0])


def holed(n, kept):
    """Squares of which only some rows have a caption, in an order of their own."""
    data = squares(n)
    return {"image": data["image"], "caption": [data["caption"][i] if i in kept else None for i in range(n)]}


@pytest.mark.filterwarnings("ignore:58 of 60 records have no text")
@pytest.mark.parametrize("alike", [1, 2])
def test_batches_without_any_text_teach_nothing_and_do_no_harm(alike):
    kept = (0, next(i for i in range(1, 60) if squares(60)["caption"][i] != squares(60)["caption"][0]))
    model = pf.CLIP(**SMALL, alike=alike).fit(read(holed(60, kept)), steps=8, batch=8, seed=0, device="cpu")
    assert model.measurements["found"]["among"] == 2
    model.network.train()
    batch = model._tensors(read(holed(60, kept))[2:5])
    assert not batch["told"].any()
    loss, facts = model._loss(batch, torch.Generator())
    loss.backward()
    assert loss == facts["matched"] == 0
    assert all(weight.grad is not None and not weight.grad.any() for weight in model.network.parameters())


@pytest.mark.filterwarnings("ignore:.* records have no text")
def test_where_no_text_was_held_out_nothing_is_found_and_that_is_told():
    some = read(holed(60, range(20)))
    model = pf.CLIP(**SMALL).fit(some[:40], steps=2, validation=some[40:], device="cpu")
    assert model.measurements["found"] == {"among": 0}


@pytest.mark.filterwarnings("ignore:40 of 80 records have no text")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_hard_negatives_are_looked_for_from_what_is_told_alone(monkeypatch, precision):
    """So that a batch stays full where half of the records have no text."""
    seen, asked = [], Neighbours.beside

    def beside(self, seeds, *rest):
        seen.append(seeds)
        return asked(self, seeds, *rest)

    monkeypatch.setattr(Neighbours, "beside", beside)
    data = read(holed(80, range(40)))
    pf.CLIP(**SMALL).fit(data, steps=3, batch=32, seed=0, device="cpu", precision=precision)
    assert all(seeds["told"].any(1).all() for seeds in seen)
    assert sum(len(seeds["told"]) for seeds in seen) >= 3 * 10  # 16 of 32 are told, about, and 16 are wanted


@pytest.mark.parametrize("drop", [0.1, 0.4, 0.9])
def test_vectors_of_words_are_learned_however_many_are_left_out(drop):
    model = pf.CLIP(**SMALL, drop=drop).fit(read(squares(40)), steps=1, device="cpu")
    assert 0 < model.network.read.forget <= 0.5


def without_pictures(records, rows):
    """The records with no picture in some rows."""
    column = records.column("image").combine_chunks()
    gone = pa.array(np.isin(np.arange(len(records)), rows))
    storage = pc.if_else(gone, pa.scalar(None, column.storage.type), column.storage)
    holed = pa.ExtensionArray.from_storage(column.type, storage)
    at = records.table.column_names.index("image")
    return pf.Records(records.schema, records.table.set_column(at, records.table.schema.field("image"), holed))


def test_records_without_a_picture_teach_nothing_and_cannot_be_looked_at():
    data = without_pictures(read(squares(40)), [3, 30])
    with pytest.warns(pf.CaptionWarning, match="2 of 40 records have no text, or no picture"):
        model = pf.CLIP(**SMALL).fit(data, steps=2, device="cpu")
    assert not model._tensors(data)["told"][[3, 30]].any()
    with pytest.raises(pf.DataError, match="'image' lacks 2 pictures; leave those records out"):
        model.encode(data)
    assert model.encode(data, of="text").shape == (40, 16)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_of_any_number_of_channels_are_seen(channels):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 8, 8, channels)).astype(np.uint8)
    data = pf.read({"image": pixels, "caption": squares(40)["caption"]}, text=["caption"])
    assert pf.CLIP(**SMALL).fit(data, steps=1, device="cpu").encode(data).shape == (40, 16)


def test_a_text_without_a_word_is_encoded_as_nothing(model, others):
    table = others[:3].table.set_column(1, "caption", pa.array([None, "", "a red square"])).drop_columns(["place"])
    out = model.encode(table, of="text")
    assert np.isfinite(out).all() and np.allclose(out[0], out[1]) and not np.allclose(out[0], out[2])


@pytest.mark.parametrize("nothing", ["", "   "])
def test_an_empty_query_is_refused(model, others, nothing):
    with pytest.raises(pf.ArgumentError, match="say in a few words"):
        model.search(nothing, others)
    with pytest.raises(pf.ArgumentError, match="say in a few words"):
        model.predict(others, among=["a red square", nothing])
    with pytest.raises(pf.ArgumentError, match="name at least one"):
        model.predict(others, among=[])


def test_words_never_seen_are_named(model):
    with pytest.warns(pf.CaptionWarning, match="share with others, if any: crimson, triangle$"):
        model.encode(["a crimson square", "a red triangle"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.encode(ALL)


def test_scripts_that_were_never_seen_say_nothing(model):
    with pytest.warns(pf.CaptionWarning, match="красный"):
        a, b = model.encode(["красный квадрат", "赤い四角"])
    assert np.isfinite(a).all() and np.allclose(a, b, atol=1e-6)


def test_a_very_long_caption_is_cut_and_that_is_said(model):
    with pytest.warns(pf.CaptionWarning, match=r"text of 10,000 characters is cut to its first 40 words"):
        out = model.encode(["a red square " * 769 + "abc"])
    assert np.isfinite(out).all()


def test_captions_all_alike_are_refused():
    with pytest.raises(pf.DataError, match="all texts are alike"):
        pf.CLIP(**SMALL).fit(read({"image": squares(40)["image"], "caption": ["a square here"] * 40}), steps=1)


@pytest.mark.parametrize(
    "data, words",
    [
        ({"x": [1.0, 2.5] * 20, "caption": ["a b c d", "e f g h"] * 20}, "'x' is a number"),
        ({"caption": ["a b c d", "e f g h"] * 20}, "needs one picture a record, and the data has none"),
        ({"image": squares(40)["image"]}, "needs a caption"),
        (
            {"image": squares(40)["image"], "b": squares(40)["image"], "caption": ["a b", "c d"] * 20},
            r"has \['image', 'b'\]; read it with leave_out=",
        ),
    ],
)
def test_data_without_pairs_is_refused(data, words):
    records = pf.read(data, text=["caption"]) if "caption" in data else pf.read(data)
    with pytest.raises(pf.DataError, match=words):
        pf.CLIP(**SMALL).fit(records, steps=1)


@pytest.mark.parametrize("said", [{"dim": 64}, {"width": 8}, {"layers": 2}, {"text_width": 32}, {"drop": 0.2}])
def test_what_a_pretrained_clip_would_not_heed_is_refused(said):
    (name,) = said
    with pytest.raises(pf.ArgumentError, match=f"{name}=.* is not for pretrained='any'.*; leave {name}= out"):
        pf.CLIP(pretrained="any", **said).fit(read(squares(40)), steps=1)


def test_conditions_are_refused():
    with pytest.raises(pf.DataError, match="leave given= out"):
        pf.CLIP(**SMALL).fit(read(squares(40)), given="place", steps=1)


def test_a_side_that_is_lacking_is_named(model, others):
    with pytest.raises(pf.DataError, match="has no picture"):
        model.search("a red square", others.select(["caption"]))
    with pytest.raises(pf.DataError, match="has no text"):
        model.encode(others.select(["image"]), of="text")
    with pytest.raises(pf.DataError, match="'image' is not in the data"):
        model.encode({"other": [1, 2]})


def test_field_and_captions_are_not_said_together(model, others):
    with pytest.raises(pf.ArgumentError, match="both said"):
        model.predict(others, "place", among=ALL)
    with pytest.raises(pf.ArgumentError, match="field= is not said"):
        model.predict(others)
    trees = pf.DependencyTree().fit("penguins")
    with pytest.raises(pf.ArgumentError, match="among= is not for DependencyTree"):
        trees.predict("penguins", among=["a penguin"])
