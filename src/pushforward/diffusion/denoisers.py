"""The networks of a diffusion."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pushforward.conditional import Steered
from pushforward.data import Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.diffusion.denoiser import Denoiser
from pushforward.diffusion.network import Network
from pushforward.diffusion.paths.path import Path
from pushforward.nets.condition import Condition
from pushforward.nets.embed import Waves


class Denoisers(nn.Module, Steered):
    """A network that denoises, and where they are wanted a weaker one to lead away from, and one that hurries.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        width: channels of the first level (pictures) or hidden units (rows).
        layers: residual blocks, a level or in all.
        weak: whether there is a second network, of half the width.
        quick: whether there is one that draws in few steps.
        drop: share of hidden units that are left out in training.
    """

    def __init__(self, rest: Schema, given: Schema, *, width: int, layers: int, weak: bool, quick: bool, drop: float):
        super().__init__()
        self.strong = Network(rest, given, width, layers, drop)
        self.weak = Network(rest, given, max(4, width // 2), layers, drop) if weak else None
        self.quick = Network(rest, given, width, layers, drop) if quick else None
        self.doubt = Doubt()

    @property
    def flat(self) -> FlatEncoding:
        """How records become vectors."""
        return self.strong.flat

    @property
    def condition(self) -> Condition | None:  # type: ignore[override]
        """What is given."""
        return self.strong.condition

    def embed(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor | None:
        """As the network that denoises does."""
        return self.strong.embed(given, drop)

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        self.strong.prepare(tensors, generator)
        for other in (self.weak, self.quick):  # they see conditions in the same units, and nothing else of the data
            if other is not None and other.condition is not None:
                other.condition.prepare(tensors)

    def denoiser(self, network: Network, path: Path, given: Tensor | None) -> Denoiser:
        """D(x; σ) of a network that is asked for what a path says.

        Args:
            network: one of both.
            path: that it was trained on.
            given: (n, embedding) that the network made of what is given.
        """
        return lambda x, sigma: path.denoised(x, sigma, lambda h, c: network(h, c, given))


class Doubt(nn.Module):
    """u(σ), the log of the loss that is expected at a noise level: L e^(-u) + u makes all levels count alike.

    (Kendall, Gal, Cipolla 2018, arXiv 1705.07115; Karras et al. 2024, arXiv 2312.02696, eq. 21.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.waves, self.line = Waves(32), nn.Linear(32, 1)
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)

    def forward(self, losses: Tensor, sigma: Tensor) -> Tensor:
        """(n,) losses, (n,) their noise levels → (n,) losses that count alike."""
        u = self.line(self.waves(sigma.log() / 4))[:, 0].float()
        return losses * (-u).exp() + u
