"""Words that a picture fits best."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Records
from pushforward.text_image.filling import Filling
from pushforward.text_image.misfit import NATS, misfit
from pushforward.text_image.revising import revised

REVISIONS, OTHERS = 4, 6  # times that words are revised by one, and so many that are looked at
LEAST = 1e-3  # nats by which they have to become more probable


def fittest_words(filling: Filling, part: Records, seen: Tensor, draws: Tensor, x: Tensor) -> Tensor:
    """(n, length) of some draws of tokens those that pictures fit best, of which one was changed after the other, as
    long as log p(picture | words) + log p(words) became more: what fits best without regard to the second may be no
    sentence.

    Args:
        filling: how tokens come into records.
        part: (n) what is known.
        seen: (n, …) what the network of words sees of pictures.
        draws: (n, many, length) tokens.
        x: (n, size) points of pictures.
    """
    network, rows = filling.telling.network, torch.arange(len(part), device=x.device)
    known, found = filling.tokens(part), _fit(filling, part, draws, x)
    (fit, at), open_, able = found.max(1), filling.open(known), filling.able(known)
    tokens = draws[rows, at]
    for _ in range(REVISIONS):
        others, gain = revised(network, seen[rows], tokens[rows], open_[rows], able[rows], OTHERS)
        found = _fit(filling, part.take(rows.cpu().numpy()), others, x[rows])
        more, at = (found - fit[rows, None] + gain).max(1)
        better = (more > LEAST).nonzero()[:, 0]
        if not len(better):
            break
        rows, at = rows[better], at[better]
        tokens[rows], fit[rows] = others[better, at], found[better, at]
    return tokens


def _fit(filling: Filling, part: Records, tokens: Tensor, x: Tensor) -> Tensor:
    """(n, many) log p(picture | words) of the points of pictures and (n, many, length) tokens, about, up to what all
    words have in common.
    """
    painting = filling.telling.painting
    assert painting is not None
    rows = np.repeat(np.arange(len(part)), tokens.shape[1])
    told = filling.records(part.take(rows), tokens.flatten(0, 1))
    told = told.select([name for name in told.names if name in painting.given])
    first, same = _distinct(rows, told)
    left = misfit(painting, x[torch.from_numpy(rows[first]).to(x.device)], told.take(first))
    return -NATS * left[torch.from_numpy(same).to(x.device)].view(len(part), -1)


def _distinct(rows: np.ndarray, told: Records) -> tuple[np.ndarray, np.ndarray]:
    """Where each pair of a record and its words is found first, and for all pairs which of those it is."""
    columns = [told.column(name).to_pylist() for name in told.names]
    pairs: dict[tuple[Any, ...], int] = {}
    same = [pairs.setdefault(pair, len(pairs)) for pair in zip(rows.tolist(), *columns, strict=True)]
    return np.unique(same, return_index=True)[1], np.array(same)
