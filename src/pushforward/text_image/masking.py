"""Masked diffusion of tokens beside a picture: what is hidden in training, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from pushforward.text_image.cutouts import covered
from pushforward.text_image.network import Reading
from pushforward.text_image.words import MASK

BLIND = 0.15  # share of records whose picture is not shown
ALL = 0.5  # share of records that are to tell every field; of the others each with
EACH = 0.5  # this probability
PARTS = 8  # numbers of places that a head is asked of


def hidden(able: Tensor, share: Tensor, generator: torch.Generator, alike: bool = False) -> Tensor:
    """(n, length) bool: a share of the places of each row, at least one where any may be hidden.

    With a share that is uniform on (0, 1], how many are hidden is uniform on 1 … k of the k places that may be, and k
    times the mean cost of what is hidden is a bound of -log p of them (Shi et al. 2024, arXiv 2406.04329; Sahoo et al.
    2024, arXiv 2406.07524, where the weight is 1 / t).

    Args:
        able: (n, length) bool, where anything may be hidden.
        share: (n,) from 0 to 1; 0 hides nothing.
        alike: whether places are chosen alike in all rows.
    """
    shape = able[:1].shape if alike else able.shape
    noise = torch.rand(shape, generator=generator, device=able.device).expand(able.shape)
    rank = noise.masked_fill(~able, math.inf).argsort(1).argsort(1)
    return able & (rank < torch.ceil(share * able.sum(1))[:, None])


def spread(n: int, generator: torch.Generator) -> Tensor:
    """(n,) numbers on (0, 1], each uniform, and together nearly so: one from each of n equal stretches."""
    device = generator.device
    u = (torch.arange(n, device=device) + torch.rand(n, generator=generator, device=device)) / n
    return (1 - u)[torch.randperm(n, generator=generator, device=device)]


@dataclass(frozen=True)
class Plan:
    """What is hidden of the tokens of records in a step.

    Attributes:
        asked: (n, length) bool, tokens that are hidden and asked for.
        untold: (n, length) bool, tokens that are hidden and not asked for.
    """

    asked: Tensor
    untold: Tensor


def planned(n: int, fields: Tensor, owner: Tensor, absent: float, generator: torch.Generator) -> Plan:
    """Hide some of the tokens of some fields, by a share of their own that the picture's noise does not know of (Bao et
    al. 2023, arXiv 2303.06555): so that the network learns to tell words from a picture, without it, and from others.

    Args:
        n: records.
        fields: (fields,) bool, which may be asked for; the others are conditions.
        owner: (length,) the field of each token.
        absent: share of conditions that are not told.
    """

    def chance(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=generator.device)

    kept = torch.where(chance(n, 1) < ALL, True, chance(n, len(fields)) < EACH)
    asked = fields & (kept | ~(kept & fields).any(1, keepdim=True))
    dropped = ~fields & (chance(n, len(fields)) < absent)
    return Plan(hidden(asked[:, owner], spread(n, generator), generator), dropped[:, owner])


def shown(network: Reading, x: Tensor, there: Tensor, generator: torch.Generator) -> Tensor:
    """(n, channels + 1, height, width) pictures as they are looked at in a step: some in part, some not at all.

    Args:
        network: what looks.
        x: (n, channels, height, width) in [-1, 1].
        there: (n,) bool, whether there is a picture.
    """
    seen = there & (torch.rand(len(x), generator=generator, device=x.device) >= BLIND)
    return network.view(x, (covered(torch.ones_like(x[:, :1]), generator) > 0) & seen[:, None, None, None])


def cost(network: Reading, views: Tensor, tokens: Tensor, plan: Plan) -> Tensor:
    """(n,) mean cost in nats of what was hidden of each record; 0 where nothing was.

    Args:
        network: what is learned.
        views: (n, channels + 1, height, width) of pictures.
        tokens: (n, length).
        plan: what is hidden.
    """
    features = network(views, tokens.masked_fill(plan.asked | plan.untold, MASK))
    return _mean_cost(at_places(features, plan.asked, network.of_token), tokens, plan.asked)


def at_places(features: Tensor, where: Tensor, head: Callable[[Tensor], Tensor]) -> Tensor:
    """(places, …) what a head says of some places.

    It is asked of a round number of them, since half precision is compiled anew on a processor for each number.
    """
    index, part = where.flatten().nonzero()[:, 0], -(-where.numel() // PARTS)
    more = -len(index) % part
    return head(features.flatten(0, 1)[pad(index, (0, more))])[: len(index)]


def _mean_cost(logits: Tensor, target: Tensor, hide: Tensor) -> Tensor:
    each = cross_entropy(logits.float(), target[hide], reduction="none")
    total = each.new_zeros(len(hide)).index_add(0, hide.nonzero()[:, 0], each)
    return total / hide.sum(1).clamp_min(1)


@torch.no_grad()
def log_bound(
    network: Reading, seen: Tensor, tokens: Tensor, asked: Tensor, samples: int, source: torch.Generator
) -> Tensor:
    """(n,) float64 a bound of the log probability of what is asked for, given what else is known.

    The shares that are hidden come one from each of `samples` equal stretches, and which places are hidden is the same
    in all records.

    Args:
        network: what was learned.
        seen: what it sees of pictures.
        tokens: (n, length) what is known, `MASK` elsewhere.
        asked: (n, length) bool.
        samples: how often something is hidden.
        source: of the noise.
    """
    total = torch.zeros(len(tokens), dtype=torch.float64, device=tokens.device)
    for i in range(samples):
        share = (i + torch.rand(1, generator=source, device=tokens.device)) / samples
        hide = hidden(asked, share.expand(len(tokens)), source, alike=True)
        features = network.read(seen, tokens.masked_fill(hide, MASK))
        total -= _mean_cost(at_places(features, hide, network.of_token), tokens, hide).double()
    return total / samples * asked.sum(1)
