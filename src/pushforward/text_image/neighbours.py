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

    Each of several texts of a record has neighbours of its own, by the same field.

    Args:
        tensors: the records that are learned from; ``told`` (n, texts) bool says which texts each has, and
            ``text.0``, ``text.1``, … are the tokens of these, (n, …).
        generator: draws the pool where there are more of them.
    """

    def __init__(self, tensors: Mapping[str, Tensor], generator: torch.Generator):
        able = tensors["told"].any(1).nonzero()[:, 0]  # who says nothing is nobody's neighbour
        rows = able[torch.randperm(len(able), generator=generator, device=generator.device)[:POOL]]
        self._pool = {name: tensor[rows] for name, tensor in tensors.items()}
        counts = [bags(self._pool[f"text.{i}"]) for i in range(tensors["told"].shape[1])]
        # words that many captions hold say little of what is on a picture, and would make all of those neighbours
        self._rare = [torch.log(1 + len(each) / (each != 0).sum(0).clamp_min(1)) for each in counts]
        self._bags = [normalize(each * rare, dim=1) for each, rare in zip(counts, self._rare, strict=True)]

    def beside(self, seeds: Mapping[str, Tensor], many: int, generator: torch.Generator) -> dict[str, Tensor]:
        """The seeds, and after them `many` neighbours of each.

        Args:
            seeds: records as tensors, with ``which`` (n,) of its texts each is known by; so are its neighbours, or
                by the first that they have.
            many: how many.
            generator: draws which of the nearest.
        """
        which = seeds["which"]
        near = torch.zeros(len(which), len(self._bags[0]), device=which.device)
        for i, (rare, pool) in enumerate(zip(self._rare, self._bags, strict=True)):
            own = which == i
            near[own] = (normalize(bags(seeds[f"text.{i}"][own]) * rare, dim=1) @ pool.T).float()
        near = near.masked_fill(near > 1 - 1e-3, -1.0)  # the same caption teaches nothing
        nearest = near.topk(min(max(NEAREST, many), near.shape[1]), 1).indices
        order = torch.rand(nearest.shape, generator=generator, device=near.device).argsort(1)[:, :many]
        rows = nearest.gather(1, order)
        known = which[:, None].expand_as(rows).flatten()
        found = {name: tensor[rows.flatten()] for name, tensor in self._pool.items()}
        has = found["told"].gather(1, known[:, None])[:, 0]
        found["which"] = torch.where(has, known, found["told"].int().argmax(1))
        return {name: torch.cat([tensor, found[name]]) for name, tensor in seeds.items()}


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
