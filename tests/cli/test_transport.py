"""`fit bridge DATA --to OTHER` and `transport MODEL DATA`."""

import json

import pytest

import pushforward as pf


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two files of one number and one level."""
    folder = tmp_path_factory.mktemp("sides")
    for name, start in (("before", 0.5), ("after", 100.25)):
        x = [start + 0.125 * i for i in range(40)]
        pf.read({"x": x, "c": ["a", "b"] * 20}).save(folder / f"{name}.csv")
    return folder


@pytest.fixture(scope="module")
def bridge(files, tmp_path_factory):
    """A bridge between them, saved."""
    model = pf.Bridge(width=8).fit(files / "before.csv", to=files / "after.csv", steps=3)
    return model.save(tmp_path_factory.mktemp("models") / "bridge")


def test_a_bridge_is_fitted_to_two_files(run, files, tmp_path):
    words = ("fit", "bridge", files / "before.csv", "--to", files / "after.csv", "--width", 8, "--steps", 2)
    told = json.loads(run(*words, "--out", "model", "--json").stdout.splitlines()[-1])
    assert told["family"] == "bridge" and told["density"] == "none"
    assert "model.transport(data)" in (tmp_path / "model" / "README.md").read_text()
    assert "x" in run("card", "model").stdout


def test_a_second_file_is_asked_for(refused, files):
    assert "--to is missing" in refused("fit", "bridge", files / "before.csv", "--out", "model")
    said = refused("fit", "gaussian-mixture", files / "before.csv", "--to", files / "after.csv", "--out", "model")
    assert "option --to does not exist" in said
    said = refused("fit", "bridge", files / "before.csv", "--to", "moons", "--out", "model", "--steps", 1)
    assert "of to= is not in the data" in said


def test_words_are_said_of_both(run, files):
    words = ("fit", "bridge", files / "before.csv", "--to", files / "after.csv", "--width", 8, "--steps", 2)
    run(*words, "--leave-out", "c", "--out", "model")
    assert pf.load("model").schema.names == ("x",)


def test_records_are_moved(run, bridge, files, tmp_path):
    run("transport", bridge, files / "before.csv", "--seed", 1, "--out", "moved.csv")
    wanted = pf.load(bridge).transport(files / "before.csv", seed=1)
    wanted.save(tmp_path / "wanted.csv")
    assert (tmp_path / "moved.csv").read_text() == (tmp_path / "wanted.csv").read_text()
    back = run("transport", bridge, files / "after.csv", "--reverse", "--steps", 3, "--seed", 1, "--json")
    told = json.loads(back.stdout)
    assert told["rows"] == 40 and told["reverse"] is True
    wanted = pf.load(bridge).transport(files / "after.csv", reverse=True, seed=1, steps=3)
    assert told["records"] == wanted.table.to_pylist()


def test_help_shows_the_options_of_the_model(run, bridge):
    assert "--steps" in run("transport", bridge, "--help").stdout
    assert "--steps" not in run("transport", "--help").stdout


def test_who_does_not_move_records_says_so(refused, bridge, penguins, files):
    assert "has no transport" in refused("transport", penguins, files / "before.csv")
    assert "has no sample" in refused("sample", bridge)
    assert "steps=0 is out of range" in refused("transport", bridge, files / "before.csv", "--steps", 0)
