"""Noise that a generator makes something known of: the inverse of drawing, by search."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BEST = 4  # candidates that are kept of a record's
REACH = 0.1  # of the first step at most, a number of the noise, in its deviations; that of the last is next to nothing


def searched(
    generate: Callable[[Tensor], Tensor], values: Tensor, known: Tensor, latent: int, *,
    candidates: int, steps: int, generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """(n, latent) noise whose draws agree with what is known: small d(z), the mean of (G(z) - x)² over what is known.

    Of many candidates the nearest few go down the slope of d (Yeh et al. 2016, arXiv 1607.07539), and one of them is
    drawn, the more probably the nearer it comes. Steps are d ∇d / |∇d|² (Polyak 1969), which lead to d = 0 if d falls
    straight. They move the noise as far as it decides what is known, and nothing pulls the rest away from where it was
    drawn: what is not known varies as the generator has it vary. If G is linear, that is a draw given what is known.

    Args:
        generate: (n · k, latent) noise → (n · k, size) records, those of one record side by side.
        values: (n, size) records.
        known: (n, size) bool, which coordinates count.
        latent: numbers of the noise.
        candidates: drawn for a record to begin with.
        steps: down the slope.
        generator: of the draws.
    """
    n, device = len(values), values.device
    share = known.float() / known.sum(1, keepdim=True).clamp_min(1)

    def distance(z: Tensor) -> Tensor:  # (n, k, latent) → (n, k)
        x = generate(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        return ((x - values[:, None]).square() * share[:, None]).sum(2)

    with torch.no_grad():
        z = torch.randn(n, candidates, latent, generator=generator, device=device)
        order = distance(z).argsort(1)[:, : min(BEST, candidates), None]
        z = z.gather(1, order.expand(-1, -1, latent))
    for step in range(steps):
        with torch.enable_grad():
            left = distance(z.requires_grad_())
            (slope,) = torch.autograd.grad(left.sum(), z)
        move = left.detach()[..., None] * slope / slope.square().sum(2, keepdim=True).clamp_min(1e-12)
        # what cannot be reached would be run past for ever
        most = REACH * latent**0.5 * (1 - step / steps)
        z = z.detach() - move * (most / move.norm(dim=2, keepdim=True).clamp_min(1e-12)).clamp_max(1)
    with torch.no_grad():
        left = distance(z)
        width = left.min(1, keepdim=True).values.clamp_min(1e-6)
        pick = torch.multinomial((-left / width).softmax(1), 1, generator=generator)
        return z.gather(1, pick[..., None].expand(-1, -1, latent))[:, 0]
