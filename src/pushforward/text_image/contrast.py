"""Contrastive losses of pairs: a picture and its own text belong together, and no others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

FAR = -1e4  # a logit that no softmax counts


def softmax(logits: Tensor, same: Tensor) -> Tensor:
    """(n,) -½ log p(text i | picture i) - ½ log p(picture i | text i) among n (Radford et al. 2021, arXiv 2103.00020).

    Args:
        logits: (n, n) of picture i and text j.
        same: (n, n) bool, whether texts i and j are alike: they are no negatives of each other.

    >>> bool((softmax(torch.eye(3) * 100, torch.eye(3, dtype=torch.bool)) < 1e-6).all())
    True
    """
    kept = logits.masked_fill(_others(same), FAR)
    return -0.5 * (kept.log_softmax(1).diagonal() + kept.log_softmax(0).diagonal())


def sigmoid(logits: Tensor, same: Tensor) -> Tensor:
    """(n,) the sum over j of -log σ(±(logit of i and j)), + where i = j (Zhai et al. 2023, arXiv 2303.15343).

    The arguments are those of `softmax`.

    >>> logits = torch.eye(2) * 200 - 100
    >>> bool((sigmoid(logits, torch.eye(2, dtype=torch.bool)) < 1e-6).all())
    True
    """
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    return -logsigmoid(torch.where(own, logits, -logits)).masked_fill(_others(same), 0.0).sum(1)


def _others(same: Tensor) -> Tensor:
    """Pairs of two records whose texts are alike."""
    return same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
