"""Records are judged one by one, whatever stands beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pushforward.data import Records
from pushforward.testing.case import Case, same


def check_batch_equals_singles(case: Case) -> None:
    """All at once is one after the other."""
    some = case.whole[:7]
    whole = case.answers(some)
    singles = [case.answers(some[i]) for i in range(len(some))]
    joined = {verb: _join([single[verb] for single in singles]) for verb in whole}
    case.agree(whole, joined, "between a batch and its records one by one")


def check_subset(case: Case) -> None:
    """A part of the records gets the same part of the answers."""
    rows = np.arange(1, len(case.whole), 3)
    part = {verb: _take(answer, rows) for verb, answer in case.answers(case.whole).items()}
    case.agree(part, case.answers(case.whole.take(rows)), "between a part of the records and the whole")


def check_order(case: Case) -> None:
    """The order of records does not matter."""
    rows = np.random.default_rng(0).permutation(len(case.whole))
    moved = {verb: _take(answer, rows) for verb, answer in case.answers(case.whole).items()}
    case.agree(moved, case.answers(case.whole.take(rows)), "in another order of the records")


def check_order_of_columns(case: Case) -> None:
    """Nor that of columns, nor columns that the model does not know."""
    table = case.whole.table
    turned = table.select(table.column_names[::-1]).append_column("unknown to the model", table.column(0))
    case.agree(case.answers(case.whole), case.answers(turned), "with columns in another order")


def check_repeated_records(case: Case) -> None:
    """A record that comes twice gets the same answer twice."""
    some = case.whole.take(np.array([0, 1, 0, 0]))
    answers = case.answers(some)
    case.agree(
        {verb: _take(answer, np.array([0, 0])) for verb, answer in answers.items()},
        {verb: _take(answer, np.array([2, 3])) for verb, answer in answers.items()},
        "between copies of a record",
    )


def check_complete_is_by_record(case: Case) -> None:
    """A record without holes is left alone, whatever holes others have."""
    case.need("complete")
    whole = case.whole
    assert same(case.model.complete(whole, seed=0), whole), "complete changed records without holes"


def _take(answer: Any, rows: np.ndarray) -> Any:
    return answer.take(rows) if isinstance(answer, Records) else answer[rows]


def _join(answers: list[Any]) -> Any:
    return answers[0].concat(*answers[1:]) if isinstance(answers[0], Records) else np.concatenate(answers)
