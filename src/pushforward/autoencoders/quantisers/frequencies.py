"""How often each code stands at each position: the plainest distribution of codes there is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TRUST = 16.0  # records that the share over all positions counts as, where a position has its own counts


class Frequencies(nn.Module):
    """p(codes) = Π_i p_i(code_i), with counts at each position drawn towards those over all.

    p_i(c) = (n_ic + T q(c)) / (n + T), where q(c) = (Σ_i n_ic + ½) / (k n + ½ size): no code is impossible.

    Args:
        positions: k.
        size: codes that there are.
    """

    counts: Tensor

    def __init__(self, positions: int, size: int):
        super().__init__()
        self.register_buffer("counts", torch.zeros(positions, size))

    def count(self, codes: Tensor, weight: Tensor | None = None) -> None:
        """Take the counts from (n, k) codes; what was counted before is forgotten.

        Args:
            codes: of records.
            weight: (n,) what each record counts; 1 if not given.
        """
        share = torch.ones(len(codes), device=codes.device) if weight is None else weight.float()
        self.counts.zero_().scatter_add_(1, codes.T, share.expand(codes.shape[1], -1))

    def log_probs(self) -> Tensor:
        """(k, size) float64 log p_i(c)."""
        counts = self.counts.double()
        pooled = counts.sum(0) + 0.5
        pooled = pooled / pooled.sum()
        return ((counts + TRUST * pooled) / (counts.sum(1, keepdim=True) + TRUST)).log()

    def log_prob(self, codes: Tensor) -> Tensor:
        """(n, k) codes → (n,) float64."""
        return self.log_probs().gather(1, codes.T).sum(0)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, k)."""
        return torch.multinomial(self.log_probs().exp(), n, replacement=True, generator=generator).T

    def entropy(self) -> float:
        """Nats of a record's codes, were they independent: the sum over positions of what their shares have."""
        share = self.counts.double() / self.counts.sum(1, keepdim=True).clamp_min(1)
        return float(-torch.xlogy(share, share).sum())

    def used(self) -> float:
        """Share of the codes that occur anywhere."""
        return float((self.counts.sum(0) > 0).double().mean())
