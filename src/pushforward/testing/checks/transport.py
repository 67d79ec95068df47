"""One data set moved onto another: record by record, both ways, and only by families that do so."""

from __future__ import annotations

from pushforward.data.holes import hide
from pushforward.errors import ArgumentError, DataError, FormatError
from pushforward.testing.case import Case, Inapplicable, folder, refused, same, same_state


def check_a_second_data_set_is_asked_for_or_refused(case: Case) -> None:
    """By who moves one onto another, and by all others."""
    if case.beside():
        with refused("fit without to=", ArgumentError, "to="):
            case.fit(to=None)
        with refused("weights of two data sets", ArgumentError, "weights="):
            case.fit(weights=[1.0] * len(case.records))
        with refused("held-out data beside two data sets", ArgumentError, "validation="):
            case.fit(validation=case.records)
    else:
        with refused("fit(to=…)", ArgumentError, "to="):
            case.fit(to=case.example.data)


def check_other_fields_of_the_second_are_refused(case: Case) -> None:
    """By name: fields too few, too many, and none at all."""
    _need(case)
    names = case.records.names
    if len(names) < 2:
        raise Inapplicable("there is one field only")
    fewer = case.records.without(names[-1:])
    with refused(f"to= without {names[-1]}", DataError, names[-1], "to="):
        case.fit(to=fewer)
    with refused(f"data without {names[-1]}", DataError, names[-1], "to="):
        case.train(case.make(), fewer, to=case.records)
    with refused("to= without records", DataError, "to="):
        case.fit(to=case.records[:0])


def check_a_path_leads_to_where_records_are_transported(case: Case) -> None:
    """From time 0 to time 1, a state a step, each with a record for every record."""
    _need(case)
    some = case.whole[:5]
    for reverse in (False, True):
        end = case.model.transport(some, reverse=reverse, seed=2)
        path = case.model.path(some, reverse=reverse, seed=2)
        times = [t for t, _ in path]
        assert times[0] == 0 and times[-1] == 1 and times == sorted(set(times)), f"the times of a path are {times}"
        assert all(len(records) == 5 for _, records in path), "records are lost or gained on the way"
        assert all(records.schema == case.model.schema for _, records in path), "a state has other fields"
        assert same(path[-1][1], end), "a path ends elsewhere than transport"


def check_holes_where_none_were_are_refused(case: Case) -> None:
    """By the name of the field."""
    _need(case)
    whole = [field.name for field in case.model.schema if not field.missing and field.kind != "image"]
    if not whole:
        raise Inapplicable("every field may be missing")
    holed = hide(case.whole[:3], whole[:1])
    with refused(f"transport of a hole in {whole[0]}", DataError, whole[0], "holes"):
        case.model.transport(holed, seed=0)


def check_the_second_data_set_is_part_of_a_run(case: Case) -> None:
    """Checkpoints of a run to another data set are not taken, and another data set is learned otherwise."""
    _need(case)
    other = case.records[::-1]
    assert not same_state(case.fit(to=other), case.model), "what is learned does not depend on to="
    if "folder" not in case.make().budget():
        return
    with folder() as place:
        case.fit(folder=str(place / "run"))
        with refused("going on from checkpoints of another to=", FormatError, "to="):
            case.fit(folder=str(place / "run"), to=other)


def _need(case: Case) -> None:
    case.need("transport", "path")
