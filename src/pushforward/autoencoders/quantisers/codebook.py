"""A codebook that is learned: means of the vectors that were brought to each code."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.autoencoders.quantisers.clusters import clusters, nearest
from pushforward.autoencoders.quantisers.quantiser import Quantised, Quantiser
from pushforward.autoencoders.quantisers.rotation import rotated
from pushforward.training.place import add_up, standing

WIDTH = 8  # numbers of a vector: few, so that all codes come into use (Yu et al. 2021, arXiv 2110.04627)
MEMORY = 0.8  # what a step leaves of the running counts and sums: encoders move fast, and means must follow
COMMITMENT = 0.02  # nats of a squared distance, in variances; with the usual 0.25 digits err by a third more
DEAD = 0.05  # of what a code would be used if all were used alike, below which it begins anew
START = 1 << 15  # vectors that the first codebook is found on


class Codebook(Quantiser):
    """Each vector goes to the nearest of `size` learned ones, which are running means of what comes to them.

    counts ← γ counts + (1 - γ) n, sums ← γ sums + (1 - γ) Σ h, codebook = sums / counts (van den Oord, Vinyals,
    Kavukcuoglu 2017, arXiv 1711.00937, appendix A.1). It begins as the clusters of what the encoder says of some
    records; a code that falls out of use begins anew at a vector of the step. Encoders are held near by
    COMMITMENT · |h - e|² in variances of a number of the codebook, and gradients come to them by rotation.

    The codebook is a parameter that no optimiser moves: it is averaged, kept and written as the weights are, and
    so fits the averaged encoder. Several processes add up what they saw.

    Args:
        size: codes.
        width: numbers of a vector.
    """

    counts: Tensor
    sums: Tensor

    def __init__(self, size: int, width: int = WIDTH):
        super().__init__()
        self.size, self.width = size, width
        self.vectors = nn.Parameter(torch.randn(size, width), requires_grad=False)
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", torch.zeros(size, width))

    @torch.no_grad()
    def prepare(self, h: Tensor, generator: torch.Generator) -> None:
        order = torch.randperm(len(h), generator=generator, device=h.device)[: max(START, self.size)]
        h = h[order].float()
        self._set(slice(None), clusters(h, self.size, generator), len(h) / self.size)

    def _set(self, where: Tensor | slice, vectors: Tensor, count: float | Tensor) -> None:
        self.vectors.data[where] = vectors
        self.counts[where] = count
        self.sums[where] = vectors * count

    def forward(self, h: Tensor) -> Quantised:
        h = h.float()
        codes = nearest(h.detach().flatten(0, -2), self.vectors).view(h.shape[:-1])
        e = self.values(codes)
        variance = self.vectors.var(0, unbiased=False).mean().clamp_min(1e-6)
        cost = COMMITMENT * (h - e).square().flatten(1).sum(1) / variance
        return Quantised(rotated(h, e), codes, cost)

    def values(self, codes: Tensor) -> Tensor:
        return self.vectors[codes]

    @torch.no_grad()
    def learn(self, h: Tensor, codes: Tensor, generator: torch.Generator) -> None:
        h, codes = h.detach().float().flatten(0, -2), codes.flatten()
        count = torch.bincount(codes, minlength=self.size).to(h)
        total = torch.zeros_like(self.sums).index_add_(0, codes, h)
        far = (h - self.vectors[codes]).square().sum(1)
        add_up([count, total])
        self.counts.lerp_(count, 1 - MEMORY)
        self.sums.lerp_(total, 1 - MEMORY)
        self.vectors.data.copy_(self.sums / self.counts.clamp_min(1e-12)[:, None])
        mean = self.counts.mean()
        dead = self.counts < DEAD * mean
        if bool(dead.any()):  # in all processes or in none, since the counts are those of all
            # as if it had been used as often as the others, so that it has time to be found
            self._set(dead, self._fresh(h, far, generator)[dead], mean)

    def _fresh(self, h: Tensor, far: Tensor, generator: torch.Generator) -> Tensor:
        """(size, width) vectors of this step, drawn in proportion to their squared distance from their codes.

        Each process offers those of some codes, and the sum is everyone's.
        """
        rank, world = standing()
        offered = h[torch.multinomial(far + 1e-12, self.size, replacement=True, generator=generator)]
        offered[torch.arange(self.size, device=h.device) % world != rank] = 0.0
        add_up([offered])
        return offered
