"""A comparison goes out and comes back whole."""

import json
from dataclasses import replace

import pytest

import pushforward as pf
from pushforward.compare import Comparison
from pushforward.metrics import Measured


@pytest.fixture
def found(made):
    whole = made(one=[0.6, 0.62, None], other=[0.9, 0.9, 0.91])
    pairs = Measured(0.9, 0.8, 1.0, "higher", 1.0, detail={"pairs": {("a", "b"): 0.5}})
    cell = replace(whole.cells[0], nats=Measured(-3.0, -3.1, -2.9, "higher", float("inf")),
                   found={**whole.cells[0].found, "pair trends": pairs, "copies": "there are 12 records"})  # fmt: skip
    return replace(whole, cells=(cell, *whole.cells[1:]), controls={"held-out reals": {"two-sample": pairs}})


def test_json_is_what_was_there(found):
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Comparison.from_json(json.loads(text)) == found


@pytest.mark.parametrize("value", [{}, {"format": 2}, {"format": 1, "odd": 1}, {"format": 1, "cells": [{}]}, [1]])
def test_other_json_is_refused(value):
    with pytest.raises(pf.PushforwardError):
        Comparison.from_json(value)


def test_a_frame_has_a_row_a_cell_with_intervals(found):
    frame = found.to_pandas()
    assert len(frame) == 6 and frame["two-sample low"].iloc[0] == pytest.approx(0.59)
    assert frame["failed"].iloc[2] == "it crashed" and frame["copies"].isna().all()


def test_markdown_begins_with_the_answer_and_marks_nats(found):
    text = found.to_markdown()
    assert text.startswith("# made: no clear winner") and "= −3.00" in text and "seed 2 failed: it crashed" in text
    widths = {len(line) for line in text.split("## Cost")[1].strip().splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_it_is_saved_by_extension(found, tmp_path):
    assert json.loads(found.save(tmp_path / "a.json").read_text())["format"] == 1
    assert found.save(tmp_path / "a.md").read_text() == found.to_markdown()
    with pytest.raises(pf.ArgumentError, match=r"must end in \.html, \.md or \.json"):
        found.save(tmp_path / "a.pdf")
    assert "<table>" in found._repr_html_()
