"""Records whose captions are nearly alike, since what tells them apart is what is hard to learn."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize

POOL, WIDTH = 4096, 1024  # records that neighbours are chosen from, and numbers that words are counted in
NEAREST = 8  # neighbours of a record, of which some are drawn


class Neighbours:
    """A pool of records, asked for those whose captions share most words with others.

    A batch of such is one of hard negatives (as Yuksekgonul et al. 2022, arXiv 2210.01936, make it): "left of" beside
    "right of", one tone of skin beside the next.

    Args:
        tensors: the records that are learned from.
        texts: tokens of their captions, (n, …).
        generator: draws the pool where there are more of them.
    """

    def __init__(self, tensors: Mapping[str, Tensor], texts: Tensor, generator: torch.Generator):
        rows = torch.randperm(len(texts), generator=generator, device=generator.device)[:POOL]
        self._pool = {name: tensor[rows] for name, tensor in tensors.items()}
        self._bags = bags(texts[rows])

    def beside(self, seeds: Mapping[str, Tensor], texts: Tensor, many: int, generator: torch.Generator) -> dict:
        """The seeds, and after them `many` neighbours of each.

        Args:
            seeds: records as tensors.
            texts: (n, …) tokens of their captions.
            many: how many.
            generator: draws which of the nearest.
        """
        near = bags(texts) @ self._bags.T
        near = near.masked_fill(near > 1 - 1e-3, -1.0)  # the same caption teaches nothing
        nearest = near.topk(min(max(NEAREST, many), near.shape[1]), 1).indices
        order = torch.rand(nearest.shape, generator=generator, device=near.device).argsort(1)[:, :many]
        rows = nearest.gather(1, order).flatten()
        return {name: torch.cat([tensor, self._pool[name][rows]]) for name, tensor in seeds.items()}


def bags(texts: Tensor) -> Tensor:
    """(n, width) what texts hold, of length 1: words counted, or vectors as they are.

    >>> from pushforward.data.encodings.tokens import hashed
    >>> one, two, three = bags(hashed(["a red circle", "a blue circle", "three cats"]))
    >>> bool(one @ two > one @ three)
    True
    """
    if texts.is_floating_point():
        return normalize(texts.flatten(1).float(), dim=1)
    words = texts[..., 0].long()
    counts = torch.zeros(len(words), WIDTH, device=words.device)
    return normalize(counts.scatter_add_(1, words % WIDTH, (words > 0).float()), dim=1)
