"""The commands compare and recommend: what they print, write and refuse."""

import json

import pytest

import pushforward as pf
from pushforward.compare import run as compare
from pushforward.compare import worker
from pushforward.compare.launch import Said


class Here:
    """What a process would do, done in this one."""

    def __init__(self, job, folder, threads, seconds, said):
        said.put(Said(job, ended=True, failed=None if worker.main(folder) == 0 else "it failed"))

    def end(self):
        pass


@pytest.fixture
def few(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "Running", Here)
    monkeypatch.setattr(worker, "print", lambda *_, **__: None, raising=False)
    pf.read("moons")[:450].save(tmp_path / "few.csv")
    return "few.csv"


def test_a_comparison_is_shown_written_and_gone_on_with(run, few, tmp_path):
    words = ["compare", few, "--family", "naive-bayes", "--minutes", "0.1", "--seeds", "1"]
    first = run(*words, "--out", "report.md")
    assert "compare: 1 of 1: naive-bayes, seed 0: " in first.stderr
    assert "few.csv  no clear winner" in first.stdout and "no other model could be measured" in first.stdout
    report = (tmp_path / "report.md").read_text()
    assert report.startswith("# few.csv: no clear winner")
    assert "pushforward compare few.csv --family naive-bayes" in report
    lines = run(*words, "--json").stdout.splitlines()
    assert [set(json.loads(line)) for line in lines[:1]] == [{"cell"}]
    last = json.loads(lines[-1])
    assert last["winner"] is None and last["comparison"]["format"] == 1


@pytest.mark.parametrize(
    "words, why",
    [
        (["compare", "moons", "--out", "a.pdf"], "out='a.pdf' must end in .html, .md or .json"),
        (["compare", "moons", "--out", "gone/a.md"], "does not exist"),
        (["compare", "moons", "--family", "ngram"], "no family can model these fields: ngram: field 'x' is number"),
        (["compare", "moons", "--minutes", "0"], "minutes=0.0 is out of range"),
        (["compare", "moons", "--famly", "gan"], "option --famly does not exist; did you mean '--family'"),
        (["recommend", "moons", "--given", "mon"], "did you mean 'moon'"),
        (["recommend", "gone.csv"], "gone.csv"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(refused, words, why):
    assert why in refused(*words)


def test_recommend_says_who_can_and_why_the_others_cannot(run):
    text = run("recommend", "moons").stdout
    assert " families can model them" in text
    assert text.index("tree-mixture") < text.index("cannot") < text.index("'x' is number")
    said = json.loads(run("recommend", "moons", "--json").stdout)
    assert {entry["family"]: entry["unfit"] is None for entry in said["families"]}["ngram"] is False
