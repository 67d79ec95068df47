"""Features in which records may be compared: a fixed encoding of rows, and what networks see in pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.special import ndtri
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from pushforward.data import Category, Records
from pushforward.errors import UnmeasurableError
from pushforward.metrics.judge import STEPS, Judge, as_tensor, features, trained
from pushforward.metrics.nearest import pixels
from pushforward.metrics.rows import rows

CLUSTERS = 10  # that stand for classes, where pictures have none
COMMON = 50  # levels of a category that have a coordinate of their own; the others share one

Features = Callable[[Records], np.ndarray]


def row_features(train: Records) -> Features:
    """Rows as vectors of which each field has a part, by what training rows are like.

    A number is its normal score, with ranks among training rows (a hole: 0, and a coordinate that says so); a level
    is a coordinate, so that two different levels are 1 apart, as are a level and a hole; a text is the direction
    of the counts of its hashed words.

    Raises:
        UnmeasurableError: there is no number, category or text.

    >>> import pushforward as pf
    >>> people = pf.read({"age": [20, 30, 40], "town": ["Ulm", "Bonn", "Ulm"]})
    >>> row_features(people)(people).round(2).tolist()
    [[-0.67, 0.0, 0.71, 0.0], [0.0, 0.71, 0.0, 0.0], [0.67, 0.0, 0.71, 0.0]]
    """
    (known,) = rows(train)
    sorted_ = {name: np.sort(values[~np.isnan(values)]) for name, values in known.numbers.items()}

    def encode(records: Records) -> np.ndarray:
        theirs, ours = rows(train, records)
        blocks = []
        for name in ours.names:
            if name in ours.numbers:
                blocks.append(_scores(ours.numbers[name], sorted_[name]))
                if np.isnan(theirs.numbers[name]).any():
                    blocks.append(np.isnan(ours.numbers[name])[:, None].astype(np.float64))
            elif name in ours.codes:
                blocks.append(_one_hot(ours.codes[name], theirs.codes[name]))
            else:
                counts = ours.texts[name].astype(np.float64)
                blocks.append(counts / np.maximum(1e-9, np.linalg.norm(counts, axis=1, keepdims=True)))
        return np.concatenate(blocks, 1)

    return encode


def _scores(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, 1) normal scores by the middle of the ranks that a value would have."""
    if len(known) == 0:
        return np.zeros((len(values), 1))
    ranks = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    scores = ndtri((ranks + 0.5) / (len(known) + 1))
    return np.where(np.isnan(values), 0.0, scores)[:, None]


def _one_hot(codes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, …) one coordinate a level that training rows have often, and one for all others."""
    counts = np.bincount(known[known >= 0])
    common = np.sort(np.argsort(-counts, kind="stable")[:COMMON])
    out = codes[:, None] == common[counts[common] > 0]
    return np.concatenate([out, ((codes >= 0) & ~out.any(1))[:, None]], 1) * np.sqrt(0.5)


def picture_features(judge: Judge) -> Features:
    """What a judge sees in pictures, (n, 64)."""
    return lambda records: features(judge, as_tensor(pixels(records)))


def judges(
    train: Records, *, target: str | None = None, seeds: tuple[int, ...] = (0, 1, 2), steps: int = STEPS
) -> list[Judge]:
    """Networks trained on real pictures, with different seeds: what Fréchet and kernel distances are measured in.

    They learn the levels of a category; without one, to which of ten clusters a picture belongs.

    Args:
        train: records with a picture.
        target: the category; default: the last one of at most 100 levels, if any.
        seeds: of the judges.
        steps: of each.

    Raises:
        UnmeasurableError: there are no pictures, or a single class.
    """
    x, labels = pixels(train), None
    name = target or default_category(train)
    if name is not None:
        labels = rows(train)[0].codes[name]
    if labels is None or len(np.unique(labels)) < 2:
        labels = _clusters(x, seeds[0])
    there = labels >= 0
    classes = int(labels.max()) + 1
    images, truth = as_tensor(x[there]), torch.from_numpy(labels[there]).long()
    return [trained(images, truth, classes, seed=100 + seed, steps=steps) for seed in seeds]


def default_category(records: Records) -> str | None:
    """The last category of 2 to 100 levels."""
    names = [f.name for f in records.schema.of_kind(Category) if 2 <= len(f.values) <= 100]
    return names[-1] if names else None


def _clusters(x: np.ndarray, seed: int) -> np.ndarray:
    flat = x.reshape(len(x), -1) / 255.0
    first = flat[:1000]
    if (different := len(np.unique(first, axis=0))) < (fewest := 2 * CLUSTERS):
        raise UnmeasurableError(
            f"there are {different} different pictures among the first {len(first):,} to learn from; "
            f"without a category of several levels it takes {fewest}"
        )
    pieces = PCA(min(16, *flat.shape), random_state=seed).fit_transform(flat)
    return KMeans(CLUSTERS, n_init=3, random_state=seed).fit_predict(pieces).astype(np.int64)
