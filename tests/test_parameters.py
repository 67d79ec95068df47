"""Hyperparameters said once: read from annotations, checked by name."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pytest
import torch
from annotated_types import Ge, Gt, Le, Lt, doc
from hypothesis import given
from hypothesis import strategies as st

from pushforward.errors import ArgumentError
from pushforward.parameters import Parameter, check_all, of_class, of_function


@dataclass(kw_only=True)
class Knobs:
    layers: Annotated[int, Ge(1), Le(64), doc("how many layers")] = 3
    rate: Annotated[float, Gt(0), Lt(1), doc("how fast")] = 0.1
    minutes: Annotated[float | None, Gt(0)] = None
    old: Annotated[Optional[int], Ge(0)] = None  # noqa: UP045
    shape: Literal["full", "diagonal"] = "full"
    quiet: bool = False
    name: str = "a"
    count: Annotated[int | Literal["auto"], Ge(1), doc("how many")] = 8
    anything: Any = None


KNOWN = of_class(Knobs)


def check(name, value):
    return KNOWN[name].check(value)


def test_annotations_are_read_whole():
    layers, minutes = KNOWN["layers"], KNOWN["minutes"]
    assert (layers.kind, layers.default, layers.doc, layers.range) == (int, 3, "how many layers", "≥ 1, ≤ 64")
    assert (minutes.kind, minutes.optional, minutes.range) == (float, True, "> 0")
    assert KNOWN["old"].optional and KNOWN["old"].kind is int
    assert KNOWN["shape"].choices == ("full", "diagonal") and KNOWN["shape"].range == "full | diagonal"
    assert KNOWN["rate"].range == "> 0, < 1"
    assert list(KNOWN) == ["layers", "rate", "minutes", "old", "shape", "quiet", "name", "count", "anything"]


def test_keyword_only_arguments_of_a_function_are_its_options():
    def sample(self, n, *, steps: Annotated[int, Ge(1), doc("of the sampler")] = 32, churn: float = 0.0): ...

    options = of_function(sample)
    assert list(options) == ["steps", "churn"]
    assert options["steps"].default == 32 and options["steps"].doc == "of the sampler"


@pytest.mark.parametrize(
    "name, value, taken",
    [
        ("layers", 5, 5),
        ("layers", 5.0, 5),
        ("layers", np.int64(5), 5),
        ("layers", np.float32(5), 5),
        ("layers", torch.tensor(5), 5),
        ("rate", np.float64(0.5), 0.5),
        ("rate", Decimal("0.5"), 0.5),
        ("rate", Fraction(1, 2), 0.5),
        ("minutes", None, None),
        ("minutes", 2, 2.0),
        ("shape", "diagonal", "diagonal"),
        ("quiet", True, True),
        ("count", "auto", "auto"),
        ("count", 3.0, 3),
        ("anything", [1], [1]),
    ],
)
def test_what_means_the_same_is_taken(name, value, taken):
    found = check(name, value)
    assert found == taken and type(found) is type(taken)


@pytest.mark.parametrize(
    "name, value, why",
    [
        ("layers", 0, "out of range; it must be ≥ 1, ≤ 64"),
        ("layers", 65, "out of range"),
        ("layers", 2.5, "it must be a whole number"),
        ("layers", True, "is a bool; it must be a whole number"),
        ("layers", "3", "is a str; it must be a whole number"),
        ("layers", None, "is a NoneType"),
        ("layers", [3], "is a list"),
        ("layers", 3j, "is a complex"),
        ("layers", np.array([1, 2]), "it must be a whole number"),
        ("layers", torch.tensor([1.0, 2.0]), "it must be a whole number"),
        ("rate", 0, "out of range; it must be > 0, < 1"),
        ("rate", 1.0, "out of range"),
        ("rate", float("nan"), "is not a finite number"),
        ("rate", float("inf"), "is not a finite number"),
        pytest.param("rate", 10**5000, "is not a finite number", id="rate-enormous"),
        ("layers", np.zeros((40, 2)), "it must be a whole number"),
        pytest.param("rate", 10**400, "is not a finite number", id="rate-huge"),
        ("minutes", 0, "out of range"),
        ("old", -1, "out of range"),
        ("shape", "ful", "is unknown; did you mean 'full'? There are: full, diagonal"),
        ("shape", 3, "is a int; it must be a word"),
        ("quiet", 1, "it must be true or false"),
        ("quiet", "yes", "it must be true or false"),
        ("name", 3, "it must be a word"),
        ("count", "many", "is a str; it must be a whole number or auto"),
        ("count", 0, "out of range; it must be ≥ 1 or auto"),
        ("count", None, "is a NoneType"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_value_and_cure(name, value, why):
    with pytest.raises(ArgumentError) as caught:
        check(name, value)
    message = str(caught.value)
    assert message.startswith(f"{name}=") and why in message and "\n" not in message


def test_unknown_names_are_refused_with_the_nearest_spelling():
    with pytest.raises(ArgumentError, match=r"^layer= is not an option of Knobs; did you mean 'layers'"):
        check_all(KNOWN, {"layer": 3}, "Knobs")


def test_check_all_gives_back_what_was_given():
    assert check_all(KNOWN, {"layers": 2.0, "rate": 0.5}, "Knobs") == {"layers": 2, "rate": 0.5}


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.complex_numbers(), st.decimals(), st.fractions(), st.dictionaries(st.text(), st.integers()),
)  # fmt: skip


@given(st.sampled_from(list(KNOWN)), ANYTHING)
def test_any_value_is_taken_within_bounds_or_refused(name, value):
    try:
        found = check(name, value)
    except ArgumentError as error:
        assert str(error).startswith(f"{name}=")
        return
    parameter = KNOWN[name]
    assert parameter.kind is object or found is None or found in parameter.words or type(found) is parameter.kind
    if name == "layers":
        assert 1 <= found <= 64
    if name == "rate":
        assert 0 < found < 1
    assert parameter.kind is object or found is None or check(name, found) == found


def test_whole_numbers_beyond_floats_stay_exact():
    seed = Parameter.of("seed", Annotated[int, Ge(0)], 0)
    assert seed.check(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("layers", "5", 5), ("rate", "1e-2", 0.01), ("minutes", "none", None), ("minutes", "2", 2.0),
        ("shape", "diagonal", "diagonal"), ("quiet", "true", True), ("quiet", "no", False), ("count", "auto", "auto"),
        ("count", "3", 3), ("name", "b", "b"),
    ],
)  # fmt: skip
def test_words_stand_for_values(name, text, value):
    found = KNOWN[name].read(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "name, text, cure",
    [("layers", "many", "a whole number, ≥ 1"), ("rate", "x", "a number"), ("quiet", "maybe", "true or false")],
)
def test_words_that_stand_for_nothing_are_refused(name, text, cure):
    with pytest.raises(ArgumentError, match=f"{name}='{text}'.*{cure}"):
        KNOWN[name].read(text)
