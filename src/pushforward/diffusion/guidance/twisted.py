"""Draws given a measurement, of which the more probable go on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from pushforward.data.encodings.noise import normal
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.guidance.measured import Told, chosen, telling
from pushforward.diffusion.schedule import schedule

FILL_STEPS = 32  # noise levels when the rest of records is drawn


def twisted(
    told: Callable[[Tensor, Tensor], Told], x: Tensor, sigmas: Tensor, particles: int, source: torch.Generator
) -> Tensor:
    """(n, d) draws given a measurement, one of K particles each (Wu et al. 2023, arXiv 2306.17775).

    A denoiser that is told a measurement leads draws by a guess of p(v | x), which is poor while the noise is loud, and
    where it led wrongly nothing leads back. K particles of a record go down together; each weighs by how much more
    probable v has become on its way than the guess that led it accounts for,

        w ∝ p(v | x') / p(v | x) · p(x' | x) / p(x' | x, v),

    and where few have most of the weight they are drawn anew by it. The more particles, the nearer to p(y | v).

    Args:
        told: the denoiser of n K records, each K times in a row, and what it says of v.
        x: (n K, d) noise of level `sigmas[0]`.
        sigmas: (steps + 1,) falling noise levels, the last of them 0.
        particles: K.
        source: of all that is drawn.
    """
    n = len(x) // particles
    log_weight, led_by, fit_before = (x.new_zeros(n, particles) for _ in range(3))
    for sigma, target in pairwise(sigmas):
        found = told(x, sigma.expand(len(x)))
        fit = found.fit.view(n, particles)
        log_weight = log_weight + fit - fit_before + led_by
        rows, log_weight = _again(log_weight, source)
        x, mean, led, fit_before = x[rows], found.mean[rows], found.led[rows], fit.flatten()[rows].view(n, particles)
        if target == 0:
            x = led
            break
        share, deviation = (target / sigma) ** 2, target * (1 - (target / sigma) ** 2).sqrt()
        free, drawn = mean + share * (x - mean), led + share * (x - led)
        x = drawn + deviation * normal(x, source)
        led_by = (((x - drawn) ** 2 - (x - free) ** 2).sum(1) / (2 * deviation**2)).view(n, particles)
    chosen = torch.multinomial(log_weight.softmax(1), 1, generator=source)[:, 0]
    return x.view(n, particles, -1)[torch.arange(n, device=x.device), chosen]


def filled(
    denoiser: Callable[[Tensor], Denoiser], values: Tensor, known: Tensor, particles: int, source: torch.Generator
) -> Tensor:
    """(n, d) draws of which some coordinates are known.

    Args:
        denoiser: that of some rows (m,) of the records.
        values: (n, d), of which what is not known is not looked at.
        known: (n, d) bool.
        particles: of each record.
        source: of all that is drawn.
    """
    each = torch.arange(len(values), device=values.device).repeat_interleave(particles)
    many, seen, sigmas = values[each], chosen(known[each]), schedule(FILL_STEPS, values.device)
    told = telling(denoiser(each), seen, seen.forward(many))
    noise = sigmas[0] * torch.randn(many.shape, generator=source, device=values.device)
    return twisted(told, noise, sigmas, particles, source)


def _again(log_weight: Tensor, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of the particles that go on, and what they weigh: drawn anew where half of them have lost their weight."""
    n, k = log_weight.shape
    weight = log_weight.softmax(1)
    alive = 1 / weight.square().sum(1, keepdim=True) >= k / 2
    stays = torch.arange(k, device=weight.device).expand(n, k)
    at = (stays + torch.rand(n, 1, generator=source, device=weight.device)) / k
    drawn = torch.searchsorted(weight.cumsum(1), at).clamp_max(k - 1)
    columns = torch.where(alive, stays, drawn)
    rows = columns + k * torch.arange(n, device=weight.device)[:, None]
    return rows.flatten(), torch.where(alive, log_weight, 0.0)
