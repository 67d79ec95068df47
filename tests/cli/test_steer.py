"""`pushforward steer VQ CLIP TEXT`."""

import json

import pytest

import pushforward as pf


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A VQ and a CLIP of shapes, saved."""
    folder, shapes = tmp_path_factory.mktemp("models"), pf.read("shapes:train")[:48]
    pf.VQ(width=4, stages=3).fit(shapes.select(["image"]), steps=2, device="cpu").save(folder / "vq")
    pf.CLIP(width=4, dim=8, text_width=16).fit(shapes, steps=2, device="cpu").save(folder / "clip")
    return folder / "vq", folder / "clip"


def test_pictures_and_the_path_are_written(run, models, tmp_path):
    words = ("--steps", 2, "--restarts", 3, "--seed", 1, "--beside", "a blue square=-0.5", "--judge", models[1])
    told = run("steer", *models, "a red circle", *words, "--out", "found.png", "--path", "strip.png", "--json")
    said = json.loads(told.stdout)
    assert said["rows"] == len(said["scores"]) == 3 and said["seed"] == 1
    assert (tmp_path / "found.png").stat().st_size and (tmp_path / "strip.png").stat().st_size


def test_a_picture_to_begin_from(run, models, tmp_path):
    pf.read("shapes:test")[:1].select(["image"]).save(tmp_path / "one")
    start = next((tmp_path / "one").rglob("*.png"))
    run("steer", *models, "a red circle", "--steps", 1, "--restarts", 1, "--start", start, "--out", "found.png")


def test_what_makes_no_sense_is_refused(refused, models, penguins):
    assert "say --out" in refused("steer", *models, "a red circle")
    assert "has no codes" in refused("steer", models[1], models[1], "a red circle", "--out", "x.png")
    assert "finds no text" in refused("steer", models[0], penguins, "a red circle", "--out", "x.png")
    assert "beside='a' must be" in refused("steer", *models, "a red circle", "--beside", "a", "--out", "x.png")
    assert "say it once" in refused("steer", *models, "red", "--beside", "red=2", "--out", "x.png")
