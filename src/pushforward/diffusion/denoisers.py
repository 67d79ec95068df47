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
    """One network that denoises, and where it is wanted a weaker one to lead away from.

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        width: channels of the first level (pictures) or hidden units (rows).
        layers: residual blocks, a level or in all.
        weak: whether there is a second network, of half the width.
    """

    def __init__(self, rest: Schema, given: Schema, *, width: int, layers: int, weak: bool):
        super().__init__()
        self.strong = Network(rest, given, width, layers)
        self.weak = Network(rest, given, max(4, width // 2), layers) if weak else None
        self.doubt = Doubt()

    @property
    def flat(self) -> FlatEncoding:
        """How records become vectors."""
        return self.strong.flat

    @property
    def condition(self) -> Condition | None:  # type: ignore[override]
        """What is given."""
        return self.strong.condition

    def prepare(self, tensors: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        self.strong.prepare(tensors, generator)
        if self.weak is not None:  # which must see conditions in the same units, and nothing else of the data
            if self.weak.condition is not None:
                self.weak.condition.prepare(tensors)

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
