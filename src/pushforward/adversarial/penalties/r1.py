"""Flat at data."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty, squared


class R1(Penalty):
    """E|∇D(x)|² (Mescheder, Geiger, Nowozin 2018, arXiv 1801.04406)."""

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        return {"real": squared(judged.slopes[0])}
