"""Masked diffusion over two parts: what is hidden in training, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from pushforward.text_image.network import Pairs
from pushforward.text_image.words import MASK

TO_PICTURE, TO_WORDS = 0.5, 0.25  # shares of records of which only the picture, or only words, are to be told
UNTOLD = 0.2  # share of those to picture that are told no word, for guidance
ALL = 0.5  # share of records that are told, or are to tell, every field; of the others each with
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
    """What is hidden of records in a step.

    Attributes:
        codes: (n, cells) bool, codes that are hidden and asked for.
        tokens: (n, length) bool, tokens that are hidden and asked for.
        untold: (n, length) bool, tokens that are hidden and not asked for.
    """

    codes: Tensor
    tokens: Tensor
    untold: Tensor


def planned(codes: Tensor, fields: Tensor, owner: Tensor, absent: float, generator: torch.Generator) -> Plan:
    """Hide some of the codes, of the tokens, or of both, by shares that are independent (Bao et al. 2023, arXiv
    2303.06555): so that the network learns to tell either from the other, with or without it, and from a part of both.

    Args:
        codes: (n, cells) bool, those that may be asked for.
        fields: (fields,) bool, which may be asked for; the others are conditions.
        owner: (length,) the field of each token.
        absent: share of conditions that are not told.
    """
    n, device = len(codes), codes.device

    def chance(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    kind = chance(n)
    picture = (kind < TO_PICTURE) & codes.any(1)
    words = (kind >= TO_PICTURE) & (kind < TO_PICTURE + TO_WORDS) & bool(fields.any())
    whole = torch.where(words, 0.0, spread(n, generator))
    part = torch.where(picture, 0.0, spread(n, generator))
    every, some = chance(n, 1) < ALL, chance(n, len(fields)) < EACH
    kept = torch.where(every, True, some)  # fields that are told of a picture, or asked for
    told_none = picture[:, None] & (chance(n, 1) < UNTOLD)
    asked = fields & ~picture[:, None] & (kept | ~(kept & fields).any(1, keepdim=True))
    dropped = torch.where(picture[:, None] & fields, ~kept | told_none, ~fields & (chance(n, len(fields)) < absent))
    hide = hidden(asked[:, owner], part, generator)
    return Plan(hidden(codes, whole, generator), hide, dropped[:, owner])


def cost(network: Pairs, codes: Tensor, tokens: Tensor, said: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """(n,) mean cost in nats of what was hidden of each record, codes and tokens; 0 where nothing was.

    Args:
        network: what is learned.
        codes, tokens: (n, cells) and (n, length).
        said: (n, length) what is shown of the tokens where they are not hidden; it differs from them only in records
            of which no token is asked for.
        plan: what is hidden.
    """
    shown = said.masked_fill(plan.tokens | plan.untold, MASK)
    cells, words = network(codes.masked_fill(plan.codes, network.hidden_code), shown)
    return (
        _mean_cost(at_places(cells, plan.codes, network.of_code), codes, plan.codes),
        _mean_cost(at_places(words, plan.tokens, network.of_token), tokens, plan.tokens),
    )


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
    network: Pairs, codes: Tensor, tokens: Tensor, asked: Tensor, of_codes: bool, samples: int, source: torch.Generator
) -> Tensor:
    """(n,) float64 a bound of the log probability of what is asked for, given what else is known.

    The shares that are hidden come one from each of `samples` equal stretches, and
    which places are hidden is the same in all records.

    Args:
        network: what was learned.
        codes, tokens: what is known, the hidden code or `MASK` elsewhere.
        asked: (n, cells) or (n, length) bool.
        of_codes: which of both.
        samples: how often something is hidden.
        source: of the noise.
    """
    target, nothing = (codes, network.hidden_code) if of_codes else (tokens, MASK)
    total = torch.zeros(len(codes), dtype=torch.float64, device=codes.device)
    for i in range(samples):
        share = (i + torch.rand(1, generator=source, device=codes.device)) / samples
        hide = hidden(asked, share.expand(len(codes)), source, alike=True)
        shown = target.masked_fill(hide, nothing)
        cells, words = network(shown, tokens) if of_codes else network(codes, shown)
        logits = at_places(cells, hide, network.of_code) if of_codes else at_places(words, hide, network.of_token)
        total -= _mean_cost(logits, target, hide).double()
    return total / samples * asked.sum(1)
