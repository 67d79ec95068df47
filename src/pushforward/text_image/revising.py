"""Texts that differ from one in a single word."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from pushforward.text_image.network import Reading
from pushforward.text_image.words import MASK

TOGETHER = 2048  # texts with a hidden place that are read at once


@torch.no_grad()
def revised(
    network: Reading, seen: Tensor, tokens: Tensor, open_: Tensor, able: Tensor, many: int
) -> tuple[Tensor, Tensor]:
    """(n, many, length) the likeliest tokens that differ at one place, beside the same picture, and (n, many) by how
    much log p of them is more than that of the tokens as they are, where no picture is seen.

    Each place is hidden in turn, and of all others that may stand there, at all places, the most probable are taken.
    Where there are fewer, the tokens as they are fill up.

    Args:
        network: what was learned.
        seen: (n, …) what it sees of pictures.
        tokens: (n, length), nothing hidden.
        open_: (n, length) bool, places that may change.
        able: (n, length, symbols) bool, the tokens that may stand at each place.
        many: how many.
    """
    blind, pieces = network.see(network.blind(1)), []
    for rows in torch.arange(len(tokens), device=tokens.device).split(max(1, TOGETHER // tokens.shape[1])):
        own = tokens[rows]
        beside, alone = (
            _each_hidden(network, seen[rows], own),
            _each_hidden(network, blind.expand(len(own), -1, -1), own),
        )
        free = able[rows] & open_[rows, :, None] & ~one_hot(own, beside.shape[2]).bool()
        top, which = beside.masked_fill(~free, -math.inf).flatten(1).topk(min(many, beside[0].numel()), 1)
        place = which // beside.shape[2]
        other = torch.where(top.isinf(), own.gather(1, place), which % beside.shape[2])
        gain = alone.flatten(1).gather(1, place * beside.shape[2] + other)
        gain = gain - alone.gather(2, own[..., None])[..., 0].gather(1, place)
        pieces.append((own[:, None].repeat(1, top.shape[1], 1).scatter(2, place[..., None], other[..., None]), gain))
    others, gains = zip(*pieces, strict=True)
    return torch.cat(others), torch.cat(gains)


def _each_hidden(network: Reading, seen: Tensor, tokens: Tensor) -> Tensor:
    """(n, length, symbols) log probability of each token at each place, given all others."""
    n, length = tokens.shape
    hidden = tokens[:, None].masked_fill(torch.eye(length, dtype=torch.bool, device=tokens.device), MASK)
    features = network.read(seen.repeat_interleave(length, 0), hidden.flatten(0, 1)).unflatten(0, (n, length))
    own = features.diagonal(dim1=1, dim2=2).transpose(1, 2)
    return network.of_token(own).float().log_softmax(-1)
