"""CLIP as a family: it learns, compares, finds, and minds what captions may be like."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.data.encodings.pixels import from_pixels

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
    model = pf.CLIP(**SMALL, loss=kind, alike=1).fit(data, steps=60, seed=0, device="cpu")
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
    with pytest.warns(pf.CaptionWarning, match="by their characters alone: crimson, triangle$"):
        model.encode(["a crimson square", "a red triangle"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.encode(ALL)


def test_other_scripts_are_read(model):
    with pytest.warns(pf.CaptionWarning, match="красный"):
        a, b = model.encode(["красный квадрат", "赤い四角"])
    assert np.isfinite(a).all() and not np.allclose(a, b)


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
    ],
)
def test_data_without_pairs_is_refused(data, words):
    records = pf.read(data, text=["caption"]) if "caption" in data else pf.read(data)
    with pytest.raises(pf.DataError, match=words):
        pf.CLIP(**SMALL).fit(records, steps=1)


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
