"""Whether draws are what was asked for, by a judge that was not trained with the generator."""

from __future__ import annotations

import numpy as np

from pushforward.data import Number, Records
from pushforward.data.encodings.cells import as_floats
from pushforward.errors import UnmeasurableError
from pushforward.metrics.intervals import bootstrap, share
from pushforward.metrics.judge import STEPS
from pushforward.metrics.learned import learned
from pushforward.metrics.measured import Measured


def obeyed(drawn: Records, train: Records, held: Records, field: str, *, seed: int = 0, steps: int = STEPS) -> Measured:
    """How often, or how nearly, a judge of real records sees in a draw what was asked for.

    Of a category it is the accuracy, 1: always; ideal is that of the judge on held-out records, which it does not reach
    where real records leave room for doubt. Of a number it is the error of the judge, as root of the mean square in
    units of the deviation among training records, 0: none; 1: as if nothing had been asked.

    Args:
        drawn: draws whose `field` holds what was asked for.
        train: what the judge learns from.
        held: what it is asked about beside draws.
        field: a category or a number.
        seed: of the judge and the interval.
        steps: of a network, where there are pictures.

    Returns:
        The accuracy, or the error; ``detail["held"]`` is that of held-out records, ``detail["levels"]`` by level of a
        category its own accuracy, worst first.

    Raises:
        ArgumentError: the field is a picture or a text.
        UnmeasurableError: there are too few records, or the field is constant.
    """
    ours, real = learned(train, [drawn, held], field, seed=seed, steps=steps)
    if not isinstance(train.schema[field], Number):
        usual = share(int(real.right.sum()), len(real.right))
        found = share(int(ours.right.sum()), len(ours.right))
        levels = {ours.levels[c]: float(ours.right[ours.truth == c].mean()) for c in np.unique(ours.truth)}
        levels = dict(sorted(levels.items(), key=lambda item: item[1]))
        held_ = Measured(*usual, "higher", 1.0)
        return Measured(*found, "higher", usual[0], detail={"field": field, "held": held_, "levels": levels})
    known = as_floats(train.column(field))
    deviation = float(np.nanstd(known))
    if deviation == 0:
        raise UnmeasurableError(f"{field!r} is constant among training records, so that nothing else can be asked")

    def error(w: np.ndarray, part: np.ndarray) -> float:
        return float(np.sqrt(w @ part)) / deviation

    squares, usually = ((part.truth - part.said) ** 2 for part in (ours, real))
    found = bootstrap(lambda w: error(w, squares), (len(squares),), seed=seed)
    usual = bootstrap(lambda w: error(w, usually), (len(usually),), seed=seed)
    held_ = Measured(*usual, "lower", 0.0)
    return Measured(*found, "lower", usual[0], detail={"field": field, "held": held_})
