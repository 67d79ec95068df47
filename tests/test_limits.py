"""Ranges and sets, brought to the fields of a schema."""

import datetime
import math

import numpy as np
import pytest

import pushforward as pf
from pushforward.evidence import evidence
from pushforward.limits import Limit, limit

PEOPLE = pf.read(
    {
        "age": [31, 44, 60, None],
        "height": [1.613, 1.7, 1.85, 1.9],
        "town": ["Ulm", "Bonn", "Kiel", None],
        "born": [datetime.date(1970, 1, day) for day in (2, 11, 21, 31)],
        "member": [True, False, True, True],
    }
)


def over(name, said):
    return limit(said, PEOPLE.schema[name])


def test_a_range_holds_both_ends():
    assert over("age", pf.between(35, 44)) == Limit(35.0, 44.0)


@pytest.mark.parametrize("said, low, high", [((None, 40), -math.inf, 40.0), ((40, None), 40.0, math.inf)])
def test_an_end_may_be_open(said, low, high):
    assert over("age", pf.between(*said)) == Limit(low, high)


def test_dates_are_bounds_as_they_are_stored():
    assert over("born", pf.between(datetime.date(1970, 1, 11), "1970-01-21")) == Limit(10.0, 20.0)


def test_levels_become_their_positions_and_none_a_hole():
    assert over("town", pf.among("Ulm", None, "Bonn")) == Limit(values=(0, 2), hole=True)


def test_a_set_may_be_a_list():
    assert pf.among(["Ulm", "Bonn"]) == pf.among("Ulm", "Bonn")


def test_numbers_of_a_set_that_cannot_be_are_passed_over():
    assert over("age", pf.among(44, 31, 200, 31.5)).values == (31.0, 44.0)


@pytest.mark.parametrize(
    "name, said, words",
    [
        ("age", pf.between(44, 31), ["age", "empty"]),
        ("age", pf.between(41.2, 41.8), ["age", "no value", "41", "42"]),
        ("age", pf.between(200, None), ["age", "probability zero", "31 to 60"]),
        ("age", pf.among(7), ["age", "probability zero", "31 to 60"]),
        ("height", pf.among(1.8, None), ["height", "no hole"]),
        ("age", pf.between("old", None), ["age", "old"]),
        ("town", pf.between("A", "C"), ["town", "among"]),
        ("member", pf.between(0, 1), ["member", "among"]),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(name, said, words):
    with pytest.raises(pf.ArgumentError) as error:
        over(name, said)
    assert all(word in str(error.value) for word in words)


def test_a_level_that_was_not_seen_is_named():
    with pytest.raises(pf.DataError, match="Rome"):
        over("town", pf.among("Rome"))


@pytest.mark.parametrize("make", [lambda: pf.between(), lambda: pf.among()])
def test_evidence_that_says_nothing_is_refused(make):
    with pytest.raises(pf.ArgumentError, match="give"):
        make()


def test_values_and_limits_part():
    known = evidence({"age": [31, 44], "town": pf.among("Ulm")}, 2, PEOPLE.schema, PEOPLE.names, "")
    assert known.values.names == ("age",) and len(known) == 2
    assert dict(known.limits) == {"town": Limit(values=(2,))}
    assert known.only(PEOPLE.schema, ["town"]).values.column("age").null_count == 2


def test_limits_alone_speak_of_as_many_records_as_are_drawn():
    assert len(evidence({"age": pf.between(31, 40)}, 7, PEOPLE.schema, PEOPLE.names, "")) == 7
    assert len(evidence({"age": pf.between(31, 40)}, None, PEOPLE.schema, PEOPLE.names, "")) == 1


def test_a_family_without_the_joint_distribution_takes_values_only():
    model = pf.Diffusion(width=8, layers=1).fit(PEOPLE, given="age", steps=1)
    with pytest.raises(pf.ArgumentError, match=r"age.*values only"):
        model.sample(2, given={"age": pf.between(31, 40)})


@pytest.mark.parametrize("family", [pf.GaussianMixture, pf.TreeMixture, pf.NaiveBayes, pf.DependencyTree])
def test_a_value_is_an_event_as_a_set_of_it_is_and_a_record_of_it(family):
    model = family().fit("penguins", steps=1) if "steps" in family.budget() else family().fit("penguins")
    value = model.log_prob({"species": "Gentoo"})
    assert value.shape == (1,)
    np.testing.assert_allclose(value, model.log_prob({"species": pf.among("Gentoo")}), atol=1e-9)
    np.testing.assert_allclose(value, model.log_prob({"species": ["Gentoo"]}), atol=1e-9)
    both = {"species": "Gentoo", "year": np.int64(2008)}
    np.testing.assert_allclose(model.log_prob(both), model.log_prob({n: [v] for n, v in both.items()}), atol=1e-9)


def test_a_value_is_no_event_where_records_are_whole():
    model = pf.Diffusion(width=8).fit("moons", steps=1)
    with pytest.raises(pf.DataError, match="'moon' of the data is a str; it must be a list or an array"):
        model.log_prob({"moon": "upper"})
