"""Places that look for what they need among things: the words of a caption, or the cells of a picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

HEADS = 4  # or fewer, where the width is no multiple


class Look(nn.Module):
    """Each place takes a mean of what things say, weighted by how well they answer what it asks (Vaswani et al. 2017,
    arXiv 1706.03762, between two sets as in Rombach et al. 2022, arXiv 2112.10752).

    A thing that is zero throughout is not there. One that says nothing always is, so that a place need not look at any.
    It begins as the identity.

    Args:
        width: numbers of a place.
        things: numbers of a thing.

    >>> look, places = Look(8, 6), torch.randn(2, 5, 8)
    >>> torch.equal(look(places, torch.zeros(2, 3, 6)), places)
    True
    """

    def __init__(self, width: int, things: int):
        super().__init__()
        self._heads = math.gcd(HEADS, width)
        self.ask, self.answer = nn.Linear(width, width), nn.Linear(things, 2 * width)
        self.nothing = nn.Parameter(torch.zeros(2 * width))
        self.back = nn.Linear(width, width)
        nn.init.zeros_(self.back.weight)
        nn.init.zeros_(self.back.bias)

    def forward(self, places: Tensor, things: Tensor, where: Tensor | float = 0.0) -> Tensor:
        """(n, places, width), (n, things, …) → (n, places, width).

        Args:
            places: what asks.
            things: what answers.
            where: (places, width) is added to what asks, as long as it asks.
        """
        there = (things != 0).any(-1)
        said = torch.where(there[..., None], self.answer(things), 0.0)
        said = torch.cat([said, self.nothing.to(said.dtype).expand(len(said), 1, -1)], 1)
        key, value = said.unflatten(2, (2, self._heads, -1)).permute(2, 0, 3, 1, 4)  # (n, heads, things, …) each
        query = self.ask(layer_norm(places, places.shape[-1:]) + where).unflatten(2, (self._heads, -1)).transpose(1, 2)
        mask = torch.cat([there, there.new_ones(len(there), 1)], 1)[:, None, None]
        # by hand: of so few things and so narrow heads torch's own takes many times as long on a processor
        fit = (query.to(key.dtype) @ key.transpose(2, 3)) * query.shape[-1] ** -0.5
        found = fit.masked_fill(~mask, -torch.inf).softmax(3).to(value.dtype) @ value
        return places + self.back(found.transpose(1, 2).flatten(2))
