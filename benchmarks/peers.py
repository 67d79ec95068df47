"""Generators of tables by other packages, and two yardsticks, behind one function each: (train, target, seed, epochs).

Each returns a function that draws n records, and the number of parameters it keeps (None where there are none).

None of the peers takes holes in numbers, and not all take them in categories. They are shown a category with the
level ``(hole)``, and a number with the median in its holes beside a column that says where these are; both are turned
back into holes afterwards. Whole numbers, and numbers on a grid, are rounded to it: else one decimal would tell all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from two_sample import frame

import pushforward as pf

HOLE = "(hole)"
MISSES = " is a hole"  # what is added to the name of a number for the column that says where it is missing

Draw = Callable[[int], pf.Records]
Peer = Callable[[pf.Records, str, int, int], tuple[Draw, int | None]]


def filled(records: pf.Records) -> pd.DataFrame:
    """The records as a frame without holes; see the module."""
    table = frame(records)
    out: dict[str, Any] = {}
    for name in table:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            words = column.astype(object).where(column.notna(), HOLE)
            out[name] = words.astype("category")
        else:
            out[name] = column.fillna(column.median())
            if column.isna().any():
                out[name + MISSES] = column.isna().map({True: "yes", False: "no"}).astype("category")
    return pd.DataFrame(out)


def emptied(table: pd.DataFrame, schema: pf.Schema) -> pf.Records:
    """The records that a frame without holes stands for, with the types of the schema."""
    columns = {}
    for field in schema:
        if isinstance(field, pf.Category):
            known = {str(value): value for value in field.values}
            values = [known.get(word) for word in table[field.name].astype(str)]
            columns[field.name] = pa.array(values, field.arrow_type)
        elif isinstance(field, pf.Number):
            hole = table[field.name + MISSES] == "yes" if field.name + MISSES in table else table[field.name].isna()
            columns[field.name] = _numbers(table[field.name].to_numpy(np.float64), hole.to_numpy(), field)
    return pf.Records(schema.select(columns), pa.table(columns))


def _numbers(values: np.ndarray, hole: np.ndarray, field: pf.Number) -> pa.Array:
    """Numbers on the grid of their field, in its type."""
    if field.resolution is not None:
        values = np.round(values / field.resolution) * field.resolution
    if field.decimals is not None:
        values = np.round(values, field.decimals)
    if not field.integral:
        return pa.array(values, field.arrow_type, mask=hole)
    whole = np.round(np.where(hole, 0.0, values)).astype(np.int64)
    storage = pa.int32() if field.arrow_type.bit_width == 32 else pa.int64()
    return pa.array(whole, mask=hole).cast(storage).cast(field.arrow_type)


def train_rows(train: pf.Records, target: str, seed: int, epochs: int) -> tuple[Draw, None]:
    """The training rows themselves: what a perfect generator scores against the test rows, and a perfect copier."""
    return lambda n: train[:n], None


def independent(train: pf.Records, target: str, seed: int, epochs: int) -> tuple[Draw, None]:
    """Each column drawn from its own training cells, whatever the others are."""

    def draw(n: int) -> pf.Records:
        rng = np.random.default_rng(seed)
        columns = {name: train.column(name).take(pa.array(rng.integers(0, len(train), n))) for name in train.names}
        return pf.Records(train.schema, pa.table(columns))

    return draw, None


def smote(train: pf.Records, target: str, seed: int, epochs: int) -> tuple[Draw, None]:
    """Rows between near neighbours of one class: SMOTENC of imbalanced-learn; new rows only, classes as in training."""
    from imblearn.over_sampling import SMOTENC

    table = filled(train)
    features, label = table.drop(columns=target), table[target].astype(str)

    def draw(n: int) -> pf.Records:
        counts = label.value_counts()
        wanted = {level: count + int(np.ceil(n * count / len(label))) for level, count in counts.items()}
        near = min(5, counts.min() - 1)
        sampler = SMOTENC("auto", sampling_strategy=wanted, k_neighbors=near, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x, y = sampler.fit_resample(features, label)
        new = x.assign(**{target: y}).iloc[len(features) :]
        return emptied(new.sample(n, random_state=seed), train.schema)

    return draw, None


def ctgan(train: pf.Records, target: str, seed: int, epochs: int) -> tuple[Draw, int]:
    """CTGAN (Xu et al. 2019) of the package of this name."""
    from ctgan import CTGAN

    draw, model = _synthesizer(CTGAN(epochs=epochs, enable_gpu=False), train, seed)
    return draw, _size(model._generator)


def tvae(train: pf.Records, target: str, seed: int, epochs: int) -> tuple[Draw, int]:
    """TVAE (Xu et al. 2019) of the package ctgan."""
    from ctgan import TVAE

    draw, model = _synthesizer(TVAE(epochs=epochs, enable_gpu=False), train, seed)
    return draw, _size(model.decoder)


def _synthesizer(model: Any, train: pf.Records, seed: int) -> tuple[Draw, Any]:
    """Fit a model of the package ctgan."""
    table = filled(train)
    words = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    table[words] = table[words].astype(str)
    model.set_random_state(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, words)

    def draw(n: int) -> pf.Records:
        return emptied(model.sample(n).iloc[:n].reset_index(drop=True), train.schema)

    return draw, model


def _size(network: Any) -> int:
    """How many parameters a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


PEERS: dict[str, Peer] = {
    "train": train_rows, "independent": independent, "smote": smote, "ctgan": ctgan, "tvae": tvae,
}  # fmt: skip
