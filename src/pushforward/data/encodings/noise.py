"""Where the noise of an encoding comes from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Alike:
    """A generator whose draws are the same for every record, so that a record's score is the same in any company."""

    generator: torch.Generator

    def again(self) -> Alike:
        """One that draws what this one will, for further records of the same company."""
        copy = torch.Generator(self.generator.device)  # ours, and set at once
        copy.set_state(self.generator.get_state())
        return Alike(copy)


Source = torch.Generator | Alike


def uniform(like: Tensor, source: Source) -> Tensor:
    """Draws from (0, 1), of the shape of `like`, whose first axis is records."""
    rows, generator = _rows(like, source)
    return torch.rand(rows, generator=generator, dtype=like.dtype, device=like.device).expand(like.shape)


def normal(like: Tensor, source: Source) -> Tensor:
    """Standard normal draws, of the shape of `like`, whose first axis is records."""
    rows, generator = _rows(like, source)
    return torch.randn(rows, generator=generator, dtype=like.dtype, device=like.device).expand(like.shape)


def _rows(like: Tensor, source: Source) -> tuple[tuple[int, ...], torch.Generator]:
    if isinstance(source, Alike):
        return (1, *like.shape[1:]), source.generator
    return tuple(like.shape), source
