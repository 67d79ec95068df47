"""Who learns what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Batch = Mapping[str, Tensor]
Loss = Callable[[Batch, torch.Generator], Tensor | tuple[Tensor, Mapping[str, Tensor]]]


def inverse_root(warmup: int = 100, constant: int = 3000) -> Callable[[int], float]:
    """A learning-rate factor that needs no horizon: a linear rise, a plateau, then 1/√step (EDM2, arXiv 2312.02696)."""

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / warmup) / max(1.0, step / constant) ** 0.5

    return factor


def adam(lr: float, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0) -> Callable:
    """Adam in one fused pass over the parameters."""

    def build(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=lr, betas=betas, weight_decay=weight_decay, fused=True)

    return build


STEADY = inverse_root()


@dataclass(frozen=True)
class Player:
    """One side of a training game: some parameters and the loss that moves them.

    Attributes:
        name: how losses and checkpoints call it.
        module: whose parameters are moved.
        loss: (batch, generator) → scalar, or scalar and named numbers to report.
        optimizer: parameters → optimiser.
        every: takes part in every so-manieth step.
        factor: step → what its learning rate is multiplied by.
        averages: deviations of averaging windows as shares of the run so far, of which that stays which does best on
            held-out data, or without any the first; none keeps no average.
        clip: largest norm of its gradient; 0 leaves it as it is.
        margin: by which held-out loss may lie above the best one and be as good: the latest of such weights stay.
    """

    name: str
    module: nn.Module
    loss: Loss
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    every: int = 1
    factor: Callable[[int], float] = STEADY
    averages: tuple[float, ...] = (0.1,)
    clip: float = 0.0
    margin: float = 0.0
