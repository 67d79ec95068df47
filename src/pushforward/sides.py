"""Two data sets: what a family is given that moves one onto the other, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pushforward.data import Records, Scan, read
from pushforward.data.alike import alike
from pushforward.errors import ArgumentError, DataError
from pushforward.runs import is_data
from pushforward.training.run import Run

if TYPE_CHECKING:
    from pushforward.model import Model

Data = Records | Scan


def both(family: type[Model], data: Data, to: Any, weights: Any, run: Run) -> tuple[Data, Data | None]:
    """The data of a fit and the second data set, under one schema; the data alone for a family that takes one.

    Args:
        family: who is to learn.
        data: the first data set.
        to: the second; anything that `read` takes, or what `scan` returns.
        weights: of the records.
        run: the run.

    Raises:
        ArgumentError: a second data set is missing, or is not wanted; weights or held-out data are said beside it.
        DataError: the second is empty, or has other fields.
    """
    name = family.__name__
    if not hasattr(family, "_transport"):
        if to is not None:
            raise ArgumentError(f"to= is not an option of {name}.fit, which learns one data set; leave it out")
        return data, None
    if to is None:
        raise ArgumentError(f"{name}.fit moves one data set onto another; name the other in to=")
    if weights is not None:
        raise ArgumentError(f"weights= is not an option of {name}.fit; give records as often as they count")
    if is_data(run.validation):
        raise ArgumentError(f"validation= of {name}.fit is a share of both data sets; say a number such as 0.1")
    other = to if isinstance(to, Scan) else read(to)
    if len(other) == 0:
        raise DataError("to= holds no records; give at least one")
    return alike(data, other)


def refuse_new_holes(records: Records) -> None:
    """Refuse holes in fields that had none when the model was fitted.

    Raises:
        DataError: a field has some.
    """
    for field in records.schema:
        holes = records.column(field.name).null_count
        if holes and not field.missing:
            raise DataError(f"field {field.name!r} has {holes} holes, and had none at fit; fill them or leave them out")
