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
    every = torch.arange(tokens.shape[1], device=tokens.device)
    for rows in torch.arange(len(tokens), device=tokens.device).split(max(1, TOGETHER // tokens.shape[1])):
        own = tokens[rows]
        score = _hidden(network, seen[rows], own, every.expand(len(own), -1))
        free = able[rows] & open_[rows, :, None] & ~one_hot(own, score.shape[2]).bool()
        top, which = score.masked_fill(~free, -math.inf).flatten(1).topk(min(many, score[0].numel()), 1)
        place = which // score.shape[2]
        now = own.gather(1, place)
        other = torch.where(top.isinf(), now, which % score.shape[2])
        alone = _hidden(network, blind.expand(len(own), -1, -1), own, place)
        gain = (alone.gather(2, other[..., None]) - alone.gather(2, now[..., None]))[..., 0]
        pieces.append((own[:, None].repeat(1, top.shape[1], 1).scatter(2, place[..., None], other[..., None]), gain))
    others, gains = zip(*pieces, strict=True)
    return torch.cat(others), torch.cat(gains)


def _hidden(network: Reading, seen: Tensor, tokens: Tensor, places: Tensor) -> Tensor:
    """(n, k, symbols) log probability of each token at each of (n, k) places, given all others."""
    k = places.shape[1]
    hidden = tokens[:, None].repeat(1, k, 1).scatter(2, places[..., None], MASK)
    features = network.read(seen.repeat_interleave(k, 0), hidden.flatten(0, 1))
    own = features.take_along_dim(places.reshape(-1, 1, 1), 1)[:, 0]
    return network.of_token(own).float().log_softmax(-1).unflatten(0, (-1, k))
