"""Encoders that `transformers` loads, on tiny random ones that are made here."""

import json
import warnings

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.training.randomness import scope

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")  # what other libraries warn of is not ours

WORDS = ["a", "red", "green", "blue", "square", "circle", "left", "right"]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """A sentence encoder of two layers, as a folder."""
    folder = tmp_path_factory.mktemp("sentences")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    with scope(0):
        transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    """A CLIP of one layer a tower, as a folder."""
    folder = tmp_path_factory.mktemp("clip")
    tokens = ["<|startoftext|>", "<|endoftext|>", *[f"{word}</w>" for word in WORDS], *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    layer = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config={**layer, "vocab_size": len(tokens), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1},
        vision_config={**layer, "image_size": 16, "patch_size": 8},
        projection_dim=10,
    )
    with scope(0):
        transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    transformers.CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=16).save_pretrained(folder)
    return folder


def data(n=24, seed=0):
    rng = np.random.default_rng(seed)
    captions = [f"a {colour} square" for colour in rng.choice(["red", "green", "blue"], n)]
    return pf.read(
        {"image": rng.integers(0, 255, (n, 16, 16, 3)).astype(np.uint8), "caption": captions}, text=["caption"]
    )


SMALL = {"width": 8, "dim": 8}


def test_texts_are_means_of_last_states_encoded_once(sentences):
    from pushforward.nets.sentences import Sentences

    encoder = Sentences(str(sentences))
    seen = []
    encode = encoder._encoded
    encoder._encoded = lambda texts: seen.extend(texts) or encode(texts)
    out = encoder.tokens(["a red square", None, "a circle", "a red square", ""])
    again = encoder.tokens(["a circle"])
    assert sorted(seen) == ["a circle", "a red square"]
    assert torch.equal(out[0], out[3]) and torch.equal(out[2], again[0]) and not out[1].any() and not out[4].any()
    model = transformers.AutoModel.from_pretrained(sentences)
    asked = transformers.AutoTokenizer.from_pretrained(sentences)(["a circle"], return_tensors="pt")
    with torch.no_grad():
        mean = model(**asked).last_hidden_state.mean(1)[0]
    assert torch.allclose(out[2] / out[2].norm(), mean / mean.norm(), atol=1e-5)


def test_a_model_with_a_sentence_encoder_is_saved_by_name_and_hash(sentences, tmp_path):
    model = pf.CLIP(**SMALL, text_encoder=str(sentences)).fit(data(), steps=3, device="cpu")
    assert set(model.measurements["text_encoder"]) == {"name", "sha256", "width"}
    assert not any(name.startswith("read.") for name in model._state())
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    texts = ["a red circle", "a blue square"]
    assert np.array_equal(loaded.encode(texts), model.encode(texts))
    assert np.array_equal(loaded.encode(data(5)), model.encode(data(5)))


def test_another_encoder_in_its_place_is_refused(sentences, tmp_path):
    model = pf.CLIP(**SMALL, text_encoder=str(sentences)).fit(data(), steps=1, device="cpu")
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    kept = (sentences / "model.safetensors").read_bytes()
    other = transformers.AutoModel.from_pretrained(sentences)
    next(other.parameters()).data.add_(1.0)
    other.save_pretrained(sentences)
    try:
        with pytest.raises(pf.FormatError, match="its weights differ"):
            loaded.encode(["a red square"])
    finally:
        (sentences / "model.safetensors").write_bytes(kept)
    assert loaded.encode(["a red square"]).shape == (1, 8)


def test_an_encoder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(pf.ArgumentError, match="cannot be loaded"):
        pf.CLIP(**SMALL, text_encoder=str(tmp_path / "nothing")).fit(data(), steps=1)


def test_a_pretrained_clip_is_what_transformers_computes(clip_folder):
    model = pf.CLIP.from_pretrained(str(clip_folder))
    pictures, texts = data(4), ["a red square", "blue circle"]
    plain = transformers.CLIPModel.from_pretrained(clip_folder).eval()
    reader = transformers.CLIPImageProcessor.from_pretrained(clip_folder)
    words = transformers.AutoTokenizer.from_pretrained(clip_folder)(texts, padding=True, return_tensors="pt")
    pixels = reader(list(pictures.to_numpy()["image"]), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        wanted = plain(pixel_values=pixels, **words).logits_per_image.softmax(1).numpy()
    assert np.allclose(model.predict_proba(pictures, among=texts), wanted, atol=1e-4)


def test_a_pretrained_clip_is_saved_by_name_and_learns_on_top(clip_folder, tmp_path):
    model = pf.CLIP.from_pretrained(str(clip_folder), size=16)
    loaded = pf.load(model.save(tmp_path / "model"), device="cpu")
    assert np.array_equal(loaded.similarity(data(3), ["a red square"]), model.similarity(data(3), ["a red square"]))
    tuned = pf.CLIP(pretrained=str(clip_folder)).fit(data(), steps=3, device="cpu")
    assert not np.allclose(tuned.encode(data(3)), model.encode(data(3)), atol=1e-6)
    again = pf.load(tuned.save(tmp_path / "tuned"), device="cpu")
    assert np.array_equal(again.encode(data(3)), tuned.encode(data(3)))


def test_a_pretrained_clip_has_slopes_into_pictures_of_any_size(clip_folder):
    model = pf.CLIP.from_pretrained(str(clip_folder))
    x = torch.zeros(2, 3, 24, 20, requires_grad=True)
    model.picture_vectors(x).sum().backward()
    assert (x.grad.abs().sum((1, 2, 3)) > 0).all()


def test_two_encoders_are_refused(clip_folder, sentences):
    with pytest.raises(pf.ArgumentError, match="both said"):
        pf.CLIP(pretrained=str(clip_folder), text_encoder=str(sentences)).fit(data(), steps=1)


def test_a_width_that_would_do_nothing_is_refused(sentences):
    with pytest.raises(pf.ArgumentError, match="text_width=32 is not for text_encoder="):
        pf.CLIP(**SMALL, text_width=32, text_encoder=str(sentences)).fit(data(), steps=1)


def test_nothing_was_warned_of_twice(clip_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", pf.CaptionWarning)
        pf.CLIP.from_pretrained(str(clip_folder)).encode(["words that nobody knows"])
