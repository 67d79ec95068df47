"""What every bijection owes: an inverse, and a stretch that automatic differentiation confirms, sign included."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.flows.bijections.bijection import Bijection
from pushforward.testing.close import close


def check_bijection(bijection: Bijection, x: Tensor, c: Tensor | None = None, *, tolerance: float = 1e-9) -> None:
    """Hold a bijection to its contract on some records.

    Args:
        bijection: the map, in double precision.
        x: (n, *shape) float64 records within its domain.
        c: (n, condition) what it is told.
        tolerance: largest relative error; logarithms of stretches may be 100 times as far off.

    Raises:
        AssertionError: an inverse that is none, a record that depends on another, or a log |det ∂y/∂x| that is not
            the one of automatic differentiation, sign included.

    >>> from pushforward.flows.bijections.affine import Affine
    >>> check_bijection(Affine(2).double(), torch.randn(5, 2, dtype=torch.float64))
    """
    n = len(x)
    y, ladj = bijection(x, c)
    assert y.shape == (n, *bijection.out), f"check_bijection: out is {bijection.out}, and y is {tuple(y.shape)}"
    assert ladj.shape == (n,), f"check_bijection: log |det| has shape {tuple(ladj.shape)}, not ({n},)"
    assert math.prod(y.shape) == math.prod(x.shape), f"check_bijection: {tuple(x.shape)} became {tuple(y.shape)}"
    with torch.no_grad():  # where an inverse may take another way
        back, returned = bijection.inverse(y, c)
    close(back, x, tolerance, "check_bijection: inverse(forward(x)) is not x")
    close(bijection(back, c)[0], y, tolerance, "check_bijection: forward(inverse(y)) is not y")
    close(returned, -ladj, 100 * tolerance, "check_bijection: log |det| of the inverse is not minus that of the map")
    for way, at, said in ((bijection.forward, x, ladj), (bijection.inverse, y.detach(), -ladj)):
        name = "" if at is x else " of the inverse"
        found = _determinants(way, at, c)
        close(
            said, found, 100 * tolerance, f"check_bijection: log |det|{name} is not that of automatic differentiation"
        )
    alone = torch.cat([bijection(x[i : i + 1], None if c is None else c[i : i + 1])[0] for i in range(n)])
    close(alone, y, tolerance, "check_bijection: a record depends on another")


def _determinants(way, x: Tensor, c: Tensor | None) -> Tensor:  # type: ignore[no-untyped-def]
    """(n,) log |det| of the derivatives of each record."""
    x = x.detach().requires_grad_()
    y = way(x, c)[0].flatten(1)
    rows = [torch.autograd.grad(y[:, j].sum(), x, retain_graph=True)[0].flatten(1) for j in range(y.shape[1])]
    return torch.linalg.slogdet(torch.stack(rows, 1))[1]
