"""Where EM begins: some records from all over the data, and clusters of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Image, Records, Scan
from pushforward.data.encodings.cells import CellEncoding, Cells
from pushforward.data.encodings.standardise import Standardise
from pushforward.mixtures.gaussian import Mixture
from pushforward.mixtures.moments import Moments, solve
from pushforward.mixtures.prior import Prior
from pushforward.training.randomness import mix

PILOT = 16_384  # records that the start is found on
TRIES = 4  # of k-means, of which the tightest clusters are taken


def taken(data: Records | Scan, rows: np.ndarray) -> Records:
    """The records at sorted positions."""
    pieces, start = [], 0
    for chunk in data.chunks():
        here = rows[(rows >= start) & (rows < start + len(chunk))] - start
        pieces.append(chunk.take(here))
        start += len(chunk)
    return pieces[0].concat(*pieces[1:])


def scaled(encoding: CellEncoding, records: Records, share: Tensor) -> Standardise:
    """What brings every number to mean 0 and deviation 1; the pixels of a picture are scaled together.

    A pixel at the border, which is lit once in a thousand pictures, would else count as much as one of the middle.
    """
    scale = Standardise.robust(encoding.encode(records).numbers, share)
    for field in encoding.schema.of_kind(Image):
        columns = encoding.columns[field.name]
        scale.scale[columns] = scale.scale[columns].square().mean().sqrt()
    return scale


def clusters(
    cells: Cells, levels: tuple[int, ...], k: int, share: Tensor, seed: int, apart: Sequence[int] = ()
) -> Tensor:
    """(n,) labels of k-means (started by k-means++), the tightest of some; levels are corners of a simplex.

    Args:
        cells: the records.
        levels: how many levels each factor has.
        k: clusters.
        share: (n,) weights of the records.
        seed: of k-means.
        apart: factors that are conditions: where there are clusters enough, each is of records with one level, since
            what is asked for are the distributions given it, and numbers would outvote it.
    """
    features = [cells.numbers.nan_to_num().float()]
    for f, n in enumerate(levels):
        spread = torch.nn.functional.one_hot(cells.codes[:, f].clamp_min(0), n)
        features.append((spread * (cells.codes[:, [f]] >= 0)).float())
    x = torch.cat(features, 1)
    if not apart:
        return _tightest(x, k, share, seed)
    kinds, kind = torch.unique(cells.codes[:, list(apart)], dim=0, return_inverse=True)
    if len(kinds) < 2 or len(kinds) > k:
        return _tightest(x, k, share, seed)
    mass = torch.zeros(len(kinds), dtype=torch.float64, device=x.device).index_add_(0, kind, share.double()).cpu()
    labels, first = torch.zeros(len(x), dtype=torch.int64), 0
    for i, own in enumerate(_apportioned(mass.numpy(), k)):
        rows = (kind == i).nonzero()[:, 0]
        labels[rows.cpu()] = first + _tightest(x[rows], int(own), share[rows], seed)
        first += int(own)
    return labels


def _apportioned(mass: np.ndarray, k: int) -> np.ndarray:
    """Whole numbers, at least one each, that sum to k and are as near as can be to shares of it (D'Hondt)."""
    own = np.ones(len(mass), int)
    for _ in range(k - len(mass)):
        own[np.argmax(mass / (own + 1))] += 1
    return own


def _tightest(x: Tensor, k: int, share: Tensor, seed: int) -> Tensor:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    kmeans = KMeans(min(k, len(x)), n_init=TRIES, random_state=mix(seed) % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different records than components is legal
        labels = kmeans.fit_predict(x.cpu().numpy(), sample_weight=share.cpu().numpy())
    return torch.from_numpy(labels).long()


def begun(flat: Mixture, cells: Cells, labels: Tensor, share: Tensor, seed: int, prior: Prior) -> Mixture:
    """One maximisation from clusters.

    Args:
        flat: a mixture that says nothing.
        cells: the records.
        labels: (n,) their clusters.
        share: (n,) their weights.
        seed: of what is random in it.
        prior: what is believed beside the records.
    """
    sure = torch.nn.functional.one_hot(labels, len(flat.weights)).to(flat.means) * share.to(flat.means)[:, None]
    moments: Moments = flat.sorted_moments(cells, sure)
    first = solve(moments, flat, prior)
    spread = first.covariances.started(cells.numbers, labels.to(flat.means.device), first.means, seed)
    return Mixture(first.weights, first.means, spread, first.tables, first.levels, first.grid)
