"""A game over two numbers, as a picture of the plane."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pushforward.adversarial.network import Game
from pushforward.data.encodings.vector import VectorEncoding
from pushforward.drawing.scene import Scene
from pushforward.training.randomness import generator

POINTS, ARROWS, GRID = 1000, 60, 40
MARGIN, STEP = 0.12, 0.05  # of the range; of a deviation, by which a slope is followed


def looked_at(network: Game, batch: Mapping[str, Tensor], step: int, names: tuple[str, str]) -> Scene:
    """Data, draws, what the discriminator makes of the plane, and where it would push the draws.

    Args:
        network: of a game over two numbers and nothing else.
        batch: named tensors of some records.
        step: of the training.
        names: of the two numbers.
    """
    device = batch["numbers"].device
    vector = network.flat.vector
    assert isinstance(vector, VectorEncoding)
    real = batch["numbers"][:POINTS].double()
    low, high = real.amin(0), real.amax(0)
    margin = MARGIN * (high - low).clamp_min(1e-9)
    low, high = low - margin, high + margin
    z = torch.randn(len(real), network.generator.latent, generator=generator(0, device=device), device=device)
    with torch.no_grad():
        drawn = network.generator(z, None, None)
        x, y = (
            torch.linspace(float(a), float(b), GRID, device=device, dtype=real.dtype)
            for a, b in zip(low, high, strict=True)
        )
        plane = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).view(-1, 2)
        scores, edge = _scores(network, _coordinates(vector, plane)), _scores(network, drawn).median()
        middle = (_scores(network, _coordinates(vector, real)).median() + edge) / 2
    start = drawn[:ARROWS].clone().requires_grad_()
    (slope,) = torch.autograd.grad(_scores(network, start).sum(), start)
    length = slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
    # a long slope is a strong pull; tanh keeps the arrows of a steep place within sight
    end = start.detach() + slope / length * STEP * (1 + 4 * torch.tanh(length))
    tails, heads = _numbers(vector, start.detach()), _numbers(vector, end)
    return Scene(
        step=step, real=real.cpu().numpy(), drawn=_numbers(vector, drawn).cpu().numpy(), names=names,
        extent=(float(low[0]), float(high[0]), float(low[1]), float(high[1])),
        surface=(scores - middle).sigmoid().view(GRID, GRID).cpu().numpy(),
        arrows=torch.cat([tails, heads - tails], 1).cpu().numpy(),
    )  # fmt: skip


def _scores(network: Game, points: Tensor) -> Tensor:
    """(n,) what the discriminator says of points, each in a pack of its own likes and with codes of 0."""
    d = network.discriminator
    codes = torch.zeros(len(points), d.codes, device=points.device)
    return d(torch.cat([points, codes], 1).repeat_interleave(d.pack, 0), None)


def _coordinates(vector: VectorEncoding, numbers: Tensor) -> Tensor:
    empty = torch.empty(len(numbers), 0, dtype=torch.int64, device=numbers.device)
    return vector(numbers, empty, empty.bool())[0]


def _numbers(vector: VectorEncoding, points: Tensor) -> Tensor:
    return vector.inverse(points).numbers
