"""`score`, `complete`, `predict`, `encode` and `card`."""

import csv
import io
import json

import numpy as np
import pytest

import pushforward as pf


@pytest.fixture
def few(run):
    """A file of some moons."""
    return pf.read("moons")[:20].save("few.csv")


def test_score_says_what_its_number_is(run, penguins):
    model = pf.load(penguins)
    told = json.loads(run("score", penguins, "penguins", "--json").stdout)
    assert told["score"] == pytest.approx(model.score("penguins"))
    assert told["density"] == model.density and told["unit"] == "nats per record" and told["records"] == 344
    assert set(told["measures"]) == set(model.schema.names)
    text = run("score", penguins, "penguins").stdout
    assert f"{told['score']:.4f} nats per record" in text and "a lower bound" in text and "steps of 0.1" in text


def test_score_is_of_the_rest_where_fields_were_conditions(run, moons, few):
    told = json.loads(run("score", moons, few, "--json").stdout)
    assert told["given"] == ["moon"] and "moon" not in told["measures"] and told["density"] == "estimate"
    assert "log p(rest | moon)" in run("score", moons, few).stdout


def test_complete_fills_the_holes_and_leaves_the_rest(run, penguins, tmp_path):
    holes = sum(pf.read("penguins").column(name).null_count for name in pf.read("penguins").names)
    told = json.loads(run("complete", penguins, "penguins", "--seed", 2, "--out", "whole.csv", "--json").stdout)
    assert told == {"rows": 344, "out": "whole.csv", "seed": 2, "filled": holes}
    before, after = pf.read("penguins").table.to_pylist(), pf.read("whole.csv").table.to_pylist()
    assert all(b[k] == a[k] for b, a in zip(before, after, strict=True) for k in b if b[k] is not None)
    assert not any(value is None for row in after for value in row.values())


def test_complete_draws_columns_that_are_absent(run, penguins, tmp_path):
    (tmp_path / "some.csv").write_text("species,sex\nGentoo,male\nAdelie,female\n")
    drawn = list(csv.DictReader(io.StringIO(run("complete", penguins, "some.csv").stdout)))
    assert [row["species"] for row in drawn] == ["Gentoo", "Adelie"] and all(row["body_mass_g"] for row in drawn)


def test_complete_takes_the_options_of_the_family(run, refused, moons, tmp_path):
    (tmp_path / "some.csv").write_text("moon,x\nupper,0.5\nlower,\n")
    drawn = list(csv.DictReader(io.StringIO(run("complete", moons, "some.csv", "--particles", 2, "--seed", 0).stdout)))
    assert drawn[0]["x"] == "0.5" and all(row["y"] for row in drawn)
    told = run("complete", moons, "--help").stdout
    assert "--particles N" in told and "--mask" not in told  # a mask is no word
    assert "particles=0 is out of range" in refused("complete", moons, "some.csv", "--particles", 0)


def test_predict_gives_the_value_and_its_probability(run, penguins):
    told = run("predict", penguins, "penguins", "--field", "species").stdout
    predicted = list(csv.DictReader(io.StringIO(told)))
    model = pf.load(penguins)
    assert [row["species"] for row in predicted] == list(model.predict("penguins", "species"))
    chances = model.predict_proba("penguins", "species").max(1)
    np.testing.assert_allclose([float(row["probability"]) for row in predicted], chances)


@pytest.mark.parametrize("name", ["codes.npz", "codes.npy"])
def test_encode_writes_the_codes(run, moons, few, name):
    told = json.loads(run("encode", moons, few, "--out", name, "--json").stdout)
    codes = np.load(name)["codes"] if name.endswith("npz") else np.load(name)
    assert told["shape"] == list(codes.shape) and told["rows"] == len(codes)
    np.testing.assert_allclose(codes, pf.load(moons).encode(few), rtol=1e-5)


def test_card_is_the_readme_and_for_programs_the_description(run, penguins):
    assert run("card", penguins).stdout == (penguins / "README.md").read_text()
    assert json.loads(run("card", penguins, "--json").stdout) == json.loads((penguins / "model.json").read_text())


def test_pictures_are_scaled_to_those_of_the_model(run, digits, tmp_path):
    from PIL import Image

    (tmp_path / "large" / "3").mkdir(parents=True)
    Image.new("L", (40, 24), 99).save(tmp_path / "large" / "3" / "a.png")
    assert json.loads(run("score", digits, "large", "--size", 8, "--json").stdout)["records"] == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["encode", "{penguins}", "penguins", "--out", "codes.npz"], "GaussianMixture has no encode: "),
        (["encode", "{moons}", "moons", "--out", "codes.csv"], "must end in .npz or .npy"),
        (["encode", "{moons}", "moons", "--out", "no/codes.npz"], "does not exist"),
        (["predict", "{moons}", "moons", "--field", "moon"], "Diffusion has no predict_proba: "),
        (["predict", "{penguins}", "penguins", "--field", "year"], "not a category"),
        (["predict", "{penguins}", "penguins"], "--field is missing"),
        (["score", "{penguins}", "moons"], "'species' is not in the data"),
        (["score", "{penguins}", "nothing.csv"], "no file, folder or built-in data set"),
        (["score", "nothing", "penguins"], "not a saved model"),
        (["score", "{penguins}"], "DATA is missing"),
        (["complete", "{penguins}", "penguins", "--out", "a.doc"], "unknown extension"),
        (["card", "nothing"], "not a saved model"),
        (["card"], "MODEL is missing"),
        (["describe", "pengins"], "did you mean 'penguins'"),
        (["describe", "penguins", "more"], "unexpected extra argument"),
        (["smaple", "x"], "did you mean 'sample'"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(refused, penguins, moons, words, said):
    assert said in refused(*(word.format(penguins=penguins, moons=moons) for word in words))
