"""Records as codes: the component that each most probably comes from, and the posterior mean of its latent there."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.data.encodings.cells import Cells
from pushforward.errors import ArgumentError
from pushforward.mixtures.covariances.factors import Factors
from pushforward.mixtures.gaussian import Mixture


def codes(mixture: Mixture, cells: Cells) -> Tensor:
    """(n, 1 + q): a component and E[z | x, component]; holes are marginalised."""
    assert isinstance(mixture.covariances, Factors)
    chosen = mixture.log_joint(cells).argmax(1)
    latents = mixture.covariances.latents(cells.numbers - mixture.means[chosen], chosen)
    return torch.cat([chosen[:, None].to(latents), latents], 1)


def decoded(mixture: Mixture, code: Tensor, holes: int) -> Cells:
    """The mean of the numbers, Λ z + μ, and the most probable levels, for codes (n, 1 + q).

    Raises:
        ArgumentError: they are not of this shape, or name no component.
    """
    assert isinstance(mixture.covariances, Factors)
    k, _, q = mixture.covariances.loadings.shape
    if code.ndim != 2 or code.shape[1] != 1 + q:
        raise ArgumentError(f"codes have shape {tuple(code.shape)}; they must be (n, {1 + q}), as encode gives them")
    chosen = code[:, 0].long()
    if not bool(code.isfinite().all()) or bool(((chosen < 0) | (chosen >= k) | (chosen != code[:, 0])).any()):
        raise ArgumentError(f"codes must be finite, and their first column a component from 0 to {k - 1}")
    numbers = mixture.means[chosen]
    for i in chosen.unique().tolist():
        numbers[chosen == i] += code[chosen == i, 1:] @ mixture.covariances.loadings[i].T
    likely = [mixture.table(f)[chosen].argmax(1) for f in range(len(mixture.levels))]
    levels = torch.stack(likely, 1) if likely else torch.empty(len(code), 0, dtype=torch.int64, device=code.device)
    return Cells(numbers, levels, torch.zeros(len(code), holes, dtype=torch.bool, device=code.device))
