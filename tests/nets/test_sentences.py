"""A frozen encoder that reads texts which are given, beside the words that are learned; a tiny one is made here."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.nets.condition import Condition
from pushforward.nets.sentences import Sentences
from pushforward.training.randomness import scope

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")  # what other libraries warn of is not ours

WORDS = ["a", "red", "blue", "square", "crimson", "azure"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIDE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sentence encoder to which crimson is red, and azure is blue."""
    folder = tmp_path_factory.mktemp("sentences")
    vocabulary = [*SPECIAL, *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24
    )
    with scope(0):
        model = transformers.BertModel(config)
        rows = model.embeddings.word_embeddings.weight.data.normal_()
    for same, word in (("crimson", "red"), ("azure", "blue")):
        rows[vocabulary.index(same)] = rows[vocabulary.index(word)]
    model.save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


def data(n=64, seed=0):
    """Red squares and blue ones, as their captions say, and how bright each is."""
    rng = np.random.default_rng(seed)
    red = rng.random(n) < 0.5
    pixels = np.zeros((n, SIDE, SIDE, 3), np.uint8)
    pixels[red, :, :, 0] = 200
    pixels[~red, :, :, 2] = 200
    pixels[..., 1] = rng.integers(0, 60, (n, 1, 1))
    captions = np.where(red, "red", "blue").tolist()
    return pf.read({"image": pixels, "caption": captions}, text=["caption"])


@pytest.fixture(scope="module")
def diffusion(folder):
    return pf.Diffusion(width=16, text_encoder=folder).fit(data(), given="caption", steps=250, seed=0, device="cpu")


def reds(model, caption):
    """Of pictures drawn from a caption, the share in which red is brighter than blue."""
    pixels = model.sample(32, given={"caption": caption}, seed=0).to_numpy()["image"].astype(float).mean((1, 2))
    return (pixels[:, 0] > pixels[:, 2]).mean()


def test_words_never_seen_mean_what_the_encoder_says(diffusion):
    assert reds(diffusion, "red") > 0.9 and reds(diffusion, "blue") < 0.1
    assert reds(diffusion, "crimson") > 0.9 and reds(diffusion, "azure") < 0.1


def test_learned_words_alone_do_not_know_them():
    model = pf.Diffusion(width=16).fit(data(), given="caption", steps=250, seed=0, device="cpu")
    assert reds(model, "red") > 0.9 and reds(model, "blue") < 0.1
    assert abs(reds(model, "crimson") - reds(model, "azure")) < 0.8


def test_the_encoder_is_named_and_not_saved(diffusion, tmp_path):
    assert set(diffusion.measurements["text_encoder"]) == {"name", "sha256", "width"}
    assert sum(t.numel() for t in diffusion._state().values()) == sum(p.numel() for p in diffusion._skeleton().values())
    loaded = pf.load(diffusion.save(tmp_path / "model"), device="cpu")
    asked = {"given": {"caption": "crimson"}, "seed": 0}
    assert loaded.sample(3, **asked).table.equals(diffusion.sample(3, **asked).table)


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
    model = family(**FAMILIES[name], text_encoder=folder).fit(data(32), given="caption", steps=3, device="cpu")
    told = [module for module in model.network.modules() if isinstance(module, Condition)]
    assert told and all(isinstance(each.sentences, Sentences) and each.parts["0"].own is not None for each in told)
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    asked = {"given": {"caption": "crimson"}, "seed": 0}
    assert loaded.sample(2, **asked).table.equals(model.sample(2, **asked).table)


def test_an_encoder_without_texts_is_refused(folder):
    with pytest.raises(pf.ArgumentError, match="reads texts that are given, and none is"):
        pf.Diffusion(width=8, text_encoder=folder).fit(data().select(["image"]), steps=1, device="cpu")


def test_vectors_move_nothing_where_nothing_is_said(folder):
    schema = data().schema.select(["caption"])
    condition = Condition(schema, 8)
    condition.read_by(Sentences(folder))
    tensors = condition.encode(pf.read({"caption": ["red", None]}, text=["caption"]))
    assert tensors["given.whole.0"].shape == (2, 24) and not tensors["given.whole.0"][1].any()
    other = {**tensors, "given.whole.0": tensors["given.whole.0"] + 1}
    before, after = condition.eval()(tensors), condition(other)
    assert not torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
