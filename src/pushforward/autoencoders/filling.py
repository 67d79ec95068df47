"""Filling what is unknown of records by a variational auto-encoder.

Unknown cells are drawn and encoded in turns (pseudo-Gibbs; Rezende, Mohamed, Wierstra 2014, arXiv 1401.4082), which
brings q(z | x) near the posterior given what is known. Codes drawn from there are then resampled by

    w = p(x_known | z) p(z) / q(z | x_filled),

whose mean is the probability of what is known, so that with many draws the result follows p(x_unknown | x_known)
(Mattei, Frellsen 2018, arXiv 1802.04826).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.autoencoders.network import Inputs, Network, Outputs
from pushforward.autoencoders.posterior import Posterior
from pushforward.flows.bases import Base

TURNS = 20  # of drawing and encoding
PROPOSALS = 64  # codes that are resampled


@dataclass(frozen=True)
class Parts:
    """What filling needs of a model: its network, prior and encoder, and what was given, embedded."""

    network: Network
    prior: Base
    posterior: Callable[[Inputs], Posterior]
    given: Tensor | None


def filled(parts: Parts, batch: Mapping[str, Tensor], known: Tensor | None, generator: torch.Generator) -> Outputs:
    """What the decoder says of records, for codes drawn from the posterior given what is known of them.

    Args:
        parts: of the model.
        batch: n records; NaN and -1 where a cell is not known.
        known: (n, channels, height, width) bool, which pixels are; None for all.
        generator: what draws.
    """
    network = parts.network
    start = network.inputs(batch)
    nothing = torch.zeros(len(start.codes), parts.prior.size, device=start.codes.device)
    x = _laid(network, start, network.decode(nothing, parts.given), known, None)
    for _ in range(TURNS):
        z = parts.posterior(x).sample(generator)
        x = _laid(network, start, network.decode(z, parts.given), known, generator)
    z = _resampled(parts, x, batch, known, generator)
    return network.decode(z, parts.given)


def _resampled(
    parts: Parts, x: Inputs, batch: Mapping[str, Tensor], known: Tensor | None, generator: torch.Generator
) -> Tensor:
    """(n, latent): one of many codes for each record, by weight."""
    q = parts.posterior(x)
    best = torch.full((len(x.codes),), -torch.inf, dtype=torch.float64, device=x.codes.device)
    chosen = q.mean
    for _ in range(PROPOSALS):
        z = q.sample(generator)
        fit = parts.network.log_prob(parts.network.decode(z, parts.given), batch, known)
        weight = fit + (parts.prior.log_prob(z) - q.log_prob(z)).double()
        uniform = torch.rand(weight.shape, generator=generator, dtype=torch.float64, device=weight.device)
        weight = weight - torch.log(-torch.log(uniform.clamp(1e-300, 1 - 1e-16)))  # the largest is a draw by weight
        better = weight > best
        best, chosen = torch.where(better, weight, best), torch.where(better[:, None], z, chosen)
    return chosen


def _laid(
    network: Network, start: Inputs, out: Outputs, known: Tensor | None, generator: torch.Generator | None
) -> Inputs:
    """What is known of the inputs, over draws of the rest (its most probable value, without a generator)."""
    picture, y, codes = start.picture, start.y, start.codes
    if network.picture is not None and known is not None:
        drawn = out.picture if generator is None else network.picture.draw(out.picture, generator)
        picture = torch.where(known, picture, drawn.clamp(-1, 1))
    if network.row.outputs:
        row = network.row
        cells = row.point(out.row) if generator is None else row.draw(out.row, generator)
        codes = torch.where(codes >= 0, codes, cells.codes)
        guess = torch.where(row.on_atoms(codes), torch.nan, row.scores(cells.numbers)[0])
        y = torch.where(y.isnan(), guess, y)
    return Inputs(picture, y, codes)
