"""The posterior mean of clean records under a variational auto-encoder, if noise was added to them.

With z known, x is N(μ(z), σ²) and x̃ = x + s ε, so that

    E[x | x̃, z] = μ + σ² / (σ² + s²) (x̃ - μ),        p(x̃ | z) = N(x̃; μ, σ² + s²).

Encoding the estimate brings q(z | x̂) near the posterior; the result is the mean over draws from it, weighed by
p(x̃ | z) p(z) / q(z | x̂).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.autoencoders.filling import Parts
from pushforward.autoencoders.network import Inputs, Outputs
from pushforward.data.encodings.noise import Alike

TURNS = 5  # of estimating and encoding
DRAWS = 32


@dataclass(frozen=True)
class Noise:
    """Standard deviations of the noise: of the picture in [-1, 1], and (n, d) of the scores of numbers."""

    picture: float
    numbers: Tensor


def cleaned(parts: Parts, noisy: Inputs, noise: Noise, source: Alike) -> Outputs:
    """The estimate: a picture, and the row that the decoder gives with its numbers' estimates as means.

    Args:
        parts: of the model.
        noisy: records with noise.
        noise: how much of it.
        source: what draws codes, alike for every record.
    """
    x = noisy
    for _ in range(TURNS):
        out = _shrunk(parts, noisy, parts.network.decode(parts.posterior(x).mean, parts.given), noise)
        x = _inputs(parts, noisy, out)
    q = parts.posterior(x)
    codes = [q.sample(source) for _ in range(DRAWS)]
    outs = [parts.network.decode(z, parts.given) for z in codes]
    logs = [
        _fit(parts, noisy, out, noise) + parts.prior.log_prob(z) - q.log_prob(z)
        for z, out in zip(codes, outs, strict=True)
    ]
    shares = torch.stack(logs).softmax(0)
    means = [_shrunk(parts, noisy, out, noise) for out in outs]
    picture = sum(_rows(share, mean.picture) for share, mean in zip(shares, means, strict=True))
    row = sum(_rows(share, mean.row) for share, mean in zip(shares, means, strict=True))
    return Outputs(torch.as_tensor(picture), torch.as_tensor(row))


def _rows(share: Tensor, x: Tensor) -> Tensor:
    return share.view(-1, *[1] * (x.ndim - 1)) * x


def _shrunk(parts: Parts, noisy: Inputs, out: Outputs, noise: Noise) -> Outputs:
    """E[x | x̃, z] in place of the decoder's means."""
    picture, row = out.picture, out.row
    if parts.network.picture is not None:
        variance = parts.network.picture.spread.variance
        picture = picture + variance / (variance + noise.picture**2) * (noisy.picture - picture)
    if parts.network.row.d:
        mean, rest = row[:, : parts.network.row.d], row[:, parts.network.row.d :]
        variance = parts.network.row.spread.variance
        gain = variance / (variance + noise.numbers**2).clamp_min(1e-30)
        mean = torch.where(noisy.y.isnan(), mean, mean + gain * (noisy.y - mean)).float()
        row = torch.cat([mean, rest], 1)
    return Outputs(picture, row)


def _inputs(parts: Parts, noisy: Inputs, out: Outputs) -> Inputs:
    y = noisy.y
    if parts.network.row.d:
        y = torch.where(y.isnan(), y, out.row[:, : parts.network.row.d].double())
    return Inputs(out.picture, y, noisy.codes)


def _fit(parts: Parts, noisy: Inputs, out: Outputs, noise: Noise) -> Tensor:
    """(n,) log p(x̃ | z), up to what does not depend on z."""
    total = torch.zeros(len(noisy.codes), device=noisy.codes.device)
    if parts.network.picture is not None:
        variance = parts.network.picture.spread.variance + noise.picture**2
        total = total - 0.5 * ((noisy.picture - out.picture) ** 2 / variance).flatten(1).sum(1)
    if parts.network.row.outputs:
        mean, logits, _ = parts.network.row.split(out.row)
        variance = parts.network.row.spread.variance + noise.numbers**2
        total = total - 0.5 * ((noisy.y - mean) ** 2 / variance).nan_to_num().sum(1).float()
        for i, each in enumerate(logits):
            known = noisy.codes[:, i] >= 0
            found = each.log_softmax(1).gather(1, noisy.codes[:, [i]].clamp_min(0))[:, 0]
            total = total + torch.where(known, found, 0.0)
    return total
