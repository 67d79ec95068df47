"""Whether a judge can tell drawn pictures from real ones: boosted trees on principal components, and a network."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold

from pushforward.data import Records
from pushforward.metrics.boosting import Design
from pushforward.metrics.intervals import area, around, share
from pushforward.metrics.judge import STEPS, as_tensor, over, trained
from pushforward.metrics.measured import Measured
from pushforward.metrics.nearest import pixels
from pushforward.metrics.rows import subset
from pushforward.metrics.two_sample import enough, told

PIECES = 32  # principal components
FOLDS = 3


def told_by_trees(drawn: Records, real: Records, *, seed: int = 0) -> Measured:
    """The accuracy of boosted trees on 32 principal components in telling drawn pictures from as many real ones.

    ½: no better than chance, which is ideal; 1: every picture gives itself away. They see shapes, but no blur.

    Args:
        drawn, real: records with a picture; the generator should not have seen the real ones.
        seed: of the choice of pictures, the folds and the trees.

    Returns:
        The accuracy; ``detail["auc"]`` is the area under the curve.

    Raises:
        UnmeasurableError: there are no pictures, or fewer than 50 of either.
    """
    n = enough(drawn, real)
    x = np.concatenate([pixels(subset(part, n, seed + i)).reshape(n, -1) for i, part in enumerate((drawn, real))])
    pieces = PCA(min(PIECES, x.shape[1], n), random_state=seed).fit_transform(x / 255.0)
    columns = {"image": list(range(pieces.shape[1]))}
    return told(Design(pieces, np.zeros(pieces.shape[1], bool), columns), n, seed=seed)


def told_by_network(drawn: Records, real: Records, *, seed: int = 0, steps: int = STEPS // 2) -> Measured:
    """The accuracy of a small convolutional network in telling drawn pictures from as many real ones.

    ½: no better than chance, which is ideal; 1: every picture gives itself away. It sees blur and texture as well.

    Args:
        drawn, real: records with a picture; the generator should not have seen the real ones.
        seed: of the choice of pictures, the folds and the networks.
        steps: of each of the three networks, that are shown two thirds and judge the rest.

    Returns:
        The accuracy; ``detail["auc"]`` is the area under the curve.

    Raises:
        UnmeasurableError: there are no pictures, or fewer than 50 of either.
    """
    n = enough(drawn, real)
    x = torch.cat([as_tensor(pixels(subset(part, n, seed + i))) for i, part in enumerate((drawn, real))])
    y = np.repeat([1, 0], n)
    hits, areas = 0, []
    for fold, (shown, asked) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y)):
        judge = trained(x[shown], torch.from_numpy(y[shown]), 2, seed=1000 * seed + 300 + fold, steps=steps)
        logits = over(judge, x[asked])
        hits += int((logits.argmax(1).numpy() == y[asked]).sum())
        lead = (logits[:, 1] - logits[:, 0]).numpy()
        areas.append(area(lead[y[asked] == 1], lead[y[asked] == 0]))
    auc, variance = float(np.mean([a for a, _ in areas])), sum(v for _, v in areas) / FOLDS**2
    detail = {"auc": Measured(*around(auc, variance**0.5, 0, 1), "lower", 0.5), "n": n}
    return Measured(*share(hits, 2 * n), "lower", 0.5, detail=detail)
