"""What every invertible map of columns owes: an inverse, and a stretch that automatic differentiation confirms."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.data.encodings.invertible import Invertible
from pushforward.testing.close import close


def check_invertible(encoding: Invertible, x: Tensor, *, tolerance: float = 1e-9) -> None:
    """Hold an encoding to its contract on some data.

    Args:
        encoding: the map.
        x: (n, d) float64 data within its domain.
        tolerance: largest relative error.

    Raises:
        AssertionError: an inverse that is none, a column that depends on another, or a log |dy/dx| that is not
            the one of automatic differentiation, sign included.

    >>> from pushforward.data.encodings.standardise import Standardise
    >>> check_invertible(Standardise.examples()[0], torch.randn(5, 2, dtype=torch.float64))
    """
    y, ladj = encoding(x)
    assert y.shape == ladj.shape == x.shape, f"check_invertible: shapes {tuple(y.shape)} and {tuple(ladj.shape)}"
    close(encoding.inverse(y), x, tolerance, "check_invertible: inverse(forward(x)) is not x")
    close(encoding(encoding.inverse(y))[0], y, tolerance, "check_invertible: forward(inverse(y)) is not y")
    jacobian = _jacobian(encoding, x)
    slopes = jacobian.diagonal(dim1=1, dim2=2)
    close(ladj, slopes.abs().log(), tolerance, "check_invertible: log |dy/dx| is not that of automatic differentiation")
    close(torch.diag_embed(slopes), jacobian, tolerance, "check_invertible: a column depends on another")


def _jacobian(encoding: Invertible, x: Tensor) -> Tensor:
    """(n, d, d) derivatives of each record's code by its data."""
    x = x.detach().requires_grad_()
    y, _ = encoding(x)
    return torch.stack([torch.autograd.grad(y[:, j].sum(), x, retain_graph=True)[0] for j in range(x.shape[1])], 1)
