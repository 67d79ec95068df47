"""The two drifts of a bridge, and both data sets in one pair of units."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pushforward.data import Schema
from pushforward.diffusion.bridges.metric import measure
from pushforward.diffusion.network import Network
from pushforward.neural import OTHER


class Drifts(nn.Module):
    """f(x, t) forwards and b(x, t) backwards, each in a time of its own that runs from 0 to 1.

    Without noise the way back is the way forth, gone backwards, and one network is both. Each side is centred at its
    own mean, which leaves the best plan as it is (|x - y|² changes by what depends on one of the two alone), and both
    are divided by the same scales; see `measure`.

    Args:
        schema: the fields of both sides, at most one picture among them.
        width: channels of the first level (pictures) or hidden units (rows).
        layers: residual blocks, a level or in all.
        noisy: whether there is noise on the way.
    """

    means: Tensor
    taken: Tensor

    def __init__(self, schema: Schema, width: int, layers: int, noisy: bool):
        super().__init__()
        none = Schema(())
        self.forth = Network(schema, none, width, layers)
        self.back = Network(schema, none, width, layers) if noisy else None
        self.flat = self.forth.flat
        if self.back is not None:
            self.back.flat = self.flat  # one scale for both
        self.register_buffer("means", torch.zeros(2, self.flat.size))
        self.register_buffer(
            "taken", torch.zeros((), dtype=torch.int64)
        )  # steps, which a run that goes on goes on with

    def prepare(self, tensors: Mapping[str, Tensor], each: bool, generator: torch.Generator) -> None:
        """Take the scales and both means from some records.

        Args:
            tensors: those of the one side, and those of the other with ``to.`` before their names.
            each: whether every number has a scale of its own.
            generator: what spreads values over their cells.
        """
        sides = [_side(tensors, other) for other in (False, True)]
        measure(self.flat, sides, each, generator)
        self.means = torch.stack([self.flat(side, generator)[0].mean(0) for side in sides])

    def end(self, tensors: Mapping[str, Tensor], other: bool, generator: torch.Generator | None) -> Tensor:
        """(n, size) records of one side as points about its mean.

        Args:
            tensors: as for `prepare`.
            other: whether the other side is asked for.
            generator: what spreads values over their cells; without one each is in the middle.
        """
        return self.flat(_side(tensors, other), generator)[0] - self.means[int(other)]

    def mean(self, t: float) -> Tensor:
        """(size,) where the middle of all is after a share t of the way forth."""
        return torch.lerp(self.means[0], self.means[1], t)

    def forwards(self, x: Tensor, t: Tensor) -> Tensor:
        """(n, size), (n,) → (n, size) the velocity of the way forth at time t."""
        return self.forth(x, 2 * t - 1, None).float()

    def backwards(self, x: Tensor, t: Tensor) -> Tensor:
        """(n, size), (n,) → (n, size) the velocity of the way back, after a share t of it."""
        return -self.forwards(x, 1 - t) if self.back is None else self.back(x, 2 * t - 1, None).float()


def _side(tensors: Mapping[str, Tensor], other: bool) -> dict[str, Tensor]:
    if not other:
        return {name: tensor for name, tensor in tensors.items() if not name.startswith(OTHER)}
    return {name.removeprefix(OTHER): tensor for name, tensor in tensors.items() if name.startswith(OTHER)}
