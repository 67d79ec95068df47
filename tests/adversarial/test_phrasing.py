"""Texts as numbers beside other columns: they come back, holes stay holes, what is kept is all there is."""

import numpy as np
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.adversarial.phrasing import Phrasing
from pushforward.errors import FormatError
from pushforward.nets.wording import STEPS, Wording
from pushforward.training.run import Run

ALL = [f"a {a} {b}" for a in ("red", "blue", "green") for b in ("circle", "square", "cross")]


@pytest.fixture(scope="module")
def records():
    table = {"a": [None, *ALL[1:]], "b": ALL[::-1], "x": range(len(ALL))}
    return pf.read(pa.table(table), text=["a", "b"])


@pytest.fixture(scope="module")
def phrasing(records):
    return Phrasing.of(records, records.schema.of_kind(pf.Text), Run())


def test_texts_and_holes_come_back(phrasing, records):
    numbers = phrasing.numbers(records)
    assert numbers.schema == phrasing.schema(records.schema) and numbers.names[-1] == "x"
    assert all(numbers.column(name)[0].as_py() is None for name in numbers.names if name.startswith("a"))
    assert [field.name for field in numbers.schema if field.missing] == ["a·0"]  # one bit a text
    assert phrasing.texts(numbers, records.schema).table.equals(records.table)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rate", [0.08, 0.3])
def test_texts_are_missing_as_often_as_in_the_data(rate):
    """Also after a short game."""
    rng = np.random.default_rng(0)
    texts = [None if rng.random() < rate else text for text in rng.choice(ALL, 400)]
    data = pf.read({"caption": texts, "x": rng.standard_normal(400)}, text=["caption"])
    model = pf.GAN(width=32, gamma=1.0).fit(data, steps=40, seed=0, device="cpu")
    drawn = model.sample(1000, seed=0)
    real = data.column("caption").null_count / 400
    assert abs(drawn.column("caption").null_count / 1000 - real) < 0.1


def test_what_is_kept_is_all_there_is(phrasing, records):
    other = Phrasing.empty(phrasing.sizes)
    other.load(phrasing.tensors())
    assert other.widths == phrasing.widths
    assert other.numbers(records).table.equals(phrasing.numbers(records).table)


def test_letters_that_are_no_words_are_refused(phrasing):
    for letters in (torch.full_like, torch.zeros_like):
        state = dict(phrasing.tensors())
        state["b.spelling"] = letters(state["b.spelling"], *([255] if letters is torch.full_like else []))
        with pytest.raises(FormatError, match="the words of 'b' cannot be read"):
            Phrasing.empty(phrasing.sizes).load(state)


@pytest.mark.parametrize(
    "run, steps", [(Run(), STEPS), (Run(steps=7), 7), (Run(minutes=0.1), 30), (Run(minutes=60), STEPS)]
)
def test_texts_are_learned_within_the_budget(records, monkeypatch, run, steps):
    asked = []
    monkeypatch.setattr(Wording, "learn", lambda self, texts, *, steps: asked.append(steps) or self)
    Phrasing.of(records, records.schema.of_kind(pf.Text), run)
    assert asked == [steps] * 2  # two fields
