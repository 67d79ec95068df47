"""The folder: whole cells or none, and no mixing of comparisons."""

import errno

import numpy as np
import pytest

import pushforward as pf
from pushforward.compare import Cell
from pushforward.compare.keep import Job, Keep, read_records, write_records
from pushforward.data.weights import digest

PLAN = {"minutes": 1.0, "given": ()}


@pytest.fixture
def halves(moons):
    return moons[:50], moons[50:80]


@pytest.fixture
def job():
    return Job("gan:loss=hinge", {"family": "gan", "hyperparameters": {}}, 0, 1.0, (), 10)


def test_what_is_finished_is_there_again_and_what_failed_is_tried_again(tmp_path, halves, job):
    keep = Keep(tmp_path / "c", PLAN, *halves)
    keep.begin(job)
    (keep.begin(job) / "fit.json").write_text("{}")
    keep.settle(job)
    assert Keep(tmp_path / "c", PLAN, *halves).fitted(job) is not None
    keep.finish(job, Cell(job.model, 0, cost={"parameters": 3.0}))
    again = Keep(tmp_path / "c", PLAN, *halves)
    assert again.cell(job).cost == {"parameters": 3.0} and again.fitted(job) is None
    keep.finish(job, Cell(job.model, 0, failed="it crashed"))
    assert again.cell(job) is None


def test_what_was_half_written_is_swept(tmp_path, halves, job):
    begun = Keep(tmp_path / "c", PLAN, *halves).begin(job)
    Keep(tmp_path / "c", PLAN, *halves)
    assert not begun.exists()


def test_another_comparison_is_refused_by_name(tmp_path, halves):
    one, other = halves
    Keep(tmp_path / "c", PLAN, one, other)
    with pytest.raises(pf.FormatError, match=r"minutes=1\.0, this one has minutes=2"):
        Keep(tmp_path / "c", {**PLAN, "minutes": 2.0}, one, other)
    with pytest.raises(pf.FormatError, match="other records"):
        Keep(tmp_path / "c", PLAN, one[:49], other)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.txt").write_text("")
    with pytest.raises(pf.FormatError, match="holds no comparison"):
        Keep(tmp_path / "d", PLAN, one, other)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, halves, job, monkeypatch):
    keep = Keep(tmp_path / "c", PLAN, *halves)
    keep.begin(job)
    keep.finish(job, Cell(job.model, 0))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pushforward.compare.keep.flush", full)
    other = Job("flow", {}, 0, 1.0, (), 10)
    keep.begin(other)
    with pytest.raises(pf.ArgumentError, match=r"No space left on device.*finished cells are kept"):
        keep.finish(other, Cell("flow", 0))
    assert keep.cell(job) is not None and keep.cell(other) is None


def test_words_of_any_kind_are_folders_of_their_own():
    names = [Job(words, {}, 0, 1.0, (), 1).name for words in ("a:b=1", "a_b=1", "../x", "latent:model=vae:latent=2")]
    assert len(set(names)) == 4 and not any("/" in name for name in names)


def test_records_come_back_as_they_were(tmp_path):
    for name in ("penguins", "digits"):
        records = pf.read(name)[:20]
        write_records(tmp_path / "a.arrow", records)
        back = read_records(tmp_path / "a.arrow", records.schema)
        assert back.table.equals(records.table)
        assert digest(back, None) == digest(records, None) != digest(records.take(np.arange(19)), None)
