"""`fit`: the same as in Python, and nothing written but the model."""

import json

import numpy as np
import pytest

import pushforward as pf

FIT = ("fit", "gaussian-mixture", "penguins", "--components", 3, "--steps", 5)


def test_it_fits_what_python_fits_and_leaves_only_the_model(run, tmp_path, penguins):
    told = run(*FIT, "--out", "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert pf.load("model").score("penguins") == pf.load(penguins).score("penguins")
    assert told.stdout == "" and "saved in model" in told.stderr


def test_progress_is_plain_lines_where_output_is_piped(run):
    *lines, _ = run(*FIT, "--out", "model").stderr.splitlines()
    assert lines and all(line.startswith("gaussian-mixture: ") for line in lines)
    assert "em 5" in lines[-1]


def test_json_tells_every_step_and_then_the_measurements(run):
    *steps, last = map(json.loads, run(*FIT, "--out", "model", "--json").stdout.splitlines())
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5]
    assert last["out"] == "model" and last["measurements"]["steps"] == 5
    assert last["measurements"]["last"] == pytest.approx(steps[-1]["losses"], abs=1e-6)


def test_hyperparameters_run_and_words_reach_the_model(run):
    words = ["--covariance", "diagonal", "--seed", 7, "--given", "species", "--leave-out", "year", "--given", "sex"]
    run(*FIT, *words, "--out", "model")
    model = pf.load("model")
    assert model.covariance == "diagonal" and model.components == 3
    assert model.given == ("species", "sex") and "year" not in model.schema
    assert model.measurements["seed"] == 7


def test_weights_are_a_column(run, tmp_path):
    (tmp_path / "w.csv").write_text("x,w\n" + "".join(f"{i % 10}.5,{int(i % 10 > 4)}\n" for i in range(100)))
    run("fit", "gaussian-mixture", "w.csv", "--components", 1, "--weights", "w", "--out", "model")
    assert pf.load("model").means[0, 0] == pytest.approx(7.5, abs=0.1)


def test_scanned_data_gives_the_same_model(run, tmp_path):
    pf.read("penguins").save("penguins.csv")
    run("fit", "gaussian-mixture", "penguins.csv", "--steps", 3, "--out", "eager")
    run("fit", "gaussian-mixture", "penguins.csv", "--steps", 3, "--out", "lazy", "--scan")
    np.testing.assert_allclose(pf.load("eager").means, pf.load("lazy").means, rtol=1e-9)


def test_a_folder_that_was_named_stays_and_is_gone_on_from(run, tmp_path):
    run(*FIT, "--out", "model", "--folder", "kept")
    assert any((tmp_path / "kept").iterdir())
    told = run(*FIT[:-1], 8, "--out", "model", "--folder", "kept", "--json")
    assert [json.loads(line)["step"] for line in told.stdout.splitlines()[:-1]] == [6, 7, 8]


def test_a_model_that_stands_there_is_replaced(run):
    run(*FIT, "--out", "model")
    run(*FIT, "--out", "model", "--seed", 1)
    assert pf.load("model").measurements["seed"] == 1


def test_a_foreign_folder_beside_it_is_left_alone(run, tmp_path):
    (tmp_path / "model.run").mkdir()
    (tmp_path / "model.run" / "thesis.txt").write_text("mine")
    result = run(*FIT, "--out", "model", code=2)
    assert "holds no run" in result.stderr
    assert (tmp_path / "model.run" / "thesis.txt").read_text() == "mine" and not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--components", "0"], "components=0 is out of range; it must be ≥ 1"),
        (["--components", "many"], "components='many' must be a whole number, ≥ 1"),
        (["--components", "2.5"], "must be a whole number"),
        (["--covariance", "ful"], "did you mean 'full'"),
        (["--ridge", "nan"], "ridge"),
        (["--minutes", "-1"], "minutes=-1.0 is out of range"),
        (["--given", "specie"], "did you mean 'species'"),
        (["--weights", "weigth"], "'weigth' does not exist"),
        (["--atoms", "year"], "atoms='year' must be COLUMN=VALUE"),
        (["--atoms", "year=soon"], "must be COLUMN=VALUE with a number"),
        (["--category", "yaer"], "did you mean 'year'"),
        (["--componets", "3"], "did you mean '--components'"),
        (["--components", "1000"], "take at most 344"),
        (["--device", "abacus"], "device='abacus' is unknown"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(refused, words, said):
    assert said in refused("fit", "gaussian-mixture", "penguins", "--out", "model", *words)


def test_a_place_that_cannot_be_written_is_refused_before_the_data_is_read(refused, run, tmp_path):
    (tmp_path / "mine").mkdir()
    assert "exists and is not a saved model" in refused("fit", "gaussian-mixture", "no such data", "--out", "mine")
    assert "does not exist" in refused("fit", "gaussian-mixture", "no such data", "--out", "no/model")


def test_family_data_and_out_are_asked_for(refused):
    assert "FAMILY is missing" in refused("fit")
    assert "did you mean 'diffusion'" in refused("fit", "difusion", "digits")
    assert "DATA is missing" in refused("fit", "gaussian-mixture")
    assert "--out is missing" in refused("fit", "gaussian-mixture", "penguins")
    assert "did you mean 'penguins'" in refused("fit", "gaussian-mixture", "pengins", "--out", "model")
