"""No penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.adversarial.penalties.penalty import Judged, Penalty


class Unpenalised(Penalty):
    """0: the game as it was first played."""

    slopes = False

    def __call__(self, judged: Judged, generator: torch.Generator) -> dict[str, Tensor]:
        return {}
