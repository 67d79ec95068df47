"""Gradients through the choice of a code, by the rotation that brings the vector to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

LEAST = 1e-6  # length, below which a vector has no direction


def rotated(h: Tensor, e: Tensor) -> Tensor:
    """e as a constant rotation and stretch of h, so that gradients at e come back to h turned the other way.

    With ĥ = h / |h|, ê = e / |e| and r = (ĥ + ê) / |ĥ + ê|, it is |e| / |h| · (h - 2 r rᵀ h + 2 ê ĥᵀ h), in which all
    but h is held fixed: the angle between the gradient and the vector is kept, where copying the gradient, as
    straight-through does, keeps its direction (Fifty et al. 2024, "Restructuring vector quantization with the rotation
    trick", arXiv 2410.06424, section 4.2).

    Args:
        h: (…, width) vectors.
        e: (…, width) the vectors of their codes.

    >>> rotated(torch.tensor([3.0, 0.0]), torch.tensor([2.0, 0.0]))
    tensor([2., 0.])
    """
    with torch.no_grad():
        from_, to = normalize(h, dim=-1, eps=LEAST), normalize(e, dim=-1, eps=LEAST)
        between = from_ + to
        length = between.norm(dim=-1, keepdim=True)
        stretch = e.norm(dim=-1, keepdim=True) / h.norm(dim=-1, keepdim=True).clamp_min(LEAST)
        r = between / length.clamp_min(LEAST)
        # where one has no direction, or they are opposite, no rotation is singled out: the gradient is copied
        plain = (length < 1e-3) | (h.norm(dim=-1, keepdim=True) < LEAST) | (e.norm(dim=-1, keepdim=True) < LEAST)
    turned = h - 2 * r * (r * h).sum(-1, keepdim=True) + 2 * to * (from_ * h).sum(-1, keepdim=True)
    return torch.where(plain, h + (e - h).detach(), stretch * turned)
