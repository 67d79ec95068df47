"""`sample`: anything held fixed, in any format."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

import pushforward as pf


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_pipe_gets_the_csv_that_a_file_would(run, penguins, tmp_path):
    piped = run("sample", penguins, "-n", 20, "--seed", 3).stdout
    assert run("sample", penguins, "-n", 20, "--seed", 3, "--out", "draws.csv").stdout == ""
    assert (tmp_path / "draws.csv").read_text() == piped
    assert len(rows(piped)) == 20


def test_it_draws_what_python_draws(run, penguins):
    drawn = json.loads(run("sample", penguins, "-n", 4, "--seed", 9, "--given", "sex=male", "--json").stdout)
    expected = pf.load(penguins).sample(4, given={"sex": "male"}, seed=9)
    assert drawn["rows"] == 4 and drawn["seed"] == 9 and drawn["out"] is None
    assert drawn["records"] == expected.table.to_pylist()


def test_values_are_held_fixed_as_said(run, penguins):
    drawn = rows(run("sample", penguins, "--given", "species=Gentoo", "--given", "year=2008").stdout)
    assert len(drawn) == 10
    assert {(row["species"], row["year"]) for row in drawn} == {("Gentoo", "2008")}


def test_a_file_holds_its_columns_fixed_row_by_row(run, penguins, tmp_path):
    (tmp_path / "given.csv").write_text("year,species\n2007,Adelie\n2009,Gentoo\n2008,Chinstrap\n")
    drawn = rows(run("sample", penguins, "--given-from", "given.csv", "--given", "sex=female").stdout)
    assert [(r["year"], r["species"], r["sex"]) for r in drawn] == [
        ("2007", "Adelie", "female"), ("2009", "Gentoo", "female"), ("2008", "Chinstrap", "female"),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [3, 7, 12])
def test_each_divides_the_records_evenly_and_in_order(run, penguins, n):
    drawn = [row["species"] for row in rows(run("sample", penguins, "-n", n, "--each", "species").stdout)]
    counts = [drawn.count(value) for value in ("Adelie", "Chinstrap", "Gentoo")]
    assert drawn == sorted(drawn) and sum(counts) == n and max(counts) - min(counts) <= 1


def test_a_contact_sheet_has_a_row_for_each_value(run, digits, tmp_path):
    told = json.loads(
        run("sample", digits, "--each", "label", "-n", 30, "--seed", 0, "--out", "sheet.png", "--json").stdout
    )
    assert told == {"rows": 30, "out": "sheet.png", "seed": 0}
    model = pf.load(digits)
    labels = [value for value in model.schema["label"].values for _ in range(3)]
    expected = model.sample(30, given={"label": labels}, seed=0).sheet(3)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), np.asarray(expected))


def test_a_picture_can_be_given(run, digits, tmp_path):
    pixels = pf.read("digits")[:1]
    Image.fromarray(pixels.to_numpy()["image"][0]).save(tmp_path / "digit.png")
    run("sample", digits, "-n", 2, "--given", "image=digit.png", "--out", "drawn.npz")
    assert np.array_equal(np.load("drawn.npz")["image"], np.repeat(pixels.to_numpy()["image"], 2, axis=0))


def test_the_options_of_the_family_are_taken_before_and_after_the_model(run, moons):
    before = run("sample", "--steps", 3, moons, "--given", "moon=upper", "--seed", 1, "--guidance", 2).stdout
    after = run("sample", moons, "--given", "moon=upper", "--seed", 1, "--steps", 3, "--guidance", 2.0).stdout
    assert before == after
    assert before != run("sample", moons, "--given", "moon=upper", "--seed", 1, "--steps", 4).stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (["--given", "year=soon"], "year='soon' is none of its values (2007 to 2009); give a whole number"),
        (["--given", "bill_length_mm=long"], "); give a number"),
        (["--given", "species=Gentu"], "did you mean 'Gentoo'"),
        (["--given", "spices=Gentoo"], "did you mean 'species'"),
        (["--given", "species"], "must be FIELD=VALUE"),
        (["--given", "sex=male", "--given", "sex=female"], "said twice"),
        (["--each", "year"], "each='year' is not a category"),
        (["--each", "species", "-n", "2"], "n=2 is fewer than the 3 values"),
        (["--each", "species", "--given", "species=Gentoo"], "also given"),
        (["--given-from", "nowhere.csv"], "nowhere.csv"),
        (["-n", "0"], "n=0 is out of range"),
        (["-n", "few"], "n='few' must be a whole number"),
        (["--seed", "-1"], "seed=-1 is out of range"),
        (["--steps", "20"], "option --steps does not exist"),
        (["--out", "draws.doc"], "unknown extension"),
        (["--out", "draws.png"], "there are none"),
        (["--out", "no/draws.csv"], "does not exist"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(refused, penguins, words, said):
    assert said in refused("sample", penguins, *words)


def test_a_field_that_was_no_condition_is_refused(refused, moons):
    assert "fit again" in refused("sample", moons, "--given", "x=1")


def test_pictures_are_not_printed(refused, digits):
    assert "--out" in refused("sample", digits)
    assert "cannot hold the pictures" in refused("sample", digits, "--out", "draws.csv")


def test_rows_that_do_not_fit_are_refused(refused, penguins, tmp_path):
    (tmp_path / "given.csv").write_text("year\n2007\n2009\n")
    assert "2 rows" in refused("sample", penguins, "-n", 5, "--given-from", "given.csv")
    (tmp_path / "odd.csv").write_text("yaer\n2007\n")
    assert "did you mean 'year'" in refused("sample", penguins, "--given-from", "odd.csv")


def test_what_is_no_model_is_refused(refused, tmp_path, penguins):
    assert "not a saved model" in refused("sample", "nothing")
    (tmp_path / "model").mkdir()
    for file in penguins.iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    weights = bytearray((tmp_path / "model" / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model" / "weights.safetensors").write_bytes(weights)
    assert "its hash differs" in refused("sample", "model")


def test_what_a_sampler_went_through_is_a_strip_or_a_film(run, moons):
    said = ("sample", moons, "-n", 20, "--given", "moon=upper", "--steps", 4, "--return-path", "--seed", 0)
    assert json.loads(run(*said, "--out", "strip.png", "--json").stdout) == {
        "rows": 20, "states": 5, "out": "strip.png", "seed": 0,
    }  # fmt: skip
    assert "5 states of 20 records in film.gif" in run(*said, "--out", "film.gif").stderr
    with Image.open("film.gif") as film:
        assert film.n_frames == 5


def test_a_trail_wants_a_place_that_can_hold_it(refused, moons):
    for out in ((), ("--out", "draws.csv")):
        told = refused("sample", moons, "--given", "moon=upper", "--return-path", *out)
        assert "say --out strip.png, or --out film.gif" in told
