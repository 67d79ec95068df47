"""Comparisons as a whole, on small data and families of one pass; one of them in processes of its own."""

import gc
import json
import tempfile

import numpy as np
import pytest

import pushforward as pf
from pushforward.compare import jobs, run
from pushforward.compare.launch import Running
from pushforward.compare.run import comparing


@pytest.fixture(scope="module")
def found(moons, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "moons"
    return pf.compare(moons, ["naive-bayes", "tree-chain"], given="moon", minutes=0.1, seeds=3, folder=folder)


def test_what_is_known_of_moons_is_found(found):
    """Two half circles are no product of axes given the moon: trees in a chain see that, naive Bayes cannot."""
    name, why = found.winner()
    assert name == "tree-chain", why
    summaries = {s.model: s for s in found.ranked()}
    assert summaries["naive-bayes"].found["two-sample"].low > summaries["tree-chain"].found["two-sample"].high
    assert summaries["tree-chain"].found["condition moon"].value > 0.9
    assert set(found.controls) >= {"held-out reals", "training copies", "independent columns"}
    cell = found.of("tree-chain")[0]
    assert cell.density == "exact" and cell.facts["exact"] == 1.0
    assert cell.facts["holds"] == "any field, range or set"
    assert set(cell.cost) == {"seconds to fit", "seconds per 1,000", "peak memory, MB", "parameters", "saved, MB"}
    assert len(pf.read(found.folder / cell.drawn)) == found.data["rows"]
    assert json.loads((found.folder / "comparison.json").read_text())["format"] == 1


def test_it_goes_on_where_it_was_and_another_seed_of_a_clear_winner_agrees(found, moons, at_home):
    at_home.started.clear()
    families = ["naive-bayes", "tree-chain"]
    more = pf.compare(moons, families, given="moon", minutes=0.1, seeds=(0, 1, 2, 7), folder=found.folder)
    assert at_home.started == [("naive-bayes", 7, 1.0), ("tree-chain", 7, 1.0)]
    before = {(c.model, c.seed): c for c in found.cells}
    assert all(before.get((c.model, c.seed), c) == c for c in more.cells)
    assert more.winner()[0] == "tree-chain"
    with pytest.raises(pf.FormatError, match=r"with minutes=0\.1, this one has minutes=0\.2"):
        pf.compare(moons, families, given="moon", minutes=0.2, seeds=1, folder=found.folder)


def test_what_fails_says_so_and_the_rest_goes_on(moons, tmp_path, monkeypatch):
    """One model that nobody knows in its process, beside one that can be fitted, two at a time."""
    begin = run.Keep.begin

    def broken(keep, job):
        folder = begin(keep, job)
        if job.model == "dependency-tree":
            said = json.loads((folder / "job.json").read_text())
            (folder / "job.json").write_text(json.dumps({**said, "spec": {"family": "gone", "hyperparameters": {}}}))
        return folder

    monkeypatch.setattr(run.Keep, "begin", broken)
    monkeypatch.setattr(run, "Running", Running)
    found = pf.compare(moons[:200], ["dependency-tree", "naive-bayes"], minutes=0.1, seeds=1, processes=2,
                       folder=tmp_path / "c")  # fmt: skip
    failed, done = found.of("dependency-tree")[0], found.of("naive-bayes")[0]
    assert "family 'gone' does not exist" in failed.failed and done.failed is None
    assert found.models == ("naive-bayes", "dependency-tree")
    assert 100 < done.cost["peak memory, MB"] < 4000


def test_forty_rows_say_what_cannot_be_measured_and_one_column_is_enough():
    few = pf.compare(pf.read("penguins")[:40], "naive-bayes", minutes=0.1, seeds=1)
    cell = few.cells[0]
    assert "it takes 50 of each" in cell.found["membership"] and few.winner()[0] in (None, "naive-bayes")
    assert few.greyed
    numbers = np.random.default_rng(0).normal(size=200)
    one = pf.compare({"x": numbers}, "dependency-tree", minutes=0.1, seeds=1)
    assert one.cells[0].failed is None and isinstance(one.cells[0].found["pair trends"], str)


@pytest.mark.parametrize(
    "said, why",
    [
        ({"families": "autoencoders"}, "did you mean 'autoencoder'"),
        ({"families": ["gan", "gan"]}, "comes twice"),
        ({"families": "ngram"}, "no family can model these fields: ngram: field 'x' is number"),
        ({"families": 3}, "families=3 is no model"),
        ({"minutes": 0}, "minutes=0 is out of range"),
        ({"seeds": 0}, "seeds=0 must be"),
        ({"seeds": (1, 1)}, "seeds="),
        ({"processes": 0}, "processes=0"),
        ({"given": "mon"}, "given='mon' is not a field"),
        ({"target": "mon"}, "target='mon' is not a field"),
        ({"peers": "ctgam"}, "did you mean 'ctgan'"),
        ({"given": ["x", "y", "moon"]}, "names every field"),
    ],
)
def test_bad_input_is_refused_before_anything_is_done(moons, said, why):
    with pytest.raises(pf.PushforwardError, match=why.replace("(", r"\(")):
        comparing(moons, **{"minutes": 1, **said})


def test_a_text_is_no_target():
    data = pf.read({"x": [1.0, 2.5, 3.5, 4.0] * 5, "said": [f"a {i} and so on" for i in range(20)]}, text=["said"])
    with pytest.raises(
        pf.ArgumentError, match=r"target='said' is a text, which no judge learns to tell; name one of \['x'\]"
    ):
        comparing(data, minutes=1, target="said")


def test_a_single_record_is_refused(moons):
    with pytest.raises(pf.DataError, match="at least two"):
        comparing(moons[:1])


def test_held_out_records_may_be_said(moons):
    stands = comparing(moons[:60], "naive-bayes", held=moons[60:90])
    first = next(stands)
    stands.close()
    assert (first.comparison.data["rows"], first.comparison.data["held out"]) == (60, 30)


def test_of_many_held_out_records_some_are_drawn_and_not_the_first(monkeypatch):
    monkeypatch.setattr(jobs, "MOST_HELD", 100)
    one, rest = jobs.divided({"x": np.arange(50)}, {"x": np.arange(1000)})
    x = rest.to_numpy()["x"]
    assert len(one) == 50 and len(x) == 100 and abs(x.mean() - 500) < 100 and (np.diff(x) > 0).all()
    assert jobs.divided({"x": np.arange(50)}, {"x": np.arange(1000)})[1].table.equals(rest.table)


def test_learning_rates_and_guidance_are_looked_at_when_asked(moons, at_home):
    """A network that hardly learns: that the rate is that of the job is seen in what is started."""
    at_home.started.clear()
    found = pf.compare(moons[:120], "diffusion:width=8,layers=1", given="moon", minutes=0.005, seeds=1,
                       sensitivity=True, guidance=True)  # fmt: skip
    words = "diffusion:width=8,layers=1"
    assert at_home.started == [(words, 0, 1.0), (words, 0, 0.1), (words, 0, 10.0)]
    assert set(found.sensitivity[words]) == {"0.1", "10"} and len(found.cells) == 1
    assert list(found.guidance[words]) == ["0", "1", "2", "4"]
    assert set(found.guidance[words]["2"]) == {"condition moon", "coverage"}
    assert "## Guidance" in found.to_markdown()


def test_a_full_disk_in_a_process_ends_it_all_in_one_line(moons, tmp_path, monkeypatch):
    monkeypatch.setattr("pushforward.compare.worker.main", lambda folder: 74)
    with pytest.raises(pf.ArgumentError, match="make room and go on: finished cells are kept"):
        pf.compare(moons[:100], "naive-bayes", minutes=0.1, seeds=1, folder=tmp_path / "c")
    with pytest.raises(pf.ArgumentError, match="make room or name a folder elsewhere"):  # nothing of it is kept
        pf.compare(moons[:100], "naive-bayes", minutes=0.1, seeds=1)
    monkeypatch.undo()
    assert not list((tmp_path / "c" / "cells").glob("naive*"))


def test_without_a_folder_nothing_stays(moons):
    found = pf.compare(moons[:100], "naive-bayes", minutes=0.1, seeds=1)
    folder = found.folder
    assert folder.is_dir()
    del found
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize("why", [KeyboardInterrupt, pf.FormatError])
def test_what_ends_early_without_a_folder_leaves_nothing(moons, tmp_path, monkeypatch, why):
    """Nobody could go on from a folder whose name was never said."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def ended(job, keep, battery):
        seen.extend(tmp_path.iterdir())
        raise why

    monkeypatch.setattr(run, "measured", ended)
    with pytest.raises(why):  # the error is alive, and with it all that was at work
        pf.compare(moons[:60], "naive-bayes", minutes=0.1, seeds=1)
    assert len(seen) == 1 and not list(tmp_path.glob("pushforward-*"))
    with pytest.raises(why):
        pf.compare(moons[:60], "naive-bayes", minutes=0.1, seeds=1, folder=tmp_path / "mine")
    assert (tmp_path / "mine" / "plan.json").is_file()


def test_what_never_began_without_a_folder_leaves_nothing(moons, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stands = comparing(moons[:60], "naive-bayes")
    assert list(tmp_path.glob("pushforward-*"))
    del stands
    gc.collect()
    assert not list(tmp_path.glob("pushforward-*"))
