"""How badly a picture fits its words, by what a denoiser that is told them leaves of its noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from pushforward.data import Records
from pushforward.text_image.painting import Painting
from pushforward.text_image.telling import BLOCK
from pushforward.training.randomness import generator as seeded

NATS = 0.1  # of -log p(picture | words) that 1 stands for, about
LEVELS, LOW, HIGH = 8, 0.7, 10.0  # noise through which words matter: on the finest parts of a picture all agree


@torch.no_grad()
def misfit(painting: Painting, x: Tensor, told: Records) -> Tensor:
    """(n,) ∫ E|D(x + σn; told) - x|² / σ d ln σ: what a denoiser that is told words leaves of the noise of a picture.

    Over all levels, and with σ² in place of σ, this would be -log p(x | told) up to what all words have in common, so
    that of some words those with the least are the likeliest (Li et al. 2023, arXiv 2303.16203). Fine levels, at which
    words tell nothing, would only add noise. The noise is the same for all records.

    Args:
        painting: draws pictures, given words.
        x: (n, size) points of pictures.
        told: the words.
    """
    source = seeded(0, device=x.device)
    sigmas = torch.logspace(math.log10(LOW), math.log10(HIGH), LEVELS, device=x.device)
    noise = torch.randn(LEVELS, painting.size, generator=source, device=x.device)
    pieces = []
    for start in range(0, len(x), BLOCK // LEVELS):  # all levels of some records at once: small steps cost most
        part, words = x[start : start + BLOCK // LEVELS], told[start : start + BLOCK // LEVELS]
        rows = np.repeat(np.arange(len(part)), LEVELS)
        y, sigma = part[torch.from_numpy(rows).to(x.device)], sigmas.repeat(len(part))
        denoised = painting.denoiser(words.take(rows), len(y))(y + sigma[:, None] * noise.repeat(len(part), 1), sigma)
        pieces.append(((denoised - y).square().sum(1) / sigma).view(-1, LEVELS).sum(1))
    return torch.cat(pieces)
