"""Trees grown by scikit-learn, as arrays."""

from __future__ import annotations

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from pushforward.counts.chains.grove import NONE, Splits


def grown(x: np.ndarray, label: np.ndarray, weight: np.ndarray, fewest: int, seed: int) -> Splits:
    """The tree that tells labels apart by the greatest gain of information at every split.

    Args:
        x: (n, columns) float32, NaN where not known.
        label: (n,) classes.
        weight: (n,) of records.
        fewest: records of a leaf at least.
        seed: decides between splits that are equally good.
    """
    if len(x) < 2 * fewest or not x.shape[1] or (label == label[0]).all():
        return _leaf()
    tree = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=fewest, random_state=seed % 2**32)
    found = tree.fit(x, label, sample_weight=weight).tree_
    inner = found.children_left >= 0
    return Splits(
        np.zeros(1, np.int64),
        np.where(inner, found.feature, NONE).astype(np.int64),
        np.where(inner, found.threshold, 0.0),
        np.where(inner, found.children_left, 0).astype(np.int64),
        np.where(inner, found.children_right, 0).astype(np.int64),
        found.missing_go_to_left.astype(bool),
    )


def _leaf() -> Splits:
    none = np.zeros(1, np.int64)
    return Splits(none, none + NONE, np.zeros(1), none, none, np.ones(1, bool))
