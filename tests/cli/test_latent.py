"""A model that is made of two others, on the command line."""

import json
import warnings

import pytest

import pushforward as pf

VAE, MIXTURE = "vae:latent=2,width=8", "gaussian-mixture:components=3"
FIT = ("fit", "latent", "penguins", "--model", VAE, "--prior", MIXTURE, "--given", "species", "--steps", 4)


@pytest.fixture(scope="session")
def latent(tmp_path_factory):
    """A latent diffusion of moons, saved."""
    model = pf.Latent("vae:latent=2,width=8", prior="diffusion:width=8,layers=1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.CollapsedWarning)  # after so few steps
        model.fit("moons", given="moon", steps=2)
    return model.save(tmp_path_factory.mktemp("models") / "latent")


def test_it_fits_what_python_fits_and_leaves_only_the_model(run, tmp_path):
    told = run(*FIT, "--out", "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    other = pf.Latent(pf.VAE(latent=2, width=8), prior=pf.GaussianMixture(components=3))
    other.fit("penguins", given="species", steps=4)
    assert pf.load("model").to_json() == other.to_json()
    assert pf.load("model").sample(5, seed=0).table.equals(other.sample(5, seed=0).table)
    assert "prior: em 4 · nats" in told.stderr


def test_progress_says_which_part_learns(run):
    lines = run(*FIT, "--out", "model", "--json").stdout.splitlines()
    assert {json.loads(line)["phase"] for line in lines[:-1]} == {"model: train", "prior: em"}
    measured = json.loads(lines[-1])["measurements"]
    assert measured["model"]["steps"] == 4 and measured["prior"]["steps"] <= 4


def test_parts_that_are_none_are_refused_in_one_line(refused):
    start = ("fit", "latent", "penguins", "--out", "model")
    assert "model='vea': family 'vea' does not exist; did you mean 'vae'" in refused(*start, "--model", "vea")
    assert "latnt= is not an option of vae" in refused(*start, "--model", "vae:latnt=3")
    assert "prior=ngram cannot model the codes of model=vae" in refused(*start, "--prior", "ngram")


def test_help_says_how_parts_are_said(run):
    shown = run("fit", "latent", "--help").stdout
    assert "--model FAMILY" in shown and "--prior FAMILY" in shown and "family:option=value" in shown
    assert "default vae" in shown and "default gaussian-mixture" in shown


def test_drawing_takes_the_options_of_the_prior(run, latent):
    words = ("--steps", 3, "--guidance", 2, "--seed", 5, "--given", "moon=upper")
    drawn = json.loads(run("sample", latent, "-n", 3, *words, "--json").stdout)
    expected = pf.load(latent).sample(3, given={"moon": "upper"}, seed=5, steps=3, guidance=2.0)
    assert drawn["records"] == expected.table.to_pylist()
    assert "--guidance" in run("sample", latent, "--help").stdout


def test_score_and_encode_and_card(run, latent, tmp_path):
    told = json.loads(run("score", latent, "moons", "--json").stdout)
    assert told["density"] == "estimate" and told["given"] == ["moon"]
    run("encode", latent, "moons", "--out", "codes.npy")
    assert (tmp_path / "codes.npy").is_file()
    assert "| model | vae (" in run("card", latent).stdout
