"""Flows without layers: a velocity that carries data to noise, learned by matching straight lines."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pushforward.conditional import Steered
from pushforward.data import Schema
from pushforward.data.encodings.flat import FlatEncoding
from pushforward.data.encodings.noise import Source
from pushforward.diffusion.likelihood import PIXELS, ROWS, TOLERANCE, carried, density, errors
from pushforward.diffusion.network import Network
from pushforward.diffusion.solver import Slope
from pushforward.nets.condition import Condition

WAVES = 2.0  # by what the time, from 0 to 1, is multiplied before a network reads it


class ContinuousNetwork(nn.Module, Steered):
    """dx/dt = v(x, t, given) from data at t = 0 to standard normal noise at t = 1 (Chen et al. 2018, arXiv 1806.07366).

        log p(x) = log N(x_1; 0, I) + ∫ ∇·v dt

    v is learned without solving anything: on the line x_t = (1 - t) x + t z between a record and a draw of noise it is
    to be z - x on average (flow matching: Lipman et al. 2022, arXiv 2210.02747).

    Args:
        rest: the fields that are learned, at most one picture among them.
        given: the fields that are conditions.
        width, layers: of the network, as for `Diffusion`.
    """

    def __init__(self, rest: Schema, given: Schema, *, width: int, layers: int):
        super().__init__()
        self.body = Network(rest, given, width, layers)

    @property
    def flat(self) -> FlatEncoding:
        """How records become vectors."""
        return self.body.flat

    @property
    def condition(self) -> Condition | None:  # type: ignore[override]
        """What is given."""
        return self.body.condition

    def embed(self, given: Mapping[str, Tensor], drop: Tensor | None = None) -> Tensor | None:
        """As the network of the field does."""
        return self.body.embed(given, drop)

    @property
    def size(self) -> int:
        """Numbers of a code."""
        return self.flat.size

    @property
    def exact(self) -> bool:
        """Whether ∇·v is computed, not estimated."""
        return self.size <= (PIXELS if self.flat.shape else ROWS)

    def prepare(self, tensors: dict[str, Tensor], generator: torch.Generator) -> None:
        """Take the scales of the data from some records."""
        self.body.prepare(tensors, generator)

    def spread(self, batch: Mapping[str, Tensor], source: Source | None) -> tuple[Tensor, Tensor]:
        """(n, size) records as points, and (n,) what that adds to log p."""
        return self.flat(batch, source)

    def velocity(self, x: Tensor, t: Tensor, c: Tensor | None) -> Tensor:
        """(n, size), (n,), (n, 1 + words, embedding) → (n, size)."""
        return self.body(x, WAVES * t, c).float()

    def loss(self, batch: Mapping[str, Tensor], c: Tensor | None, generator: torch.Generator) -> Tensor:
        """(n,) mean squared distance of v from z - x."""
        x, _ = self.spread(batch, generator)
        n, device = len(x), x.device
        # one time in each n-th of (0, 1): the same distribution, and a loss that varies less
        t = (torch.arange(n, device=device) + torch.rand(n, generator=generator, device=device)) / n
        z = torch.randn(x.shape, generator=generator, device=device)
        between = x + t[:, None] * (z - x)
        return (self.velocity(between, t, c) - (z - x)).square().mean(1)

    def log_prob(
        self, x: Tensor, c: Tensor | None, source: Source | None = None, *, tolerance: float = TOLERANCE, draw: int = 0
    ) -> Tensor:
        """(n, size), (n, embedding) → (n,) log density of points.

        Args:
            x: points.
            c: embedding of what is given.
            source: of layers that need noise; there are none.
            tolerance: of a step of the solver.
            draw: which of the probes to estimate ∇·v by, where it is estimated.
        """
        return density(self._slope(c), x, 0.0, 1.0, exact=self.exact, tolerance=tolerance, draw=draw)

    def errors(self, x: Tensor, c: Tensor | None) -> dict[str, float]:
        """How far, in nats a point, `log_prob` is off by its solver, and by its one probe (a standard deviation).

        Args:
            x: (n, size) points.
            c: (n, embedding) of what is given.
        """
        return errors(lambda tolerance, draw: self.log_prob(x, c, tolerance=tolerance, draw=draw), self.exact)

    def encode(self, x: Tensor, c: Tensor | None) -> Tensor:
        """(n, size), (n, embedding) → (n, size) noise."""
        return carried(self._slope(c), x, 0.0, 1.0)

    def decode(self, z: Tensor, c: Tensor | None) -> Tensor:
        """(n, size), (n, embedding) → (n, size) points."""
        return carried(self._slope(c), z, 1.0, 0.0)

    def draw(self, n: int, generator: torch.Generator, temperature: float) -> Tensor:
        """(n, size) noise."""
        return temperature * torch.randn(n, self.size, generator=generator, device=generator.device)

    def _slope(self, c: Tensor | None) -> Slope:
        return lambda x, t, rows: self.velocity(x, t, None if c is None else c[rows])
