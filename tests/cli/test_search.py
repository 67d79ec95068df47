"""`fit clip`, `search`, `encode --of`, `predict --among`."""

import json

import numpy as np
import pytest

import pushforward as pf


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A CLIP of shapes, saved."""
    model = pf.CLIP(width=4, dim=8, text_width=16).fit(pf.read("shapes:train")[:64], steps=2, device="cpu")
    return model.save(tmp_path_factory.mktemp("models") / "clip")


def test_pictures_are_found_by_text(run, clip):
    told = json.loads(run("search", clip, "shapes:test", "--text", "a small red circle", "-k", 3, "--json").stdout)
    rows, cosines = pf.load(clip).search("a small red circle", "shapes:test", k=3)
    captions = pf.read("shapes:test").to_numpy()["caption"]
    assert [record["row"] for record in told["records"]] == rows.tolist()
    assert [record["caption"] for record in told["records"]] == captions[rows].tolist()
    assert np.allclose([record["similarity"] for record in told["records"]], cosines)


def test_what_was_found_is_drawn(run, clip, tmp_path):
    run("search", clip, "shapes:test", "--text", "a small red circle", "-k", 3, "--out", "found.png")
    assert (tmp_path / "found.png").stat().st_size > 0


def test_texts_are_found_by_picture(run, clip, tmp_path):
    pf.read("shapes:test")[:1].select(["image"]).save(tmp_path / "one")
    picture = next((tmp_path / "one").rglob("*.png"))
    told = json.loads(run("search", clip, "shapes:test", "--picture", picture, "-k", 2, "--json").stdout)
    assert len(told["records"]) == 2 and set(told["records"][0]) == {"caption", "row", "similarity"}


def test_one_of_text_and_picture_is_asked_for(refused, clip):
    assert "one of both" in refused("search", clip, "shapes:test")
    assert "k=0" in refused("search", clip, "shapes:test", "--text", "a", "-k", 0)


def test_a_model_that_finds_nothing_says_so(refused, penguins):
    assert "GaussianMixture has no search" in refused("search", penguins, "penguins", "--text", "a bird")


def test_pictures_are_told_among_captions(run, clip):
    words = ("--among", "a red circle", "--among", "a blue square")
    lines = run("predict", clip, "shapes:test", *words).stdout.splitlines()
    assert lines[0] == '"caption","probability"' and len(lines) == 1001
    assert {line.split(",")[0] for line in lines[1:]} <= {'"a red circle"', '"a blue square"'}


def test_either_side_is_encoded(run, clip):
    run("encode", clip, "shapes:test", "--of", "text", "--out", "texts.npy")
    run("encode", clip, "shapes:test", "--out", "pictures.npy")
    texts, pictures = np.load("texts.npy"), np.load("pictures.npy")
    assert texts.shape == pictures.shape == (1000, 8) and not np.allclose(texts, pictures)
