"""Generators of tables by other packages, and two yardsticks, behind one function each: (train, target, seed, epochs).

Each returns a function that draws n records, and the number of parameters it keeps (None where there are none).
How holes are shown to peers is said in `pushforward.compare.peers.frames`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

import pushforward as pf
from pushforward.compare.peers.frames import emptied, filled, words_of

Draw = Callable[[int], pf.Records]
Peer = Callable[[pf.Records, str, int, int], tuple[Draw, int | None]]


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
    table = table.astype(dict.fromkeys(words_of(table), "category"))
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
    model.set_random_state(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, words_of(table))

    def draw(n: int) -> pf.Records:
        return emptied(model.sample(n).iloc[:n].reset_index(drop=True), train.schema)

    return draw, model


def _size(network: Any) -> int:
    """How many parameters a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


PEERS: dict[str, Peer] = {
    "train": train_rows, "independent": independent, "smote": smote, "ctgan": ctgan, "tvae": tvae,
}  # fmt: skip
