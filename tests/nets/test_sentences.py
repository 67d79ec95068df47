"""A frozen encoder that reads texts which are given, beside the words that are learned; a tiny one is made here."""

import copy

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.nets.condition import Condition
from pushforward.nets.sentences import Sentences
from pushforward.training.randomness import scope

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")  # what other libraries warn of is not ours

COLOURS = {"red": "crimson", "blue": "azure", "green": "emerald", "yellow": "gold", "white": "ivory", "black": "jet"}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIDE = 4


def made(folder, kind="BertModel"):
    """An encoder to which each colour and its other name are one."""
    vocabulary = [*SPECIAL, *COLOURS, *COLOURS.values()]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24
    )
    with scope(0):
        model = getattr(transformers, kind)(config)
        rows = model.get_input_embeddings().weight.data.normal_()
    for word, same in COLOURS.items():
        rows[vocabulary.index(same)] = rows[vocabulary.index(word)]
    model.save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("sentences"))


PLACES = {word: (np.cos(i), np.sin(i)) for i, word in enumerate(COLOURS)}


def points(n=240, words=tuple(COLOURS)):
    """Points near the place of the colour that each is called by."""
    rng = np.random.default_rng(0)
    said = [words[i % len(words)] for i in range(n)]
    x, y = (np.array([PLACES[word] for word in said]) + 0.05 * rng.standard_normal((n, 2))).T
    return pf.read({"x": x, "y": y, "name": said}, text=["name"])


def far(model, names):
    """How far draws are from the places of names, on the mean."""
    out = []
    for word, name in zip(COLOURS, names, strict=True):
        columns = model.sample(40, given={"name": name}, seed=0).to_numpy()
        out.append(np.hypot(columns["x"] - PLACES[word][0], columns["y"] - PLACES[word][1]).mean())
    return np.array(out)


HOW = {"given": "name", "steps": 150, "seed": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def placed(folder):
    return pf.Diffusion(width=48, text_encoder=folder).fit(points(), **HOW)


def test_words_never_seen_mean_what_the_encoder_says(placed):
    known, other = far(placed, COLOURS), far(placed, COLOURS.values())
    assert known.max() < 0.35 and other.max() < 0.35


def test_learned_words_alone_do_not_know_them():
    model = pf.Diffusion(width=48).fit(points(), **HOW)
    known, other = far(model, COLOURS), far(model, COLOURS.values())
    assert known.max() < 0.35 and other.mean() > 0.7


def test_words_of_later_chunks_are_learned(tmp_path, monkeypatch):
    monkeypatch.setattr("pushforward.data.records.ROWS", 120)
    columns = {name: np.asarray(column) for name, column in points().to_numpy().items()}
    columns["name"] = np.array([*columns["name"][:120], *(COLOURS[name] for name in columns["name"][120:])])
    pf.read(columns, text=["name"]).save(tmp_path / "points.parquet")
    scan = pf.scan(tmp_path / "points.parquet", text=["name"])
    assert set(next(scan.chunks()).column("name").to_pylist()) == set(COLOURS)
    model = pf.Diffusion(width=48).fit(scan, **HOW)
    assert far(model, COLOURS).max() < 0.35 and far(model, COLOURS.values()).max() < 0.35


def pictures(n=64, seed=0):
    """Red squares and blue ones, as their captions say, and how bright each is."""
    rng = np.random.default_rng(seed)
    red = rng.random(n) < 0.5
    pixels = np.zeros((n, SIDE, SIDE, 3), np.uint8)
    pixels[red, :, :, 0] = 200
    pixels[~red, :, :, 2] = 200
    pixels[..., 1] = rng.integers(0, 60, (n, 1, 1))
    return pf.read({"image": pixels, "caption": np.where(red, "red", "blue").tolist()}, text=["caption"])


def test_places_of_a_picture_hear_it(folder):
    model = pf.Diffusion(width=16, text_encoder=folder).fit(
        pictures(), given="caption", steps=120, seed=0, device="cpu"
    )
    asked = {"caption": ["red", "crimson", "blue", "azure"] * 16}
    pixels = model.sample(64, given=asked, seed=0).to_numpy()["image"].astype(float).mean((1, 2))
    assert ((pixels[:, 0] > pixels[:, 2]) == np.array([True, True, False, False] * 16)).mean() > 0.95


def test_the_encoder_is_named_and_not_saved(placed, tmp_path):
    assert set(placed.measurements["text_encoder"]) == {"name", "sha256", "width"}
    loaded = pf.load(placed.save(tmp_path / "model"), device="cpu")
    asked = {"given": {"name": "crimson"}, "seed": 0}
    assert loaded.sample(3, **asked).table.equals(placed.sample(3, **asked).table)


FAMILIES = {
    "gan": {"width": 8, "latent": 4},
    "vae": {"width": 8, "latent": 2},
    "autoencoder": {"width": 8, "latent": 2},
    "vq": {"width": 8, "codes": 16},
    "flow": {"width": 8},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_with_conditions_takes_one(name, folder, tmp_path):
    family = pf.families.family(name)
    model = family(**FAMILIES[name], text_encoder=folder).fit(pictures(32), given="caption", steps=3, device="cpu")
    told = [module for module in model.network.modules() if isinstance(module, Condition)]
    assert told and all(isinstance(each.sentences, Sentences) and each.parts["0"].own is not None for each in told)
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    asked = {"given": {"caption": "crimson"}, "seed": 0}
    assert loaded.sample(2, **asked).table.equals(model.sample(2, **asked).table)


def test_what_is_made_of_them_takes_one(folder, tmp_path):
    pictures_ = f"diffusion:width=8,layers=1,text_encoder={folder}"
    model = pf.Joint(pictures=pictures_, width=8, layers=1).fit(pictures(32), steps=3, device="cpu")
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    asked = {"given": {"caption": "crimson"}, "seed": 0}
    assert loaded.sample(2, **asked).table.equals(model.sample(2, **asked).table)


def test_an_encoder_without_texts_is_refused_before_anything_is_learned(folder):
    with pytest.raises(pf.ArgumentError, match="reads texts that are given, and none is"):
        pf.Diffusion(width=8, text_encoder=folder).fit(pictures().select(["image"]), steps=1, device="cpu")
    latent = pf.Latent("vae:latent=2", prior="diffusion:text_encoder=/nowhere/x")
    with pytest.raises(pf.ArgumentError, match="cannot be loaded"):
        next(iter(latent.fitting(points(), given="name", steps=1)))


def test_weights_that_a_folder_lacks_are_drawn_alike(tmp_path):
    name = made(tmp_path, "BertForMaskedLM")
    with scope(1):
        one = Sentences(name).facts()
        after = torch.rand(1)
    with scope(1):
        assert torch.equal(torch.rand(1), after)
    with scope(2):
        assert Sentences(name).facts() == one


def test_loading_shows_no_bars_of_its_own(folder, capfd):
    Sentences(folder).tokens(["red"])
    assert capfd.readouterr() == ("", "") and transformers.utils.logging.is_progress_bar_enabled()


def test_copies_share_it(folder):
    condition = Condition(points().schema.select(["name"]), 8)
    condition.read_by(Sentences(folder))
    assert copy.deepcopy(condition).sentences is condition.sentences


@pytest.mark.parametrize("frozen", [False, True])
def test_who_is_told_alike_is_no_stranger(folder, frozen):
    condition = Condition(points().schema.select(["name"]), 8).train()
    if frozen:
        condition.read_by(Sentences(folder))
    tensors = condition.encode(pf.read({"name": ["red", "red", "blue", None]}, text=["name"]))
    assert condition.unlike(tensors, None, 1).tolist() == [True, False, True, True]
    drop = torch.tensor([[False], [True], [True], [False]])
    assert condition.unlike(tensors, drop, 1).tolist() == [True, True, False, False]


def test_vectors_move_nothing_where_nothing_is_said(folder):
    condition = Condition(pictures().schema.select(["caption"]), 8)
    condition.read_by(Sentences(folder))
    tensors = condition.encode(pf.read({"caption": ["red", None]}, text=["caption"]))
    assert tensors["given.whole.0"].shape == (2, 24) and not tensors["given.whole.0"][1].any()
    other = {**tensors, "given.whole.0": tensors["given.whole.0"] + 1}
    before, after = condition.eval()(tensors), condition(other)
    assert not torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
